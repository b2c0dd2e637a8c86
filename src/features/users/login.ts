// Login and logout. The trap: hundreds of guesses may wait for a place to hash before the first of them has failed; whether the address and
// the account still may try is asked when their turn comes, not when they arrive.
import { join } from 'node:path'
import { BackOff } from '../../auth/back-off.ts'
import { inForce } from '../../auth/in-force.ts'
import type { Principal } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import type { Folders } from '../../folders.ts'
import { ApiError } from '../../http/errors.ts'
import type { Accounts } from './users.ts'

/** Ended tokens that one account may leave behind; more, and all its tokens end instead. */
export const MOST_ENDED = 64

/**
 * An address has five free guesses, as everywhere. An account has twenty, from all addresses together, and never waits longer than ten
 * seconds: the wait is there against guessing from many addresses, and must not let a stranger keep its owner out.
 */
export class LoginLimits {
  private readonly addresses: BackOff
  private readonly accounts: BackOff

  constructor(folders: Folders, now: () => number = Date.now) {
    this.addresses = new BackOff(join(folders.state, 'login-addresses.json'), now)
    this.accounts = new BackOff(join(folders.state, 'login-accounts.json'), now, { free: 20, longest: 10_000 })
  }

  /** Throws the 429 while this address, or this account, has to wait. */
  check(address: string, name?: string): void {
    const seconds = Math.max(this.addresses.wait(address), name === undefined ? 0 : this.accounts.wait(key(name)))
    if (seconds > 0)
      throw new ApiError('too-many', `Too many failed logins. Try again in ${seconds} seconds`, { retryAfter: seconds })
  }

  fail(address: string, name: string): void {
    this.addresses.fail(address)
    this.accounts.fail(key(name))
  }

  succeed(address: string, name: string): void {
    this.addresses.succeed(address)
    this.accounts.succeed(key(name))
  }

  save(): void {
    this.addresses.save()
    this.accounts.save()
  }
}

/** A name that no account can have counts as one, so that made-up names do not push out the counters of real ones. */
const key = (name: string) => (/^[A-Za-z0-9._-]{3,32}$/.test(name) ? name.toLowerCase() : '?')

/** The account, or undefined: an unknown name, a wrong password and an inactive account take the same time and look the same. */
export async function logIn(
  { users, passwords }: Accounts,
  limits: LoginLimits,
  { username, password, address }: { username: string; password: string; address: string },
): Promise<StoredUser | undefined> {
  const before = users.byName(username)
  const right = await passwords.verify(password, before?.hash, () => limits.check(address, username))
  // Meanwhile the password may have been changed, or the account switched off.
  const user = before && users.byId(before.id)
  if (!right || !user?.active || user.hash !== before?.hash) {
    limits.fail(address, username)
    return undefined
  }
  limits.succeed(address, username)
  return user
}

interface Attempt {
  username: string
  password: string
  address: string
  /** Hears what the audit log calls the refusal, and who is named there as the one who tried. */
  refused: (event: string, actor: string) => void
}

/** As `logIn`, for whoever answers: throws the refusal, and says how it is entered in the audit log. */
export async function logInOrRefuse(accounts: Accounts, limits: LoginLimits, attempt: Attempt): Promise<StoredUser> {
  const { username, address, refused } = attempt
  // A name goes into the log only when it is an account's: people type passwords into the wrong field.
  const actor = accounts.users.byName(username)?.username ?? 'nobody'
  let user: StoredUser | undefined
  try {
    limits.check(address)
    user = await logIn(accounts, limits, attempt)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'too-many') refused('auth.login.backoff', actor)
    throw error
  }
  if (user) return user
  refused('auth.login.failed', actor)
  throw new ApiError('unauthenticated', 'Wrong user name or password')
}

/** Ends the caller's token for good. One that has just ended otherwise is as well ended. */
export function logOut(accounts: Accounts, { session }: Principal): void {
  if (!session || !inForce(session, accounts.users.all())) return
  const now = Math.floor(Date.now() / 1000)
  accounts.users.change((all) => {
    const user = inForce(session, all)
    if (!user) return
    user.ended = [...user.ended.filter(([, expires]) => expires > now), [session.token, session.expires]]
    if (user.ended.length > MOST_ENDED) {
      user.generation += 1
      user.ended = []
    }
  })
}
