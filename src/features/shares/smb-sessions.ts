// Who uses the SMB shares at this moment, from Samba itself, and the end of a session. A session is looked up in Samba's
// own list before its process is told anything: a number in a request never is a process.

import type { Tool } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import type { Samba } from '../../drivers/samba.ts'
import { endSmbConnection, readSmbStatus, type SmbStatus } from '../../drivers/smb-sessions.ts'
import { ApiError, notFound, raise } from '../../errors.ts'
import { withToolErrors } from '../tool-failure.ts'

export interface SmbSessionView {
  id: string
  username: string
  client: string
  dialect: string
  encrypted: boolean
  signed: boolean
  shares: string[]
  open_files: number
  since?: string
}

export interface SmbFileView {
  path: string
  /** Whose end closes the file; left out if Samba does not list it any more. */
  session?: string
  username: string
  client: string
  access: string
  since?: string
}

/** Milliseconds that an smbd may take to end, and between two looks. */
const PATIENCE = 5000
const PAUSE = 100

export class SmbSessions {
  private readonly tool: Tool
  private readonly samba: Samba

  constructor(tool: Tool, samba: Samba) {
    this.tool = tool
    this.samba = samba
  }

  async all(): Promise<SmbSessionView[]> {
    const { sessions, connections, files } = await this.status()
    return sessions.map(({ id, pid, uid: _, ...session }) => {
      const own = connections.filter((one) => one.session === id)
      const since = own.map((one) => timeOf(one.since)).sort()[0]
      return {
        id,
        ...session,
        shares: [...new Set(own.map(({ share }) => share))].sort(),
        open_files: files.filter((file) => file.pid === pid).length,
        ...(since !== undefined && { since }),
      }
    })
  }

  async files(): Promise<SmbFileView[]> {
    const { sessions, files } = await this.status()
    return files.map(({ path, pid, uid, access, since }) => {
      const session =
        sessions.find((one) => one.pid === pid && one.uid === uid) ?? sessions.find((one) => one.pid === pid)
      const at = timeOf(since)
      return {
        path,
        username: session?.username ?? '',
        client: session?.client ?? '',
        access,
        ...(session && { session: session.id }),
        ...(at !== undefined && { since: at }),
      }
    })
  }

  /** Ends the connection with this session; Samba has no smaller unit. Answers when Samba no longer lists it. */
  async close(id: string): Promise<void> {
    const find = async () => (await this.status()).sessions.find((one) => one.id === id)
    const { pid } = (await find()) ?? raise(notFound('session not found', { details: { object: id } }))
    if (!Number.isSafeInteger(pid) || pid <= 1)
      throw new ApiError('command-failed', 'Samba does not say which process serves the session')
    await withToolErrors(id, () => endSmbConnection(this.tool, pid))
    for (const end = Date.now() + PATIENCE; (await find())?.pid === pid; ) {
      if (Date.now() > end)
        throw new ApiError('command-failed', 'Samba has not ended the session', { details: { object: id } })
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }

  /** Ends every connection to a share; clients may connect again. */
  async closeShare(name: string): Promise<void> {
    await withToolErrors(name, () => this.samba.disconnect(name, 'all'))
  }

  private status(): Promise<SmbStatus> {
    return withToolErrors(undefined, async () => {
      try {
        return await readSmbStatus(this.tool)
      } catch (error) {
        if (error instanceof CommandError && /(?:unknown|invalid|unrecognized) option|Usage:/i.test(error.stderr))
          throw new ApiError('unavailable', 'smbstatus has no JSON output: Samba 4.16 or later is needed', {
            cause: error,
          })
        throw error
      }
    })
  }
}

/** `2026-11-30T09:45:55.995932+01:00` in UTC; undefined where Samba gives no time. */
function timeOf(text: string): string | undefined {
  const time = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}
