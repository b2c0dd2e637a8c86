// Callers change their own password. As in users.ts, everything is checked again once the new password is hashed.
import { inForce } from '../../auth/in-force.ts'
import type { Principal } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import { invalid, raise } from '../../errors.ts'
import { ended, proven, type RuledAccounts, replaceHash } from './accounts.ts'
import type { LoginLimits } from './login-limits.ts'

export interface OwnPassword {
  by: Principal | undefined
  current: string
  password: string
  /** The peer's address. */
  address: string
}

/**
 * Changes the caller's own password, whatever the role. Ends every token of the account, including the one of this
 * request. Throws if `current` is not the password, which counts as a failed login of `address`.
 */
export async function changeOwnPassword(
  { users, passwords, rules }: RuledAccounts,
  limits: LoginLimits,
  { by, current, password, address }: OwnPassword,
): Promise<StoredUser> {
  const before = inForce(by, users.all()) ?? raise(ended())
  const attempt = limits.ownAttempt(address, by?.session?.id ?? before.id)
  const right = await passwords.verify(current, before.hash, attempt.check, proven(by))
  if (!right) {
    attempt.fail()
    throw invalid('This is not the current password', { details: { field: 'current' } })
  }
  rules.check(password, before.username)
  const hash = await passwords.hash(password, proven(by))
  const changed = users.change((all) => {
    const user = inForce(by, all) ?? raise(ended())
    return replaceHash(user, hash)
  })
  limits.note(address, changed)
  return changed
}
