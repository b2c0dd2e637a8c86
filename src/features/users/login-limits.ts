// What keeps passwords from being guessed. An address that proved an account before answers for its own guesses at it alone; all others share
// the account's turns, so that strangers, however many, can delay each other and never its owner.
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
 * Attempts on one account that strangers have for nothing, and the milliseconds between two of all later ones: 21 600 a day. After a quarter
 * of an hour without any they begin anew.
 */
const FREE = 20
const PACE = 4_000

/** One attempt to log in, from one address. */
export interface Attempt {
  /** Throws the 429 while the address has to wait for what it did itself. */
  check: () => void
  /** Waits for the account's turn, where the address is a stranger's; throws the 429 when too many wait. */
  turn: () => Promise<void>
  /** As `check`, right before the first hash; those after it are attempts of their own. */
  begin: () => void
  fail: () => void
  succeed: (user: StoredUser) => void
}

export class LoginLimits {
  private readonly known: KnownAddresses
  private readonly addresses: BackOff
  /** Of an address that is known to an account, what it guessed at this one. */
  private readonly pairs: BackOff
  private readonly accounts: BackOff
  private readonly turns: AccountTurns
  /** Guesses at the current password, by the session that they came with. */
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

  /** Throws the 429 while nobody of this address may try: before the name is known, and so never for one that somebody proved himself from. */
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
        // Accents cost a stranger what they cost us.
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

  /** An attempt at the caller's own password, counted by the token or session that he has already: nobody else can make him wait. */
  ownAttempt(address: string, proof: string): Pick<Attempt, 'check' | 'fail'> {
    return {
      check: () => refuseFor(this.sessions.wait(proof)),
      fail: () => {
        this.sessions.fail(proof)
        this.addresses.fail(address)
      },
    }
  }

  /** The account was proven from there: it keeps its place where its password has just been changed, too. */
  note(address: string, { id, generation }: StoredUser): void {
    this.known.note(address, { account: id, version: String(generation) })
  }

  /** For whom a password is hashed. */
  from(address: string): From {
    return { address, known: this.known.isKnown(address) }
  }

  /** Refuses all who wait: the server stops. */
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

/** A name that no account can have counts as one, so that made-up names do not push out the counters of real ones. */
const key = (name: string) => (/^[A-Za-z0-9._-]{3,32}$/.test(name) ? name.toLowerCase() : '?')
