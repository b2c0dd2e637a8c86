// Addresses from which an account or the API token was proven: by a log-in, a JWT or a console session. Strangers'
// failures must not delay them. Whether the proof is still valid (the account exists with the same password) is checked
// at each use, never remembered.
import * as z from 'zod'
import { readJson } from '../store/atomic.ts'
import { LazyFile } from '../store/lazy-file.ts'
import { canonicalAddress } from './back-off.ts'
import { CLOCK, type Clock, shiftSince, Written, writtenNow } from './clock.ts'

/** Milliseconds after which an unused address is forgotten. */
const KEEP = 90 * 86_400_000
/** Milliseconds between two updates of the same address, to spare the disk. */
const FRESH = 3_600_000
const MOST = 4096
/** Limit per account, so that one cannot push out the addresses of others. */
export const MOST_OF_ONE = 32
/** Milliseconds until a new address is written to the disk. */
const DELAY = 1000

/** The account known at an address: its id, or `token`; and the version for which that holds. */
export interface Proof {
  account: string
  /** Changes with the account's password, state and role, or is the API token's key. */
  version: string
}

interface Known {
  version: string
  /** Steady milliseconds. */
  seen: number
}

const Saved = z.object({
  written: Written,
  known: z.array(z.tuple([z.string(), z.string(), z.string(), z.number()])),
})

export interface KnownAddressesOptions {
  /** Keeps them across a restart; without it they live in memory. */
  file?: string
  clock?: Clock
  /** Whether an account is unchanged since it was proven. */
  stands: (proof: Proof) => boolean
}

export class KnownAddresses {
  /** By account, the least recently noted address first. */
  private readonly accounts = new Map<string, Map<string, Known>>()
  /** The same by address. */
  private readonly addresses = new Map<string, Set<string>>()
  private readonly clock: Clock
  private readonly stands: (proof: Proof) => boolean
  private readonly saved: LazyFile
  private size = 0

  constructor({ file, clock = CLOCK, stands }: KnownAddressesOptions) {
    this.clock = clock
    this.stands = stands
    this.saved = new LazyFile(file, () => this.render(), DELAY)
    const found = Saved.safeParse(file ? readJson(file) : undefined).data
    const shift = found ? shiftSince(found.written, clock) : 0
    for (const [address, account, version, seen] of found?.known ?? [])
      this.put(account, address, { version, seen: Math.min(seen + shift, clock.steady()) })
  }

  /** The account was just proven from this address. */
  note(address: string, { account, version }: Proof): void {
    const key = canonicalAddress(address)
    const now = this.clock.steady()
    const known = this.accounts.get(account)?.get(key)
    if (known?.version === version && now - known.seen < FRESH) return
    this.put(account, key, { version, seen: now })
    this.saved.soon()
  }

  /** Whether any account was proven from this address. */
  isKnown(address: string): boolean {
    if (this.size === 0) return false
    for (const account of this.addresses.get(canonicalAddress(address)) ?? [])
      if (this.isKnownTo(account, address)) return true
    return false
  }

  isKnownTo(account: string, address: string): boolean {
    const known = this.accounts.get(account)?.get(canonicalAddress(address))
    return known !== undefined && this.counts(account, known)
  }

  /** Writes unsaved changes now. */
  save(): void {
    this.saved.save()
  }

  private counts(account: string, { version, seen }: Known): boolean {
    return this.clock.steady() - seen < KEEP && this.stands({ account, version })
  }

  private put(account: string, address: string, known: Known): void {
    this.drop(account, address)
    const mine = this.accounts.get(account) ?? new Map<string, Known>()
    if (mine.size >= MOST_OF_ONE) this.drop(account, mine.keys().next().value)
    else if (this.size >= MOST) this.makeRoom()
    // Making room may have removed the account's last address.
    this.accounts.set(account, mine.set(address, known))
    this.addresses.set(address, (this.addresses.get(address) ?? new Set()).add(account))
    this.size += 1
  }

  private drop(account: string, address: string | undefined): void {
    const mine = this.accounts.get(account)
    if (address === undefined || !mine?.delete(address)) return
    this.size -= 1
    if (mine.size === 0) this.accounts.delete(account)
    const there = this.addresses.get(address)
    there?.delete(account)
    if (there?.size === 0) this.addresses.delete(address)
  }

  /** Drops an invalid entry, or else the least recently noted one. */
  private makeRoom(): void {
    let oldest: { account: string; address: string; seen: number } | undefined
    for (const [account, mine] of this.accounts) {
      const [address, known] = mine.entries().next().value ?? []
      if (address === undefined || !known) continue
      const seen = this.counts(account, known) ? known.seen : Number.NEGATIVE_INFINITY
      if (!oldest || seen < oldest.seen) oldest = { account, address, seen }
    }
    if (oldest) this.drop(oldest.account, oldest.address)
  }

  private render(): string {
    const known = [...this.accounts].flatMap(([account, mine]) =>
      [...mine]
        .filter(([, one]) => this.counts(account, one))
        .map(([address, { version, seen }]) => [address, account, version, Math.floor(seen)]),
    )
    return `${JSON.stringify({ written: writtenNow(this.clock), known })}\n`
  }
}
