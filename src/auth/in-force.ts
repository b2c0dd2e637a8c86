// Whether what an account was given (a JWT, a session of the console) still counts: asked from the accounts at each request.
import type { Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** The account that a session stands for, as long as it does. */
export function inForce(session: Session | undefined, users: readonly StoredUser[]): StoredUser | undefined {
  const user = session && users.find(({ id }) => id === session.user)
  if (!user?.active || user.generation !== session?.generation) return undefined
  return user.ended.some(([token]) => token === session.token) ? undefined : user
}
