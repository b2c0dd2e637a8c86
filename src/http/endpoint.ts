// An endpoint is a declaration: routing, validation, permission, audit, OpenAPI and the generated tests are derived
// from it. `permission` has no default: a declaration without one does not mount.
import type * as z from 'zod'
import type { Needed, Principal, Role } from '../auth/principal.ts'
import type { Configuration } from '../config.ts'
import type { Reply } from './reply/reply.ts'

/**
 * Who may call: anyone, callers whom the set-up handler authorizes itself, a role, or a role within a scope that the
 * path names, such as a project. The function gets the path's parameters unchecked: permission is decided before
 * validation, so that an unauthorized caller learns nothing from validation errors.
 */
export type Permission = 'public' | 'set-up' | Role | ((params: Readonly<Record<string, string>>) => Needed)

/** The role and scope that a caller needs; undefined for `public` and `set-up`. */
export function neededOf(permission: Permission, params: Readonly<Record<string, string>>): Needed | undefined {
  if (typeof permission === 'function') return permission(params)
  return permission === 'public' || permission === 'set-up' ? undefined : { role: permission }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A text field of a form. */
export interface TextPart {
  kind: 'text'
  description: string
  required: boolean
}

/** A file field of a form; `limit` is its size limit in bytes. */
export interface FilePart {
  kind: 'file'
  /**
   * Where the file will end up: it is received on that file system, so that moving it there is a rename. Default: a
   * task's folder.
   */
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

/** A received file: `path` is chosen by the server, `name` is the client's and for display only. */
export interface ReceivedFile {
  path: string
  name: string
  size: number
}

/** The request as a handler sees it. */
export interface Call<Body = unknown, Params = unknown, Input = unknown> {
  /** The parts of the path that its template names. */
  params: Params
  query: Record<string, unknown>
  /** Path, query and form, parsed by the declaration's one schema `input`. */
  input: Input
  fields: Record<string, string>
  files: Record<string, ReceivedFile>
  /** The JSON body, parsed by the declaration's schema. */
  body: Body
  /** Undefined only where the permission admits anonymous callers. */
  principal: Principal | undefined
  /** The peer's address. */
  address: string
  /** The caller, as a task records it. */
  by: { name: string; address: string }
  requestId: string
  /** As the client addressed this port: `https://box.example:215`. */
  origin: string
  /** `Prefer: respond-async` (RFC 7240, 4.1): the client prefers to follow a job instead of waiting. */
  respondAsync: boolean
  /** Whether a body may be sent compressed (RFC 9110, 12.5.3). */
  acceptsGzip: boolean
  /**
   * Aborted when the client goes away or the server stops: what waits answers with what there is. Asked for anew at
   * each look.
   */
  signal: AbortSignal
  /** The Last-Event-ID of a reader of events that reconnects. */
  lastEventId: string | undefined
  /**
   * Checks the caller's credentials again, in case they changed while the handler waited. Undefined where the check is
   * asynchronous (a JWT): then the feature checks again in the step that makes the change.
   */
  authenticateAgain: () => Principal | undefined
  /**
   * Names the one audit entry of this request; otherwise a change is entered under the endpoint's id. `actor` is given
   * where it is not the caller: an account, or a name that was only claimed. `entered` is called once the entry is
   * made.
   */
  audit: (event: string, target: string, actor?: string | Actor, entered?: () => void) => void
}

/**
 * Something that can be created or changed. Changes of it run one at a time, its answers carry an ETag, and If-Match
 * and If-None-Match are honored. Where a reply brings its own `version`, the version is not read again.
 */
export interface Resource<Deps, Body = unknown, Params = unknown> {
  /**
   * Names what the request changes (`users/user-1`), the same for every surface. An array for a change of several
   * things.
   */
  key: (params: Params, body: Body, principal: Principal | undefined) => string | readonly string[]
  /**
   * The members that make up the version: those that a caller could overwrite, none that change by themselves (used
   * bytes). Undefined if the thing does not exist and the request may create it. If it must exist, throw the 404, which
   * takes precedence over every condition (RFC 9110, 13.2.1). Left out only on a GET whose replies always carry
   * `version`.
   */
  version?: (call: Pick<Call<Body, Params>, 'params' | 'body' | 'principal'>, deps: Deps) => unknown
}

export interface Endpoint<Deps, Body = unknown, Params = unknown, Input = unknown> {
  method: Method
  /**
   * `{name}` stands for one segment, `{name*}` for a name that may contain slashes, encoded or not; both are checked by
   * `params`.
   */
  path: string
  /** The operation's name: in OpenAPI, in the audit log, and as the metrics label. */
  id: string
  summary: string
  description?: string
  tag: string
  permission: Permission
  /** The action's name in the audit log, where it differs from the id. */
  action?: string
  params?: z.ZodType<Params>
  /** A member `match_*` takes all names with that prefix, as a record keyed by the rest of their names. */
  query?: z.ZodObject
  /**
   * One schema over path parameters, query and text fields of a form, wherever a client puts a value. Replaces
   * `params`, `query` and the text fields of `form`.
   */
  input?: z.ZodObject & z.ZodType<Input>
  form?: Form
  /** A JSON body; cannot be combined with `form`. */
  body?: z.ZodType<Body>
  status?: number
  resource?: Resource<Deps, Body, Params>
  /** The answer carries a secret: it is never stored, so a POST does not accept an Idempotency-Key. */
  secret?: true
  /** Safe to repeat (login, logout): an Idempotency-Key is ignored. */
  repeatable?: true
  /** Not counted against the request limit: logins have their own limit, health probes have none. */
  unlimited?: true
  /** A schema for JSON, `none` for an answer without a body, otherwise a media type. */
  response: z.ZodType | 'none' | (string & {})
  /** A change that is allowed while the surface blocks changes. */
  duringMaintenance?: true
  /** The body of a 202, for a change that may outlast the time a request is held. */
  accepted?: z.ZodType
  /** Statuses that only this endpoint answers, besides success and the surface's common ones. */
  errors?: number[]
  /**
   * A GET that changes something, or makes the file that it answers with: no HEAD, and its query is read as strictly as
   * that of a change.
   */
  acts?: true
  /** If left out, the endpoint always exists. */
  enabled?: (config: Configuration) => boolean
  /** Refuses before the body is read what would be refused after it. Runs once the caller is known. */
  precheck?: (deps: Deps) => void
  handle: (call: Call<Body, Params, Input>, deps: Deps) => Reply | Promise<Reply>
}

/** Whether a call may change something; then no part of the request may be ignored. */
export const changes = <Deps>({ method, acts }: Pick<Endpoint<Deps>, 'method' | 'acts'>) =>
  method !== 'GET' || acts === true

/**
 * Fixes the type of the dependencies for a file of declarations; the types of body and path come from each
 * declaration's schemas.
 */
export const endpoint =
  <Deps>() =>
  <Body = undefined, Params = undefined, Input = undefined>(
    declaration: Endpoint<Deps, Body, Params, Input>,
  ): Endpoint<Deps> =>
    // Only mount() calls handlers, and only with values that have passed these schemas.
    declaration as unknown as Endpoint<Deps>
