// Accounts: users.json with its one-time password, the tokens and their secret, and the limits on guessing. Loaded only
// if an enabled surface needs accounts, because opening them creates these files.
import type { Boot } from '../auth/boots.ts'
import type { Clock } from '../auth/clock.ts'
import { readSecret, Tokens } from '../auth/jwt.ts'
import type { KnownAddresses } from '../auth/known-addresses.ts'
import { Passwords } from '../auth/password.ts'
import { UserStore } from '../auth/users.ts'
import type { RuledAccounts } from '../features/users/accounts.ts'
import { LoginLimits } from '../features/users/login-limits.ts'
import { PasswordRules } from '../features/users/password-rules.ts'
import type { Folders } from '../folders.ts'

export interface Accounts extends RuledAccounts {
  mayLogIn: (username: string) => boolean
  /** Issues tokens at log-in, and checks them on later requests. */
  tokens: Tokens
  limits: LoginLimits
}

/** Throws when the accounts file is damaged: the server must not open its port without it. */
export function openUsers(folders: Folders, warn: (text: string) => void): UserStore {
  const users = new UserStore(folders)
  const oneTime = users.prepare()
  if (oneTime) warn(`the one-time password of "admin" is in ${oneTime}`)
  return users
}

export interface AccountsOptions {
  folders: Folders
  users: UserStore
  known: KnownAddresses
  /** Whether the account `root` may use its password. */
  permitsRoot: () => boolean
  clock: Clock
  boot: Boot
}

export const createAccounts = ({ folders, users, known, permitsRoot, clock, boot }: AccountsOptions): Accounts => ({
  users,
  passwords: new Passwords(),
  rules: new PasswordRules(folders),
  mayLogIn: (username) => username.toLowerCase() !== 'root' || permitsRoot(),
  tokens: new Tokens(readSecret(folders), users, clock, boot),
  limits: new LoginLimits(folders, known, clock),
})
