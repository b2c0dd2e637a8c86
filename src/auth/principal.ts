// The authenticated caller, the same for every surface: each kind of proof (token, hash, JWT, session, password)
// results in a Principal.
import { accountLabel } from './actor-words.ts'

/** From least to most: each role includes the rights of the previous ones. */
export const ROLES = ['viewer', 'operator', 'administrator'] as const
export type Role = (typeof ROLES)[number]

/** An account as it was when the caller proved it. */
export interface Account {
  id: string
  name: string
  /** A new number at the account invalidates every earlier proof (after a new password, role or state). */
  generation: number
}

/** A JWT, or a session of a browser or a client. */
export interface Session {
  /** Contains when it was issued. */
  id: string
  /** Seconds since 1970. */
  expires: number
  /** Steady milliseconds until which it is valid. */
  until: number
}

export interface Principal {
  account: Account | 'appliance-token' | 'metrics-token'
  role: Role
  /**
   * Confines the caller to these scopes (projects), each with its role there. If left out, `role` applies everywhere.
   */
  scopes?: ReadonlyMap<string, Role>
  /** The kind of proof. */
  via: 'token' | 'hash' | 'jwt' | 'session' | 'password' | 'metrics'
  /** Set if the proof can end by itself: with `jwt` and with `session`. */
  session?: Session
}

/** What an endpoint requires: a role, and the scope in which it must be held. */
export interface Needed {
  role: Role
  /**
   * A project, for example. If left out, it is the appliance itself, which callers confined to scopes may not touch.
   */
  scope?: string
}

/** The caller's account, if there is one. */
export const ownAccount = (principal: Principal | undefined): Account | undefined =>
  typeof principal?.account === 'object' ? principal.account : undefined

/** The caller's id in the audit log: the account's id, or a word for each of the two tokens. */
export function accountOf(principal: Principal): string
export function accountOf(principal: Principal | undefined): string | undefined
export function accountOf(principal: Principal | undefined): string | undefined {
  if (!principal) return undefined
  const { account } = principal
  if (typeof account === 'object') return account.id
  return account === 'appliance-token' ? 'token' : account
}

/**
 * The caller's name in the audit log: an account's, or `admin`, which is the original's name for the appliance's token.
 */
export function nameOf(principal: Principal): string
export function nameOf(principal: Principal | undefined): string | undefined
export function nameOf(principal: Principal | undefined): string | undefined {
  if (!principal) return undefined
  const { account } = principal
  if (typeof account === 'object') return account.name
  return account === 'appliance-token' ? 'admin' : 'metrics'
}

/** The caller's name in a task: an account's name, or `token`, since an account may be called `admin`. */
export function callerName(principal: Principal | undefined): string {
  if (!principal) return 'nobody'
  const account = ownAccount(principal)
  return account ? accountLabel(account.name) : 'token'
}

export function mayAct({ role, scopes }: Pick<Principal, 'role' | 'scopes'>, needed: Role, scope?: string): boolean {
  const held = !scopes ? role : scope === undefined ? undefined : scopes.get(scope)
  return held !== undefined && ROLES.indexOf(held) >= ROLES.indexOf(needed)
}
