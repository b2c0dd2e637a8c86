// Login and logout. The trap: hundreds of guesses may wait for a place to hash before the first of them has failed, so the address is
// checked again when its turn comes.
import { type Issued, isAfter, readTokenId } from '../../auth/boots.ts'
import { CLOCK, type Clock } from '../../auth/clock.ts'
import { inForce } from '../../auth/in-force.ts'
import { LIFETIME } from '../../auth/jwt.ts'
import type { Principal, Session } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import { ApiError } from '../../errors.ts'
import type { Accounts } from './accounts.ts'
import type { LoginLimits } from './login-limits.ts'

/** Ended tokens that are kept of one account; of more, the first that was issued is forgotten, and all that are as old end with it. */
export const MOST_ENDED = 128

/** The account, or undefined: an unknown name, a wrong password and an inactive account take the same time and look the same. */
export async function logIn(
  { users, passwords }: Accounts,
  limits: LoginLimits,
  { username, password, address }: { username: string; password: string; address: string },
): Promise<StoredUser | undefined> {
  const before = users.byName(username)
  const attempt = limits.attempt(address, username, before)
  attempt.check()
  await attempt.turn()
  const like = before ? undefined : oneOf(users.all(), username)?.hash
  const right = await passwords.verify(password, before?.hash, () => attempt.begin(), limits.from(address), like)
  // Meanwhile the password may have been changed, or the account switched off.
  const user = before && users.byId(before.id)
  if (!right || !user?.active || user.hash !== before?.hash) {
    attempt.fail()
    return undefined
  }
  attempt.succeed(user)
  return user
}

/** Whom an unknown name takes as long as: hashes of earlier versions have another price. By the name, so that it is the same one each time. */
function oneOf(all: readonly StoredUser[], name: string): StoredUser | undefined {
  const sum = [...name.toLowerCase()].reduce((so, one) => so + (one.codePointAt(0) ?? 0), 0)
  return all[sum % all.length]
}

interface Attempt {
  username: string
  password: string
  address: string
  /** Called with the event of the refusal in the audit log, and the actor that is named there. */
  refused: (event: string, actor: string) => void
}

/** As `logIn`, but throws the refusal, after reporting how it is entered in the audit log. */
export async function logInOrRefuse(accounts: Accounts, limits: LoginLimits, attempt: Attempt): Promise<StoredUser> {
  const { username, refused } = attempt
  // A name goes into the log only when it is an account's: people type passwords into the wrong field.
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
 * Ends the caller's token for good, whatever the clock does afterwards: an ended one is forgotten only once all that were issued as early
 * are refused. One that has just ended otherwise is as well ended.
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

/** A program that logs in and out all day must not end what somebody has just begun. */
function forgetOldest(user: StoredUser): void {
  const oldest = user.ended.reduce((found, one) => (isAfter(issuedAt(found), issuedAt(one)) ? one : found))
  user.ended = user.ended.filter((one) => one !== oldest)
  raiseFloor(user, issuedAt(oldest))
}

function raiseFloor(user: StoredUser, issued: Issued): void {
  if (!user.floor || isAfter(issued, user.floor)) user.floor = [...issued]
}

/** By the steady clock where it was issued in the boot of this session, else by the wall's. */
function hasRunOut(expires: number, issued: Issued | undefined, { id }: Session, clock: Clock): boolean {
  if (issued && issued[0] === readTokenId(id)?.issued[0]) return issued[1] + LIFETIME <= clock.steady() / 1000
  return expires <= clock.wall() / 1000
}
