// An endpoint is a declaration: routing, validation, permission, audit, OpenAPI and the generated tests all come from it.
// The trap: `permission` has no default. A declaration without one does not mount.
import type * as z from 'zod'
import type { Needed, Principal, Role } from '../auth/principal.ts'
import type { Configuration } from '../config.ts'
import type { Reply } from './reply/reply.ts'

/**
 * Who may call: anyone, whoever set-up lets in (decided by its handler), a role, or a role within what the path names, such as a project. The
 * function gets the path's parameters as they came: it runs before they are checked, so that a stranger learns nothing from the check.
 */
export type Permission = 'public' | 'set-up' | Role | ((params: Readonly<Record<string, string>>) => Needed)

/** What a caller needs; undefined where the permission is no role. */
export function neededOf(permission: Permission, params: Readonly<Record<string, string>>): Needed | undefined {
  if (typeof permission === 'function') return permission(params)
  return permission === 'public' || permission === 'set-up' ? undefined : { role: permission }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A text part of a form. */
export interface TextPart {
  kind: 'text'
  description: string
  required: boolean
}

/** A file part of a form; `limit` is its size limit in bytes. */
export interface FilePart {
  kind: 'file'
  /** Where it is going: it is received on that file system, so that moving it there is a rename. Default: a task's folder. */
  bound?: 'uploads' | 'task'
  description: string
  required: boolean
  limit: (config: Configuration) => number
}

/** An account, as the audit log knows it. */
export interface Actor {
  id: string
  name: string
}

export type Form = Record<string, TextPart | FilePart>

/** A file that arrived: `path` is ours, `name` is the client's and only for display. */
export interface ReceivedFile {
  path: string
  name: string
  size: number
}

/** What a handler knows about the request. */
export interface Call<Body = unknown, Params = unknown, Input = unknown> {
  /** The parts of the path that its template names. */
  params: Params
  query: Record<string, unknown>
  /** Path, query and form through the declaration's one schema, `input`. */
  input: Input
  fields: Record<string, string>
  files: Record<string, ReceivedFile>
  /** The JSON body, through the declaration's schema. */
  body: Body
  /** Undefined only where the permission lets nobody in particular through. */
  principal: Principal | undefined
  /** The peer's address. */
  address: string
  /** Who asks, as a task keeps it. */
  by: { name: string; address: string }
  requestId: string
  /** `Prefer: respond-async` (RFC 7240, 4.1): the client would rather follow a job than wait. */
  respondAsync: boolean
  /** Whether a body may be sent compressed (RFC 9110, 12.5.3). */
  acceptsGzip: boolean
  /** Aborted when the client goes away or the server stops: what waits answers with what there is. Asked for anew at each look. */
  signal: AbortSignal
  /** Where a reader of events was when its connection broke. */
  lastEventId: string | undefined
  /**
   * Checks the caller's credentials once more, for a change that came in between. Undefined where that takes time (a JWT): what is
   * proven so is checked again by the feature, in the step that makes the change.
   */
  authenticateAgain: () => Principal | undefined
  /**
   * Names the one audit entry of this request; without it a change is entered under the endpoint's id. `actor`, where it is not the
   * caller: an account, or the name of one that somebody only claims to be. `entered` is called once the entry is made.
   */
  audit: (event: string, target: string, actor?: string | Actor, entered?: () => void) => void
}

/**
 * Something that can be changed, or made: its changes run one after the other, its answers carry an ETag, and If-Match and If-None-Match
 * are kept. A reply that tells its own `version` is not asked for it again.
 */
export interface Resource<Deps, Body = unknown, Params = unknown> {
  /** Names what the request changes (`users/user-1`), the same for every surface. Several for a change of several things. */
  key: (params: Params, body: Body, principal: Principal | undefined) => string | readonly string[]
  /**
   * The members that make the version: what a caller could overwrite, nothing that changes by itself (used bytes). Undefined for what is
   * not there, where the request may make it; where it must be there, the 404 is thrown: it comes before every condition (RFC 9110, 13.2.1).
   * Left out only on a GET whose reply always tells it.
   */
  version?: (call: Pick<Call<Body, Params>, 'params' | 'body' | 'principal'>, deps: Deps) => unknown
}

export interface Endpoint<Deps, Body = unknown, Params = unknown, Input = unknown> {
  method: Method
  /** `{name}` stands for one segment, `{name*}` for a name that holds slashes, whichever way they came; both checked by `params`. */
  path: string
  /** The operation's name: in OpenAPI, in the audit log, as the metrics label. */
  id: string
  summary: string
  description?: string
  tag: string
  permission: Permission
  /** What the audit log calls it, where the id is not the word. */
  action?: string
  params?: z.ZodType<Params>
  /** A member `match_*` takes all names that begin so, as a record by the rest of their names. */
  query?: z.ZodObject
  /**
   * One schema over the parameters of the path, the query and the text of a form, wherever a client puts a value. In place of `params`,
   * `query` and the text parts of `form`.
   */
  input?: z.ZodObject & z.ZodType<Input>
  form?: Form
  /** A JSON body; never beside a form. */
  body?: z.ZodType<Body>
  status?: number
  resource?: Resource<Deps, Body, Params>
  /** The answer carries a secret: it is never stored, and so a POST of it takes no Idempotency-Key. */
  secret?: true
  /** Sent again, it does no harm (a login, a logout): an Idempotency-Key is not looked at. */
  repeatable?: true
  /** The surface's limit of requests does not count it: it has its own (a login), or asks for none (a probe). */
  unlimited?: true
  /** A schema for JSON, `none` for an answer without a body, a media type for the rest. */
  response: z.ZodType | 'none' | (string & {})
  /** A change that is let through while the surface blocks changes. */
  duringMaintenance?: true
  /** What a 202 carries, where it may take longer than a request is held. */
  accepted?: z.ZodType
  /** The statuses besides its own and the surface's common ones. */
  errors?: number[]
  /** A GET that changes something, or makes the file that it answers with: no HEAD, and its query is read as that of a change. */
  acts?: true
  /** Left out, it is always there. */
  enabled?: (config: Configuration) => boolean
  /** Refuses, before a body is read, what would be refused after it. Runs once the caller is known. */
  precheck?: (deps: Deps) => void
  handle: (call: Call<Body, Params, Input>, deps: Deps) => Reply | Promise<Reply>
}

/** Whether a call may change something; then no word of its caller's may be dropped. */
export const changes = <Deps>({ method, acts }: Pick<Endpoint<Deps>, 'method' | 'acts'>) =>
  method !== 'GET' || acts === true

/** Fixes the type of the dependencies for a file of declarations; the types of body and path come from each one's schemas. */
export const endpoint =
  <Deps>() =>
  <Body = undefined, Params = undefined, Input = undefined>(
    declaration: Endpoint<Deps, Body, Params, Input>,
  ): Endpoint<Deps> =>
    // Only mount() calls handlers, and only with what these schemas let through.
    declaration as unknown as Endpoint<Deps>
