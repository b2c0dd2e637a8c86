// Who is signed in, what this appliance can do, and whether it responds. A session ends on the server first (idle,
// another password, signed out elsewhere), so the server is always asked.
import { Store } from './store.ts'

export type Role = 'viewer' | 'operator' | 'administrator'
const ROLES: Role[] = ['viewer', 'operator', 'administrator']

export interface SignedIn {
  name: string
  role: Role
  via: 'account' | 'token'
  csrf: string
  idle_seconds: number
  expires_at: string
  /** Still has the one-time password from the first start. */
  one_time: boolean
}

export interface SessionState {
  version: string
  controller: boolean
  confirm_destroy: boolean
  file_vdevs: boolean
  /** The optional endpoints of the admin API that are enabled. */
  endpoints: string[]
  first_run: { phrase: boolean; password: boolean } | null
  session: SignedIn | null
}

export const session = new Store<SessionState>({
  version: '',
  controller: false,
  confirm_destroy: false,
  file_vdevs: false,
  endpoints: [],
  first_run: null,
  session: null,
})
/** `asking` until the first response. */
export const connection = new Store<'asking' | 'up' | 'lost'>('asking')
/** True while signing out: nothing that would send requests is shown then. */
export const leaving = new Store(false)
/** The notice above the form of the sign-in page. */
export const signInNotice = new Store('')

let asking: Promise<void> | undefined

/** Asks the server who is signed in; concurrent calls share one request. */
export function refreshSession(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = undefined
  })
  return asking
}

async function ask(): Promise<void> {
  try {
    const response = await fetch('/console/session', { cache: 'no-store', headers: { 'X-Background': '1' } })
    if (!response.ok) throw new Error(String(response.status))
    setSession((await response.json()) as SessionState)
    connection.set('up')
  } catch {
    connection.set('lost')
  }
}

export function setSession(next: SessionState): void {
  if (session.get().session && !next.session && signInNotice.get() === '')
    signInNotice.set('Your session has ended. Sign in again.')
  if (next.session) signInNotice.set('')
  session.set(next)
}

/** Whether the signed-in user has at least this role. */
export function may(role: Role): boolean {
  const own = session.get().session?.role
  return own !== undefined && ROLES.indexOf(own) >= ROLES.indexOf(role)
}

/** Whether storage and accounts are available: they need an account, not the API token. */
export const hasController = (): boolean => session.get().controller && session.get().session?.via === 'account'
export const hasEndpoint = (name: string): boolean => session.get().endpoints.includes(name)
