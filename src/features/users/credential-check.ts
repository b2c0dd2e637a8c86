// Checks a name and a password sent with each request, with the limits and the queue of log-ins, and without a hash if
// the password was right a moment ago. An answer without a hash must not let anyone guess faster than the limits allow.
import { canonicalAddress } from '../../auth/back-off.ts'
import type { Clock } from '../../auth/clock.ts'
import { type NamedPassword, ProvenPasswords } from '../../auth/credentials.ts'
import type { Principal } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import type { Accounts } from './accounts.ts'
import { logIn } from './login.ts'
import type { LoginLimits } from './login-limits.ts'

export interface CredentialCheckOptions {
  accounts: Accounts
  limits: LoginLimits
  /** Seconds, as for a session. */
  idle: () => number
  clock: Clock
}

export class CredentialCheck {
  private readonly accounts: Accounts
  private readonly limits: LoginLimits
  private readonly proven: ProvenPasswords
  /** Attempts at one account from one address run one at a time. */
  private readonly turns = new KeyedMutex()

  constructor({ accounts, limits, idle, clock }: CredentialCheckOptions) {
    this.accounts = accounts
    this.limits = limits
    this.proven = new ProvenPasswords(idle, clock)
  }

  /**
   * The caller that a name and a password prove; undefined if they are wrong. Synchronous if the password was right a
   * moment ago. Throws the 429 of log-ins while the address has to wait.
   */
  check(given: NamedPassword, address: string): Principal | undefined | Promise<Principal | undefined> {
    const turn = `${given.username.toLowerCase()} ${canonicalAddress(address)}`
    // A right password waits behind a guess that is still being hashed: otherwise it alone of a thousand guesses sent
    // at once would be answered at once.
    return this.turns.has(turn)
      ? this.inTurn(turn, given, address)
      : (this.known(given, address) ?? this.inTurn(turn, given, address))
  }

  /** The caller, if no hash is needed. */
  private known({ username, password }: NamedPassword, address: string): Principal | undefined {
    const user = this.accounts.users.byName(username)
    this.limits.attempt(address, username, user).check()
    if (!user?.active || this.accounts.mayLogIn?.(user.username) === false) return undefined
    return this.proven.has(user, password, address) ? principalOf(user) : undefined
  }

  private async inTurn(turn: string, given: NamedPassword, address: string): Promise<Principal | undefined> {
    const release = await this.turns.take([turn])
    try {
      return this.known(given, address) ?? (await this.prove(given, address))
    } finally {
      release()
    }
  }

  private async prove(given: NamedPassword, address: string): Promise<Principal | undefined> {
    const { users } = this.accounts
    const user = await logIn(this.accounts, this.limits, { ...given, address })
    if (user) this.proven.add(user, given.password, address, users.all())
    return user && principalOf(user)
  }
}

const principalOf = ({ id, username, generation, role }: StoredUser): Principal => ({
  account: { id, name: username, generation },
  ...{ role, via: 'password' },
})
