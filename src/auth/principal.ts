// Who is calling, for every surface alike: each way to prove it (token, hash, JWT, session, signed request) ends in one of these.
import { accountLabel } from './actor-words.ts'

/** From least to most: each role may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'administrator'] as const
export type Role = (typeof ROLES)[number]

/** One token of one account. */
export interface Session {
  /** The account's id. */
  user: string
  generation: number
  /** The token's own id; says when it was issued. */
  token: string
  /** Seconds since 1970. */
  expires: number
  /** Steady milliseconds until which it counts. */
  until: number
}

export interface Principal {
  /** The account's name, or `admin` for the appliance's one token. */
  name: string
  role: Role
  /** How it was proven. */
  via: 'token' | 'hash' | 'jwt' | 'session' | 'metrics'
  /** What an account proved itself by: with `jwt`, and with `session` when an account signed in. */
  session?: Session
  /** With `session`: the id of the console's session. */
  console?: string
}

/** What the audit log knows the caller by: the account's id, or `token` for the appliance's one token. */
export const accountOf = (principal: Principal | undefined): string | undefined =>
  principal && (principal.session?.user ?? (principal.via === 'metrics' ? 'metrics-token' : 'token'))

/** Who somebody is beside what he began: an account by its name, the appliance's token by that word, for an account may be called `admin`. */
export const callerName = (principal: Principal | undefined): string =>
  principal ? (principal.session ? accountLabel(principal.name) : 'token') : 'nobody'

export const mayAct = (principal: Principal, needed: Role) => ROLES.indexOf(principal.role) >= ROLES.indexOf(needed)
