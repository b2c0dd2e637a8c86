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

const SLOW = { timeout: 30_000, maxBytes: 32 << 20 }

interface Told {
  sessions?: Record<
    string,
    { server_id?: { pid?: unknown }; username?: unknown; uid?: unknown; remote_machine?: unknown }
  >
}

/** The open sessions; none if the server does not run. */
export async function listSmbSessions(tool: Tool): Promise<SmbSession[]> {
  const { stdout } = await tool('smbstatus', ['--json'], SLOW)
  if (stdout.trim() === '') return []
  let told: Told
  try {
    told = JSON.parse(stdout) as Told
  } catch {
    throw new CommandError(['smbstatus', '--json'], 'output')
  }
  return Object.entries(told.sessions ?? {}).map(([id, { server_id, username, uid, remote_machine }]) => ({
    id,
    pid: Number(server_id?.pid),
    username: String(username ?? ''),
    uid: Number(uid),
    client: String(remote_machine ?? ''),
  }))
}

/** Ends the connection that a process serves. Status 1: that process has ended since. */
export async function endSmbConnection(tool: Tool, pid: number): Promise<void> {
  await tool('smbcontrol', [String(pid), 'shutdown'], { ...SLOW, accept: [1] })
}
