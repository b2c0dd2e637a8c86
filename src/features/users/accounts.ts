// What all account operations share, and their error when the caller's proof is no longer valid.
import type { From, Passwords } from '../../auth/password.ts'
import { ownAccount, type Principal } from '../../auth/principal.ts'
import type { StoredUser, UserStore } from '../../auth/users.ts'
import { ApiError } from '../../errors.ts'
import type { PasswordRules } from './password-rules.ts'

export interface Accounts {
  users: UserStore
  passwords: Passwords
  /** Whether a right password lets this account in; if left out, it always does. */
  mayLogIn?: (username: string) => boolean
}

/** What needs to know how complex a new password has to be. */
export interface RuledAccounts extends Accounts {
  rules: PasswordRules
}

/** The queue place for a password hash: authenticated callers take turns among themselves, unaffected by strangers. */
export const proven = (by: Principal | undefined): From => {
  const account = ownAccount(by)
  return { address: account?.id ?? '', known: account !== undefined }
}

export const ended = () => new ApiError('unauthenticated', 'The token has ended')

/** Gives an account a new password. Ends its sessions and tokens, and the one-time password. */
export function replaceHash(user: StoredUser, hash: string): StoredUser {
  user.hash = hash
  delete user.one_time
  user.generation += 1
  user.ended = []
  user.updated_at = new Date().toISOString()
  return user
}
