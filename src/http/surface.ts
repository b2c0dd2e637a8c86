// What a surface declares, and what is needed to mount it: the types that pipeline, bodies and replies share.
import type { Hono } from 'hono'
import type { Principal } from '../auth/principal.ts'
import type { Configuration } from '../config.ts'
import type { ApiError } from '../errors.ts'
import type { KeyedMutex } from '../store/keyed-mutex.ts'
import type { Parameters } from './body/query.ts'
import type { Endpoint } from './endpoint.ts'
import type { AuditLog } from './pipeline/audit.ts'
import type { Answers } from './pipeline/idempotency.ts'
import type { Reply } from './reply/reply.ts'
import type { Asked, Env, Request } from './request.ts'
import type { CallerOf } from './server/peer.ts'
import type { Wire } from './wire.ts'

/** A surface: how callers authenticate, how requests are refused, and how answers look. */
export interface Surface {
  name: string
  /** Query parameters of the surface itself, such as credentials: every endpoint accepts them. */
  parameters: readonly string[]
  /** The wire habits of its clients, where they differ from the defaults. */
  wire?: Partial<Wire>
  /**
   * For a path that another surface declares as well: true if the request is meant for this one, false if it cannot be.
   * If left out, the surface takes the requests that no other one claims.
   */
  claims?: (request: Request) => boolean
  /** Rejects every request while the surface is closed (first run pending, back-off). */
  gate: (request: Request, endpoint: Endpoint<never> | undefined) => void
  /** A promise only where the proof is asynchronous: each one costs more than the rest of a small request. */
  authenticate: (request: Request, parameters: Parameters) => Principal | undefined | Promise<Principal | undefined>
  /** Counts a request once authentication is done; throws the 429. If left out, nothing is counted. */
  count?: (request: Request, principal: Principal | undefined) => void
  /**
   * Makes the refusal for missing or wrong credentials (no principal) or a missing role, and enters it in the audit
   * log.
   */
  refuse: (request: Request, principal: Principal | undefined) => ApiError
  /** Actor written to the legacy audit line for unauthenticated requests. */
  anonymousActor: string
  /**
   * What handlers give as the target of an audit entry: the resource (`pools/tank`), or a word, in which case the path
   * is the resource.
   */
  targets: 'resource' | 'word'
  /** The dialect answers a change that is done with 202; if left out, a 202 says that it has only started. */
  acceptedIsDone?: true
  /** Throws while the surface allows no changes by anyone. */
  refuseChanges?: () => void
  /** Where the answers to POSTs with an Idempotency-Key are kept; if left out, the header is ignored. */
  answers?: Answers
  wrongMethod: (method: string, allowed: string[]) => ApiError
  /** Renders an error with any status. The request has no `template` if no route matched. */
  renderError: (error: ApiError, request: Request) => Reply
  /** The headers of every answer, as a new object (reply/base-headers.ts). They may depend on the request. */
  headers: (request: Request) => Record<string, string>
}

export interface MountOptions<Deps> {
  app: Hono<Env>
  surface: Surface
  endpoints: Endpoint<Deps>[]
  deps: Deps
  config: Configuration
  audit: AuditLog
  /** One change of a resource at a time, across all surfaces. */
  turns: KeyedMutex
  /** Aborted when the server stops. */
  stopping: AbortSignal
  callerOf: CallerOf
  /** Folders for files while they arrive, by destination. */
  incoming: Record<'uploads' | 'task', string>
  /** Called for every answer, for the access log. */
  answered: (request: Request, status: number, error?: unknown) => void
  /** Tests parse every JSON answer against its schema. */
  checkResponses?: boolean
}

/** A mounted surface, with all of its wire habits. */
export interface Mounted<Deps> extends MountOptions<Deps> {
  wire: Wire
}

/** One request and the declarations of its path. */
export interface Routed<Deps> {
  c: Asked
  request: Request
  options: Mounted<Deps>
  group: Endpoint<Deps>[]
  /** The path's parameters, decoded. */
  params: Parameters
}
