// Names and passwords sent with every request (Basic, or headers of a dialect), and a cache of those that were right:
// hashing takes a tenth of a second, so a right password is hashed once and then recognized by a digest until it has
// been unused for a while.
import { createHmac, randomBytes } from 'node:crypto'
import { canonicalAddress } from './back-off.ts'
import type { Clock } from './clock.ts'
import { LONGEST } from './session-store.ts'
import type { StoredUser } from './users.ts'

export interface NamedPassword {
  username: string
  password: string
}

const BASIC = /^[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]{1,8192}={0,2})$/

/**
 * The credentials in an Authorization header of the Basic scheme (RFC 7617, in UTF-8); undefined for any other header.
 */
export function readBasic(header: string | undefined): NamedPassword | undefined {
  const encoded = BASIC.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'))
  } catch {
    return undefined
  }
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

export const MOST_PROVEN = 256

interface Proven {
  account: string
  generation: number
  /** Steady seconds. */
  since: number
  used: number
}

/**
 * Passwords that were right, as digests under a key of this process. The digest includes the address: a password proven
 * from one address must not let a guesser at another find out, without a hash and its limits, that a guess is right.
 */
export class ProvenPasswords {
  private readonly key = randomBytes(32)
  /** By digest, the least recently used first. */
  private readonly proven = new Map<string, Proven>()
  private readonly idle: () => number
  private readonly clock: Clock

  /** `idle`: seconds without use after which a password is hashed again. */
  constructor(idle: () => number, clock: Clock) {
    this.idle = idle
    this.clock = clock
  }

  /** Whether this password of this account was right recently, from this address. */
  has(user: StoredUser, password: string, address: string): boolean {
    const digest = this.digest(user, password, address)
    const found = this.proven.get(digest)
    if (!found) return false
    this.proven.delete(digest)
    if (this.isOver(found)) return false
    this.proven.set(digest, { ...found, used: this.now() })
    return true
  }

  /** Remembers a right password. `users` are all accounts: entries of accounts that have changed are dropped. */
  add(user: StoredUser, password: string, address: string, users: readonly StoredUser[]): void {
    const stands = new Map(users.map(({ id, generation }) => [id, generation]))
    for (const [digest, one] of this.proven)
      if (this.isOver(one) || stands.get(one.account) !== one.generation) this.proven.delete(digest)
    if (this.proven.size >= MOST_PROVEN) this.proven.delete(this.proven.keys().next().value ?? '')
    const [account, now] = [{ account: user.id, generation: user.generation }, this.now()]
    this.proven.set(this.digest(user, password, address), { ...account, since: now, used: now })
  }

  get size(): number {
    return this.proven.size
  }

  /** Includes the stored hash: a person who edits users.json by hand may forget the generation. */
  private digest({ id, generation, hash }: StoredUser, password: string, address: string): string {
    const identity = JSON.stringify([id, generation, hash, password, canonicalAddress(address)])
    return createHmac('sha256', this.key).update(identity).digest('base64')
  }

  private isOver({ since, used }: Proven): boolean {
    const now = this.now()
    return now - used >= this.idle() || now - since >= LONGEST
  }

  private now(): number {
    return Math.floor(this.clock.steady() / 1000)
  }
}
