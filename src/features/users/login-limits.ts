// Limits password guessing. An address that proved an account before is only delayed by its own guesses at that
// account; all others share the account's turns, so that strangers, however many, can delay each other but never the
// owner.
import { join } from 'node:path'
import { AccountTurns } from '../../auth/account-turns.ts'
import { BackOff, canonicalAddress } from '../../auth/back-off.ts'
import type { Clock } from '../../auth/clock.ts'
import type { KnownAddresses } from '../../auth/known-addresses.ts'
import type { From } from '../../auth/password.ts'
import type { StoredUser } from '../../auth/users.ts'
import { tooMany } from '../../errors.ts'
import type { Folders } from '../../folders.ts'

/**
 * Free attempts at one account by strangers, and the milliseconds between later ones: 21 600 a day. After a quarter of
 * an hour without attempts the count starts anew.
 */
const FREE = 20
const PACE = 4_000

/** An attempt to log in from one address. */
export interface Attempt {
  /** Throws the 429 while the address has to wait for its own failures. */
  check: () => void
  /** Waits for the account's turn if the address is unknown; throws the 429 if too many wait. */
  turn: () => Promise<void>
  /** Like `check`, right before the first hash; each further hash counts as another attempt. */
  begin: () => void
  fail: () => void
  succeed: (user: StoredUser) => void
}

export class LoginLimits {
  private readonly known: KnownAddresses
  private readonly addresses: BackOff
  /** Guesses at an account from an address known to it. */
  private readonly pairs: BackOff
  private readonly accounts: BackOff
  private readonly turns: AccountTurns
  /** Guesses at the current password, by the session that sent them. */
  private readonly sessions: BackOff

  constructor(folders: Folders, known: KnownAddresses, clock?: Clock) {
    const counter = (name: string, options = {}) =>
      new BackOff(join(folders.state, `login-${name}.json`), clock, options)
    this.known = known
    this.addresses = counter('addresses')
    this.pairs = counter('known')
    this.accounts = counter('accounts', { free: FREE, longest: PACE })
    this.turns = new AccountTurns(this.accounts)
    this.sessions = counter('sessions')
  }

  /**
   * Throws the 429 while nobody may try from this address: before the name is known, so never for an address from which
   * an account was proven.
   */
  check(address: string): void {
    if (!this.known.isKnown(address)) refuseFor(this.addresses.wait(address))
  }

  attempt(address: string, name: string, account: StoredUser | undefined): Attempt {
    const known = account !== undefined && this.known.isKnownTo(account.id, address)
    const pair = `${canonicalAddress(address)} ${account?.id}`
    const check = () => refuseFor(known ? this.pairs.wait(pair) : this.addresses.wait(address))
    let hashes = 0
    return {
      check,
      turn: async () => {
        if (!known) await this.turns.take(key(name), address)
      },
      begin: () => {
        hashes += 1
        if (hashes === 1) return check()
        // The extra hash of an accented password costs a stranger another attempt.
        if (known) return
        this.accounts.fail(key(name))
        this.addresses.fail(address)
      },
      fail: () => {
        this.addresses.fail(address)
        if (known) this.pairs.fail(pair)
      },
      succeed: (user) => {
        this.addresses.succeed(address)
        this.pairs.succeed(pair)
        this.note(address, user)
      },
    }
  }

  /**
   * An attempt at the caller's own password, counted per token or session, so that others cannot make the caller wait.
   */
  ownAttempt(address: string, proof: string): Pick<Attempt, 'check' | 'fail'> {
    return {
      check: () => refuseFor(this.sessions.wait(proof)),
      fail: () => {
        this.sessions.fail(proof)
        this.addresses.fail(address)
      },
    }
  }

  /** The account was proven from this address: it stays known even if the password has just been changed. */
  note(address: string, { id, generation }: StoredUser): void {
    this.known.note(address, { account: id, version: String(generation) })
  }

  /** The queue place of an address for hashing a password. */
  from(address: string): From {
    return { address, known: this.known.isKnown(address) }
  }

  /** Refuses all waiting attempts: the server stops. */
  hangUp(): void {
    this.turns.close()
  }

  save(): void {
    for (const counter of [this.addresses, this.pairs, this.accounts, this.sessions]) counter.save()
  }
}

function refuseFor(seconds: number): void {
  if (seconds > 0) throw tooMany('failed logins', seconds)
}

/**
 * All names that no account can have share one counter, so that invented names do not push out the counters of real
 * ones.
 */
const key = (name: string) => (/^[A-Za-z0-9._-]{3,32}$/.test(name) ? name.toLowerCase() : '?')
