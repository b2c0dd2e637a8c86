// Who is calling, for every surface alike: each way to prove it (token, hash, JWT, session, password) ends in a Principal.
import { accountLabel } from './actor-words.ts'

/** From least to most: each role may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'administrator'] as const
export type Role = (typeof ROLES)[number]

/** An account as it was when the caller proved it. */
export interface Account {
  id: string
  name: string
  /** Another number at the account ends everything that was proven before (a new password, role or state). */
  generation: number
}

/** One JWT, or one session of a browser or a client. */
export interface Session {
  /** Says when it was issued. */
  id: string
  /** Seconds since 1970. */
  expires: number
  /** Steady milliseconds until which it counts. */
  until: number
}

export interface Principal {
  account: Account | 'appliance-token' | 'metrics-token'
  role: Role
  /** Confines the caller to these scopes (projects), each with the role that it has there. Left out, `role` counts everywhere. */
  scopes?: ReadonlyMap<string, Role>
  /** How it was proven. */
  via: 'token' | 'hash' | 'jwt' | 'session' | 'password' | 'metrics'
  /** Where the proof can end by itself: with `jwt` and with `session`. */
  session?: Session
}

/** What an endpoint asks for: a role, and where it has to be held. */
export interface Needed {
  role: Role
  /** A project, say. Left out, it is the appliance itself, which callers confined to scopes may not touch. */
  scope?: string
}

/** The account of a caller who has one. */
export const ownAccount = (principal: Principal | undefined): Account | undefined =>
  typeof principal?.account === 'object' ? principal.account : undefined

/** What the audit log knows the caller by: the account's id, or a word for each of the two tokens. */
export function accountOf(principal: Principal): string
export function accountOf(principal: Principal | undefined): string | undefined
export function accountOf(principal: Principal | undefined): string | undefined {
  if (!principal) return undefined
  const { account } = principal
  if (typeof account === 'object') return account.id
  return account === 'appliance-token' ? 'token' : account
}

/** The name that the audit log shows: an account's, or `admin`, which is what the original calls the appliance's token. */
export function nameOf(principal: Principal): string
export function nameOf(principal: Principal | undefined): string | undefined
export function nameOf(principal: Principal | undefined): string | undefined {
  if (!principal) return undefined
  const { account } = principal
  if (typeof account === 'object') return account.name
  return account === 'appliance-token' ? 'admin' : 'metrics'
}

/** How the caller is shown beside a task: an account by its name, the token by that word, since an account may be called `admin`. */
export function callerName(principal: Principal | undefined): string {
  if (!principal) return 'nobody'
  const account = ownAccount(principal)
  return account ? accountLabel(account.name) : 'token'
}

export function mayAct({ role, scopes }: Pick<Principal, 'role' | 'scopes'>, needed: Role, scope?: string): boolean {
  const held = !scopes ? role : scope === undefined ? undefined : scopes.get(scope)
  return held !== undefined && ROLES.indexOf(held) >= ROLES.indexOf(needed)
}
