// Who is connected over SMB, from `smbstatus -j`, and the end of such a connection. One smbd process serves one
// connection of a client, with all of its sessions.
import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export interface SmbSession {
  id: string
  /** The process that serves it. */
  pid: number
  username: string
  uid: number
  client: string
}

/** A share that a session uses. */
export interface SmbConnection {
  session: string
  share: string
  /** As Samba writes it, with its time zone. */
  since: string
}

export interface SmbOpenFile {
  path: string
  pid: number
  uid: number
  /** `R`, `W` or both. */
  access: string
  since: string
}

export interface SmbStatus {
  sessions: (SmbSession & { dialect: string; encrypted: boolean; signed: boolean })[]
  connections: SmbConnection[]
  files: SmbOpenFile[]
}

const SLOW = { timeout: 30_000, maxBytes: 32 << 20 }

type Told = Record<string, unknown>

const told = (value: unknown): Told => (typeof value === 'object' && value !== null ? (value as Told) : {})
const text = (value: unknown) => (typeof value === 'string' ? value : '')
const pidOf = (value: unknown) => Number(told(told(value)['server_id'])['pid'])
const degree = (value: unknown) => text(told(value)['degree'])

/** The open sessions; none if the server does not run. */
export const listSmbSessions = async (tool: Tool): Promise<SmbSession[]> => (await readSmbStatus(tool)).sessions

/** Everything that `smbstatus` knows; nothing if the server does not run. */
export async function readSmbStatus(tool: Tool): Promise<SmbStatus> {
  const { stdout } = await tool('smbstatus', ['--json'], SLOW)
  if (stdout.trim() === '') return { sessions: [], connections: [], files: [] }
  let status: Told
  try {
    status = told(JSON.parse(stdout))
  } catch {
    throw new CommandError(['smbstatus', '--json'], 'output')
  }
  return {
    sessions: Object.entries(told(status['sessions'])).map(([id, one]) => {
      const { username, uid, remote_machine, session_dialect, encryption, signing } = told(one)
      return {
        id,
        pid: pidOf(one),
        username: text(username),
        uid: Number(uid),
        client: text(remote_machine),
        dialect: text(session_dialect),
        encrypted: /^(?:full|partial)$/.test(degree(encryption)),
        signed: /^(?:full|partial)$/.test(degree(signing)),
      }
    }),
    connections: Object.values(told(status['tcons'])).map((one) => {
      const { session_id, service, connected_at } = told(one)
      return { session: text(session_id), share: text(service), since: text(connected_at) }
    }),
    files: Object.entries(told(status['open_files'])).flatMap(([path, file]) =>
      Object.values(told(told(file)['opens'])).map((one) => {
        const { uid, access_mask, opened_at } = told(one)
        const access = text(told(access_mask)['text'])
        return { path, pid: pidOf(one), uid: Number(uid), access, since: text(opened_at) }
      }),
    ),
  }
}

/** Ends the connection that a process serves. Status 1: that process has ended since. */
export async function endSmbConnection(tool: Tool, pid: number): Promise<void> {
  await tool('smbcontrol', [String(pid), 'shutdown'], { ...SLOW, accept: [1] })
}
