// The open SMB sessions of a share user, and their end: an account that is disabled or removed keeps what it has open
// until its connection is closed.
import { setTimeout as delay } from 'node:timers/promises'
import type { Tool } from '../../drivers/programs.ts'
import { endSmbConnection, listSmbSessions, type SmbSession } from '../../drivers/smb-sessions.ts'
import type { UserRecord } from './record.ts'
import { type Backend, isOwnInSamba } from './system.ts'

export interface EndedSession {
  id: string
  client: string
  /** False: it was still open after five seconds. */
  ended: boolean
}

/** Who has opened the sessions that are asked for. */
export interface Owner {
  uid: number
  /** What Samba logs in under this name is the user; undefined: it may be another account of the system. */
  name: string | undefined
}

/**
 * A log-in of the user has the number of the account that the system has under its name. So where that is another
 * account, a session belongs to the user by its name, but only while Samba's account is the user's: with another password
 * it is the other one's, and so are its sessions. To be asked before Samba's account is removed.
 */
export const ownerOf = async (
  backend: Backend,
  { id, name, hash }: Pick<UserRecord, 'id' | 'name' | 'hash'>,
): Promise<Owner> => ({ uid: id, name: (await isOwnInSamba(backend, { id, name, hash })) ? name : undefined })

export async function sessionsOf(tool: Tool, owner: Owner): Promise<SmbSession[]> {
  const all = await listSmbSessions(tool)
  return all.filter(({ uid, username }) => uid === owner.uid || username.toLowerCase() === owner.name)
}

const PATIENCE = 5000
const PAUSE = 100

/** Ends all sessions of the owner, also those that began since `known` was read. */
export async function endSessions(
  tool: Tool,
  owner: Owner,
  known: readonly SmbSession[] = [],
): Promise<EndedSession[]> {
  const seen = new Map(known.map((session) => [session.id, session]))
  let open = await sessionsOf(tool, owner)
  const end = Date.now() + PATIENCE
  while (open.length > 0) {
    for (const session of open) seen.set(session.id, session)
    for (const pid of new Set(open.map((session) => session.pid))) if (pid > 1) await endSmbConnection(tool, pid)
    open = await sessionsOf(tool, owner)
    if (open.length === 0 || Date.now() > end) break
    await delay(PAUSE)
  }
  return [...seen.values()].map(({ id, client }) => ({ id, client, ended: !open.some((one) => one.id === id) }))
}
