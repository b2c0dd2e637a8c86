// Whether something issued to an account (a JWT, a session) or proven by it (a password) is still valid, checked at
// each request.
import { isAfter, readTokenId } from './boots.ts'
import type { Account, Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** What refers to an account: its generation at the time, and the session that carries it, if any. */
export interface Standing {
  account: Pick<Account, 'id' | 'generation'> | string
  session?: Session
}

/** The account that this refers to, while it is valid. */
export function inForce(standing: Standing | undefined, users: readonly StoredUser[]): StoredUser | undefined {
  if (typeof standing?.account !== 'object') return undefined
  const { account, session } = standing
  const user = users.find(({ id }) => id === account.id)
  if (!user?.active || user.generation !== account.generation) return undefined
  if (!session) return user
  // Ended tokens that have been forgotten: everything issued up to then has expired.
  if (user.floor && !isAfter(readTokenId(session.id)?.issued ?? [0, 0], user.floor)) return undefined
  return user.ended.some(([token]) => token === session.id) ? undefined : user
}
