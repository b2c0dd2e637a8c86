// Login and logout. Hundreds of guesses may wait for the hash queue before the first of them has failed, so the address
// is checked again when its turn comes.
import { type Issued, isAfter, readTokenId } from '../../auth/boots.ts'
import { CLOCK, type Clock } from '../../auth/clock.ts'
import { inForce } from '../../auth/in-force.ts'
import { LIFETIME } from '../../auth/jwt.ts'
import type { Principal, Session } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import { ApiError } from '../../errors.ts'
import type { Accounts } from './accounts.ts'
import type { LoginLimits } from './login-limits.ts'

/** Ended tokens kept per account; beyond that the first issued is forgotten, and all tokens as old as it end too. */
export const MOST_ENDED = 128

/**
 * The account, or undefined: an unknown name, a wrong password and an inactive account take the same time and look the
 * same.
 */
export async function logIn(
  { users, passwords, mayLogIn }: Accounts,
  limits: LoginLimits,
  { username, password, address }: { username: string; password: string; address: string },
): Promise<StoredUser | undefined> {
  const before = users.byName(username)
  const attempt = limits.attempt(address, username, before)
  attempt.check()
  await attempt.turn()
  const like = before ? undefined : oneOf(users.all(), username)?.hash
  const right = await passwords.verify(password, before?.hash, () => attempt.begin(), limits.from(address), like)
  // Meanwhile the password may have been changed, or the account deactivated.
  const user = before && users.byId(before.id)
  if (!right || !user?.active || user.hash !== before?.hash || mayLogIn?.(user.username) === false) {
    attempt.fail()
    return undefined
  }
  attempt.succeed(user)
  return user
}

/**
 * The account whose hash an unknown name is timed against: hashes of earlier versions cost a different time. Chosen by
 * the name, so that it is always the same.
 */
function oneOf(all: readonly StoredUser[], name: string): StoredUser | undefined {
  const sum = [...name.toLowerCase()].reduce((so, one) => so + (one.codePointAt(0) ?? 0), 0)
  return all[sum % all.length]
}

interface Attempt {
  username: string
  password: string
  address: string
  /** Called with the event and the actor for the audit log. */
  refused: (event: string, actor: string) => void
}

/** Like `logIn`, but reports the refusal for the audit log and throws it. */
export async function logInOrRefuse(accounts: Accounts, limits: LoginLimits, attempt: Attempt): Promise<StoredUser> {
  const { username, refused } = attempt
  // A name is logged only if it is an account's: people type passwords into the wrong field.
  const actor = accounts.users.byName(username)?.username ?? 'nobody'
  let user: StoredUser | undefined
  try {
    user = await logIn(accounts, limits, attempt)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'too-many') refused('auth.login.backoff', actor)
    throw error
  }
  if (user) return user
  refused('auth.login.failed', actor)
  throw new ApiError('unauthenticated', 'Wrong user name or password')
}

/**
 * Ends the caller's token for good, whatever the clock does afterwards: an ended token is forgotten only once all
 * tokens issued as early are refused. A token that has just ended otherwise counts as success.
 */
export function logOut(accounts: Accounts, principal: Principal, clock: Clock = CLOCK): void {
  const { session } = principal
  if (!session || !inForce(principal, accounts.users.all())) return
  accounts.users.change((all) => {
    const user = inForce(principal, all)
    if (!user) return
    const kept: StoredUser['ended'] = []
    for (const one of user.ended) {
      const issued = readTokenId(one[0])?.issued
      if (!hasRunOut(one[1], issued, session, clock)) kept.push(one)
      else if (issued) raiseFloor(user, issued)
    }
    user.ended = [...kept, [session.id, session.expires]]
    while (user.ended.length > MOST_ENDED) forgetOldest(user)
  })
}

const FIRST: Issued = [0, 0]
const issuedAt = ([token]: StoredUser['ended'][number]) => readTokenId(token)?.issued ?? FIRST

/** A program that logs in and out all day must not end a session that has just begun. */
function forgetOldest(user: StoredUser): void {
  const oldest = user.ended.reduce((found, one) => (isAfter(issuedAt(found), issuedAt(one)) ? one : found))
  user.ended = user.ended.filter((one) => one !== oldest)
  raiseFloor(user, issuedAt(oldest))
}

function raiseFloor(user: StoredUser, issued: Issued): void {
  if (!user.floor || isAfter(issued, user.floor)) user.floor = [...issued]
}

/** By the steady clock if it was issued in the current boot, otherwise by the wall clock. */
function hasRunOut(expires: number, issued: Issued | undefined, { id }: Session, clock: Clock): boolean {
  if (issued && issued[0] === readTokenId(id)?.issued[0]) return issued[1] + LIFETIME <= clock.steady() / 1000
  return expires <= clock.wall() / 1000
}
