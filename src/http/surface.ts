// What a surface declares, and what mounting it needs: the types that the pipeline, bodies and replies share.
import type { Context, Hono } from 'hono'
import type { Principal } from '../auth/principal.ts'
import type { Configuration } from '../config.ts'
import type { ApiError } from '../errors.ts'
import type { KeyedMutex } from '../store/keyed-mutex.ts'
import type { Parameters } from './body/query.ts'
import type { Endpoint } from './endpoint.ts'
import type { AuditLog } from './pipeline/audit.ts'
import type { Answers } from './pipeline/idempotency.ts'
import type { Reply } from './reply/reply.ts'
import type { Env, Request } from './request.ts'
import type { CallerOf } from './server/peer.ts'
import type { Wire } from './wire.ts'

/** What makes a surface: how callers prove who they are, what is refused how, and how answers look. */
export interface Surface {
  name: string
  /** Parameters of the surface itself (credentials, say): every endpoint accepts them. */
  parameters: readonly string[]
  /** The habits of its clients, where they are not the usual ones. */
  wire?: Partial<Wire>
  /**
   * Of a path that another surface declares as well: true where the request is meant for this one, false where it cannot be. Left out, the
   * surface takes what no other one claims.
   */
  claims?: (request: Request) => boolean
  /** Rejects every request while the surface is closed (first run pending, back-off). */
  gate: (request: Request, endpoint: Endpoint<never> | undefined) => void
  /** A promise only where the proof takes one: each costs more than the rest of a small request. */
  authenticate: (request: Request, parameters: Parameters) => Principal | undefined | Promise<Principal | undefined>
  /** Counts a request once its caller is known, or known not to be; throws the 429. Left out, nothing is counted. */
  count?: (request: Request, principal: Principal | undefined) => void
  /** Makes the refusal of a caller whose credentials (no principal) or role did not hold, and enters it in the audit log. */
  refuse: (request: Request, principal: Principal | undefined) => ApiError
  /** Actor written to the legacy audit line for unauthenticated requests. */
  nobody: string
  /** What handlers name as the target of an audit entry: the resource (`pools/tank`), or a word, and then the path is the resource. */
  targets: 'resource' | 'word'
  /** Throws while the surface lets nothing be changed, whoever asks. */
  refuseChanges?: () => void
  /** Where the answers to POSTs with an Idempotency-Key are kept; left out, the header is not looked at. */
  answers?: Answers
  wrongMethod: (method: string, allowed: string[]) => ApiError
  /** Any status. The request has no `template` where no route took it. */
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
  /** One change of a thing at a time, whichever surface it came by. */
  turns: KeyedMutex
  /** Aborted once the server stops. */
  stopping: AbortSignal
  callerOf: CallerOf
  /** Folders for files while they arrive, by where they are going. */
  incoming: Record<'uploads' | 'task', string>
  /** Hears of every answer, for the access log. */
  answered: (request: Request, status: number, error?: unknown) => void
  /** Tests parse every JSON answer against its schema. */
  checkResponses?: boolean
}

/** A surface that is mounted, with all of its habits. */
export interface Mounted<Deps> extends MountOptions<Deps> {
  wire: Wire
}

/** One request and the declarations of its path. */
export interface Routed<Deps> {
  c: Context<Env>
  request: Request
  options: Mounted<Deps>
  group: Endpoint<Deps>[]
  /** What the path's parameters stand for, decoded. */
  params: Parameters
}
