// The console's sessions: those of `sessions.json`, each with the CSRF token that its browser needs besides the cookie.
import { createHash } from 'node:crypto'
import { ownAccount } from './principal.ts'
import { type OpenSession, SessionStore, type SessionStoreOptions } from './session-store.ts'
import type { StoredUser } from './users.ts'

export interface ConsoleSessionsOptions extends Omit<SessionStoreOptions, 'idle' | 'unsaved' | 'ended'> {
  /** Seconds without a request. */
  idle: number
  warn: (text: string, error?: unknown) => void
}

/** A valid session of the console. */
export interface ConsoleSession extends OpenSession {
  /**
   * Must be sent in a header with every change: a page of another site cannot read our answers, and so does not know
   * it.
   */
  csrf: string
  /** Whether the account still has its one-time password. */
  oneTime: boolean
}

export const csrfOf = (value: string) => createHash('sha256').update(`csrf:${value}`).digest('hex')

export class ConsoleSessions {
  private readonly store: SessionStore
  private readonly users: () => readonly StoredUser[]
  /** By session id. Derived from the cookie's value, which is known only during a request. */
  private readonly csrf = new Map<string, string>()

  constructor({ warn, ...options }: ConsoleSessionsOptions) {
    this.users = options.users
    this.store = new SessionStore({
      ...options,
      idle: () => options.idle,
      unsaved: (error) => warn('the sessions of the console could not be stored', error),
      ended: (id) => this.csrf.delete(id),
    })
  }

  /** Seconds without a request. */
  get idle(): number {
    return this.store.idle
  }

  /** Begins a session of an account or of the API token; resolves to the cookie's value. */
  begin(who: StoredUser | 'token'): Promise<string> {
    return this.store.begin(who)
  }

  /** The session of a cookie's value; undefined if there is none, or it has ended. */
  find(value: string): ConsoleSession | undefined {
    const open = this.store.find(value)
    if (open) this.csrf.set(open.id, csrfOf(value))
    return open && this.complete(open)
  }

  get(id: string): ConsoleSession | undefined {
    const open = this.store.get(id)
    return open && this.complete(open)
  }

  touch(id: string): void {
    this.store.touch(id)
  }

  end(id: string): Promise<void> {
    return this.store.end(id)
  }

  private complete(open: OpenSession): ConsoleSession {
    const account = ownAccount(open.principal)
    const oneTime = this.users().find(({ id }) => id === account?.id)?.one_time === true
    return { ...open, csrf: this.csrf.get(open.id) ?? '', oneTime }
  }
}
