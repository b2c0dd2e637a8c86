// What every verb about accounts works with, and what they say of a caller whose proof is over.
import type { From, Passwords } from '../../auth/password.ts'
import { ownAccount, type Principal } from '../../auth/principal.ts'
import type { UserStore } from '../../auth/users.ts'
import { ApiError } from '../../errors.ts'

export interface Accounts {
  users: UserStore
  passwords: Passwords
}

/** For whom a password is hashed: callers who have proven an account take turns among themselves, whatever strangers do. */
export const proven = (by: Principal | undefined): From => {
  const account = ownAccount(by)
  return { address: account?.id ?? '', known: account !== undefined }
}

export const ended = () => new ApiError('unauthenticated', 'The token has ended')
