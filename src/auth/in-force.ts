// Whether what an account was given (a JWT, a session) or has proven (its password) still counts: asked from the accounts at each request.
import { isAfter, readTokenId } from './boots.ts'
import type { Account, Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** What stands for an account: its number at the time, and the session that carries it, where one does. */
export interface Standing {
  account: Pick<Account, 'id' | 'generation'> | string
  session?: Session
}

/** The account that this stands for, as long as it does. */
export function inForce(standing: Standing | undefined, users: readonly StoredUser[]): StoredUser | undefined {
  if (typeof standing?.account !== 'object') return undefined
  const { account, session } = standing
  const user = users.find(({ id }) => id === account.id)
  if (!user?.active || user.generation !== account.generation) return undefined
  if (!session) return user
  // Ended tokens that were forgotten since: all that were issued up to then had run out.
  if (user.floor && !isAfter(readTokenId(session.id)?.issued ?? [0, 0], user.floor)) return undefined
  return user.ended.some(([token]) => token === session.id) ? undefined : user
}
