// Whether what an account was given (a JWT, a session of the console) still counts: asked from the accounts at each request.
import { isAfter, readTokenId } from './boots.ts'
import type { Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** The account that a session stands for, as long as it does. */
export function inForce(session: Session | undefined, users: readonly StoredUser[]): StoredUser | undefined {
  const user = session && users.find(({ id }) => id === session.user)
  if (!session || !user?.active || user.generation !== session.generation) return undefined
  // Ended tokens that were forgotten since: all that were issued up to then had run out.
  if (user.floor && !isAfter(readTokenId(session.token)?.issued ?? [0, 0], user.floor)) return undefined
  return user.ended.some(([token]) => token === session.token) ? undefined : user
}
