// Sessions, however a surface transports them (a cookie, a header): kept as digests in one file, so that a restart of
// the server signs nobody out. Whether the session's account or token is still valid is checked at each request.
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import * as z from 'zod'
import { FileStore } from '../store/file-store.ts'
import type { Store } from '../store/store.ts'
import { type Boot, newTokenId } from './boots.ts'
import type { Clock } from './clock.ts'
import { inForce } from './in-force.ts'
import type { Principal, Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** Maximum seconds from the beginning to the end of a session, where the dialect sets no other. */
export const LONGEST = 12 * 3600
/** Sessions of everybody, and of one account, where the dialect sets no other number. */
export const MOST = 64
export const MOST_OF_ONE = 16
/** Seconds between two writes that only record the use of a session. */
const SAVE_EVERY = 60
/** Seconds that the clock may be set back across a boot before a session ends: beyond that its age is unknown. */
const SKEW = 60

export interface SessionStoreOptions {
  file: string
  /** Seconds without a request. Asked at each request: a new value applies to the sessions that exist. */
  idle: () => number
  /** Seconds from the beginning to the end of a session; `Infinity` where only its idle time ends it. */
  longest?: number
  /** How many there may be, and how many of one account: a further one ends the one that was not used for longest. */
  most?: number
  mostOfOne?: number
  /** Makes the client's secret. It must not be guessable: at least 128 random bits. */
  secret?: () => string
  users: () => readonly StoredUser[]
  /** The key of the current API token. */
  tokenKey: () => string | undefined
  clock: Clock
  boot: Boot
  /** Called when the sessions could not be written to the file. */
  unsaved: (error: unknown) => void
  /** Called with the id of each session that is dropped. */
  ended?: (id: string) => void
}

interface Stored {
  id: string
  /** SHA-256 of the client's secret. The name is from the time when that was always a cookie. */
  cookie: string
  /** Seconds since 1970. */
  began: number
  seen: number
  /** The same by the steady clock of `boot`, which counts during that boot. */
  boot: string
  up: number
  used: number
  /** For a session of an account. */
  user?: string
  generation?: number
  /** For a session of the API token: SHA-256 of its key. */
  key?: string
}

/** A valid session. */
export interface OpenSession {
  id: string
  principal: Principal
  /** Seconds since 1970. */
  expires: number
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

export class SessionStore {
  private readonly options: SessionStoreOptions
  /** By the digest of the client's secret, the oldest first. */
  private readonly sessions = new Map<string, Stored>()
  private readonly stored: Store<Stored>
  private saved = Number.NEGATIVE_INFINITY

  constructor(options: SessionStoreOptions) {
    this.options = options
    this.stored = new FileStore({
      file: options.file,
      schema: z.custom<Stored>(isStored),
      keyOf: ({ id }) => id,
      // A damaged file makes everybody sign in again, and lets nobody in.
      damaged: 'skip',
      soleWriter: true,
    })
    for (const one of this.stored.all()) this.sessions.set(one.cookie, this.inThisBoot(one))
  }

  get idle(): number {
    return this.options.idle()
  }

  private get longest(): number {
    return this.options.longest ?? LONGEST
  }

  /** Begins a session of an account or of the API token. Resolves to the client's secret, which is not stored. */
  async begin(who: StoredUser | 'token'): Promise<string> {
    const [now, up] = [this.now(), this.up()]
    const value = this.options.secret?.() ?? randomBytes(32).toString('base64url')
    const key = this.options.tokenKey()
    for (const session of this.sessions.values()) if (!this.principalOf(session)) this.drop(session)
    const mine = [...this.sessions.values()].filter(({ user }) => user === (who === 'token' ? undefined : who.id))
    if (mine.length >= (this.options.mostOfOne ?? MOST_OF_ONE)) this.drop(leastUsed(mine))
    if (this.sessions.size >= (this.options.most ?? MOST)) this.drop(leastUsed([...this.sessions.values()]))
    const session: Stored = {
      id: newTokenId(this.options.boot, this.options.clock),
      cookie: sha256(value),
      ...{ began: now, seen: now, boot: this.options.clock.boot, up, used: up },
      ...(who === 'token' ? { key: sha256(key ?? '') } : { user: who.id, generation: who.generation }),
    }
    this.sessions.set(session.cookie, session)
    await this.save()
    return value
  }

  /** The session for a client's secret; undefined if there is none, or it has ended. */
  find(value: string): OpenSession | undefined {
    const session = this.sessions.get(sha256(value))
    if (!session) return undefined
    const open = this.open(session)
    if (open) return open
    this.drop(session)
    void this.save()
    return undefined
  }

  /** The session with this id while it is valid; also for streams, which outlast a request. */
  get(id: string): OpenSession | undefined {
    const session = this.byId(id)
    return session && this.open(session)
  }

  /** The client was active: its idle time starts anew. */
  touch(id: string): void {
    const session = this.byId(id)
    if (!session) return
    session.seen = this.now()
    session.used = this.up()
    if (session.used - this.saved >= Math.min(SAVE_EVERY, this.idle / 4)) void this.save()
  }

  async end(id: string): Promise<void> {
    this.drop(this.byId(id))
    await this.save()
  }

  /** Drops what has ended, so that a longer idle time does not bring it back. */
  async sweep(): Promise<void> {
    for (const session of this.sessions.values()) if (!this.principalOf(session)) this.drop(session)
    await this.save()
  }

  /** Ends all sessions of an account. */
  async endAll(account: string): Promise<void> {
    for (const session of this.sessions.values()) if (session.user === account) this.drop(session)
    await this.save()
  }

  private now(): number {
    return Math.floor(this.options.clock.wall() / 1000)
  }

  private up(): number {
    return Math.floor(this.options.clock.steady() / 1000)
  }

  /** The age of a session from another boot is taken from the wall clock. */
  private inThisBoot(one: Stored): Stored {
    const { clock } = this.options
    if (one.boot === clock.boot) return one
    const shift = this.up() - this.now()
    return { ...one, boot: clock.boot, up: one.began + shift, used: one.seen + shift }
  }

  private byId(id: string): Stored | undefined {
    for (const session of this.sessions.values()) if (session.id === id) return session
    return undefined
  }

  private open(session: Stored): OpenSession | undefined {
    const principal = this.principalOf(session)
    return principal && { id: session.id, principal, expires: session.began + this.longest }
  }

  private principalOf(session: Stored): Principal | undefined {
    const { id, began, up, user, generation, key } = session
    const now = this.up()
    // A clock that was set back across a boot must not extend a session.
    session.used = Math.min(session.used, now)
    if (now >= up + this.longest || now < up - SKEW || now - session.used >= this.idle) return undefined
    const own: Session = { id, expires: began + this.longest, until: (up + this.longest) * 1000 }
    if (user === undefined || generation === undefined) {
      const current = this.options.tokenKey()
      if (current === undefined || sha256(current) !== key) return undefined
      return { account: 'appliance-token', role: 'administrator', via: 'session', session: own }
    }
    const found = inForce({ account: { id: user, generation }, session: own }, this.options.users())
    const account = found && { id: user, name: found.username, generation }
    return account && { account, role: found.role, via: 'session', session: own }
  }

  private drop(session: Stored | undefined): void {
    if (session && this.sessions.delete(session.cookie)) this.options.ended?.(session.id)
  }

  private async save(): Promise<void> {
    this.saved = this.up()
    try {
      await this.stored.change((all) => void all.splice(0, all.length, ...this.sessions.values()))
    } catch (error) {
      this.options.unsaved(error)
      // An ended session must not come back at the next start, so a failed write removes the file; sessions in memory
      // go on.
      try {
        rmSync(this.options.file, { force: true })
      } catch {
        // The disk refuses all writes; already reported through `unsaved` above.
      }
    }
  }
}

const leastUsed = (all: Stored[]) =>
  all.reduce<Stored | undefined>((one, next) => (one && one.used <= next.used ? one : next), undefined)

function isStored(value: unknown): value is Stored {
  const { id, cookie, began, seen, user, generation, key } = (value ?? {}) as Record<string, unknown>
  const isText = (one: unknown) => typeof one === 'string' && one !== ''
  if (!isText(id) || !isText(cookie) || !Number.isSafeInteger(began) || !Number.isSafeInteger(seen)) return false
  return user === undefined ? isText(key) : isText(user) && Number.isSafeInteger(generation)
}
