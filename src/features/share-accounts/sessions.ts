// The open SMB sessions of a share user, and their end: an account that is disabled or removed keeps what it has open
// until its connection is closed.
import { setTimeout as delay } from 'node:timers/promises'
import type { Tool } from '../../drivers/programs.ts'
import { endSmbConnection, listSmbSessions, type SmbSession } from '../../drivers/smb-sessions.ts'
import type { UserRecord } from './record.ts'

export interface EndedSession {
  id: string
  client: string
  /** False: it was still open after five seconds. */
  ended: boolean
}

export async function sessionsOf(tool: Tool, { id, name }: Pick<UserRecord, 'id' | 'name'>): Promise<SmbSession[]> {
  const all = await listSmbSessions(tool)
  return all.filter(({ uid, username }) => uid === id || username.toLowerCase() === name)
}

const PATIENCE = 5000
const PAUSE = 100

/** Ends all sessions of the user, also those that began since `known` was read. */
export async function endSessions(
  tool: Tool,
  user: Pick<UserRecord, 'id' | 'name'>,
  known: readonly SmbSession[],
): Promise<EndedSession[]> {
  const seen = new Map(known.map((session) => [session.id, session]))
  let open = await sessionsOf(tool, user)
  const end = Date.now() + PATIENCE
  while (open.length > 0) {
    for (const session of open) seen.set(session.id, session)
    for (const pid of new Set(open.map((session) => session.pid))) if (pid > 1) await endSmbConnection(tool, pid)
    open = await sessionsOf(tool, user)
    if (open.length === 0 || Date.now() > end) break
    await delay(PAUSE)
  }
  return [...seen.values()].map(({ id, client }) => ({ id, client, ended: !open.some((one) => one.id === id) }))
}
