// Sessions of the console: what a browser's cookie stands for, kept as its SHA-256 in `<state>/sessions.json`, so that a restart of the
// server signs nobody out. The trap: a session is only as good as what began it; whether the account or the token still stands is asked
// at each request, never remembered.
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { type Boot, newTokenId } from './boots.ts'
import type { Clock } from './clock.ts'
import { inForce } from './in-force.ts'
import type { Principal, Session } from './principal.ts'
import type { StoredUser } from './users.ts'

/** Seconds from signing in to the end, whatever happens in between. */
export const LONGEST = 12 * 3600
export const MOST = 64
export const MOST_OF_ONE = 16
/** Seconds between two writes that only say that a session was used. */
const SAVE_EVERY = 60
/** Seconds that the clock may be set back over a boot before a session ends: further, and nothing says its age any more. */
const SKEW = 60

export interface SessionsOptions {
  file: string
  /** Seconds without a request. */
  idle: number
  users: () => readonly StoredUser[]
  /** The key of the API token in force. */
  tokenKey: () => string | undefined
  clock: Clock
  boot: Boot
  warn: (text: string, error?: unknown) => void
}

interface Stored {
  id: string
  /** SHA-256 of the cookie's value. */
  cookie: string
  /** Seconds since 1970. */
  began: number
  seen: number
  /** The same by the steady clock of `boot`: what counts while that lasts. */
  boot: string
  up: number
  used: number
  /** Of an account. */
  user?: string
  generation?: number
  /** Of the API token: SHA-256 of its key. */
  key?: string
}

/** A session that is in force. */
export interface OpenSession {
  id: string
  principal: Principal
  /** What every change has to carry in a header: only who may read our answers knows it. */
  csrf: string
  /** Seconds since 1970. */
  expires: number
  /** Whether the account still has the password of the first start. */
  oneTime: boolean
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
export const csrfOf = (value: string) => sha256(`csrf:${value}`)

export class ConsoleSessions {
  private readonly options: SessionsOptions
  /** By the digest of their cookie, the oldest first. */
  private readonly sessions = new Map<string, Stored>()
  /** What changes of each session carry, by its id: made of the cookie's value, which is known only while a request brings it. */
  private readonly csrf = new Map<string, string>()
  private saved = Number.NEGATIVE_INFINITY

  constructor(options: SessionsOptions) {
    this.options = options
    const found = readJson(options.file)
    // Damaged, it costs everybody another sign-in, and lets nobody in.
    for (const one of Array.isArray(found) ? found : [])
      if (isStored(one)) this.sessions.set(one.cookie, this.inThisBoot(one))
  }

  get idle(): number {
    return this.options.idle
  }

  /** Begins a session of an account, or of the API token; returns the cookie's value, which is kept nowhere. */
  begin(who: StoredUser | 'token'): string {
    const [now, up] = [this.now(), this.up()]
    const value = randomBytes(32).toString('base64url')
    const key = this.options.tokenKey()
    for (const session of this.sessions.values()) if (!this.principalOf(session)) this.drop(session)
    const mine = [...this.sessions.values()].filter(({ user }) => user === (who === 'token' ? undefined : who.id))
    if (mine.length >= MOST_OF_ONE) this.drop(mine[0])
    if (this.sessions.size >= MOST) this.drop(this.sessions.values().next().value)
    const session: Stored = {
      id: newTokenId(this.options.boot, this.options.clock),
      cookie: sha256(value),
      ...{ began: now, seen: now, boot: this.options.clock.boot, up, used: up },
      ...(who === 'token' ? { key: sha256(key ?? '') } : { user: who.id, generation: who.generation }),
    }
    this.sessions.set(session.cookie, session)
    this.save()
    return value
  }

  /** What the cookie of this value proves now; undefined when nothing, or nothing any more. */
  find(value: string): OpenSession | undefined {
    const session = this.sessions.get(sha256(value))
    if (!session) return undefined
    this.csrf.set(session.id, csrfOf(value))
    const open = this.get(session.id)
    if (open) return open
    this.drop(session)
    this.save()
    return undefined
  }

  /** The session of this id, while it is in force: also for whoever reads for longer than a request takes. */
  get(id: string): OpenSession | undefined {
    const session = this.byId(id)
    const principal = session && this.principalOf(session)
    if (!principal) return undefined
    const account = this.options.users().find(({ id }) => id === session.user)
    const [csrf, expires] = [this.csrf.get(id) ?? '', session.began + LONGEST]
    return { id, principal, csrf, expires, oneTime: account?.one_time === true }
  }

  /** Somebody is there: the time without a request begins anew. */
  touch(id: string): void {
    const session = this.byId(id)
    if (!session) return
    session.seen = this.now()
    session.used = this.up()
    if (session.used - this.saved >= SAVE_EVERY) this.save()
  }

  end(id: string): void {
    this.drop(this.byId(id))
    this.save()
  }

  private now(): number {
    return Math.floor(this.options.clock.wall() / 1000)
  }

  private up(): number {
    return Math.floor(this.options.clock.steady() / 1000)
  }

  /** One that another boot began is as old as the wall's clock says. */
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

  private principalOf(session: Stored): Principal | undefined {
    const { id, began, up, user, generation, key } = session
    const now = this.up()
    // A clock that was set back over a boot must not make a session longer.
    session.used = Math.min(session.used, now)
    if (now >= up + LONGEST || now < up - SKEW || now - session.used >= this.options.idle) return undefined
    const own: Session = { id, expires: began + LONGEST, until: (up + LONGEST) * 1000 }
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
    if (!session) return
    this.sessions.delete(session.cookie)
    this.csrf.delete(session.id)
  }

  private save(): void {
    this.saved = this.up()
    try {
      writeAtomic(this.options.file, `${JSON.stringify([...this.sessions.values()])}\n`, 0o600)
    } catch (error) {
      this.options.warn('the sessions of the console could not be stored', error)
      // A session that has ended must not come back with the next start, so none does; those that are here go on.
      try {
        rmSync(this.options.file, { force: true })
      } catch {
        // A disk that takes nothing: it was said above.
      }
    }
  }
}

function isStored(value: unknown): value is Stored {
  const { id, cookie, began, seen, user, generation, key } = (value ?? {}) as Record<string, unknown>
  const isText = (one: unknown) => typeof one === 'string' && one !== ''
  if (!isText(id) || !isText(cookie) || !Number.isSafeInteger(began) || !Number.isSafeInteger(seen)) return false
  return user === undefined ? isText(key) : isText(user) && Number.isSafeInteger(generation)
}
