// Checks the declared permission against the caller, and enters each refusal in the audit log.
import { accountOf, mayAct, nameOf, type Principal } from '../../auth/principal.ts'
import { ApiError, knownError } from '../../errors.ts'
import type { Parameters } from '../body/query.ts'
import { memberFor } from '../body/values.ts'
import { type Endpoint, neededOf } from '../endpoint.ts'
import type { Request } from '../request.ts'
import { isRefusal } from '../status.ts'
import type { MountOptions, Routed, Surface } from '../surface.ts'
import type { Wire } from '../wire.ts'
import { origin, resourceOf } from './audit.ts'

/**
 * Admits a caller who has the endpoint's permission, for the methods that the path has; throws the refusal otherwise.
 */
export function admit<Deps>(
  { request, params, group, options: { surface, wire } }: Routed<Deps>,
  endpoint: Endpoint<Deps> | undefined,
  principal: Principal | undefined,
): Endpoint<Deps> {
  const permission = endpoint?.permission ?? group[0]!.permission
  const needed = neededOf(permission, params)
  if (needed && !(principal && mayAct(principal, needed.role, needed.scope))) throw surface.refuse(request, principal)
  // The set-up handler authorizes anonymous callers itself. A signed-in session is still checked for its role and CSRF
  // token.
  if (permission === 'set-up' && (principal ? !mayAct(principal, 'administrator') : request.cookie?.principal))
    throw surface.refuse(request, principal)
  if (!endpoint) throw surface.wrongMethod(request.method, allowedMethods(group, wire))
  return endpoint
}

/** The methods for `Allow`. HEAD goes with GET, unless that GET changes something. */
export const allowedMethods = <Deps>(group: Endpoint<Deps>[], { head, options }: Pick<Wire, 'head' | 'options'>) => [
  ...new Set(group.map(({ method }) => method)),
  ...(head === 'as-get' && group.some(({ method, acts }) => method === 'GET' && !acts) ? ['HEAD'] : []),
  ...(options === 'allow' ? ['OPTIONS'] : []),
]

/**
 * Synchronous only: an asynchronous proof (JWT, scrypt) returns undefined. Surfaces that put credentials in forms must
 * authenticate synchronously.
 */
export function authenticateNow(surface: Surface, request: Request, parameters: Parameters): Principal | undefined {
  const proven = surface.authenticate(request, parameters)
  return proven instanceof Promise ? undefined : proven
}

/** Runs the endpoint's precheck; its refusal is entered in the audit log like every refused change. */
export function precheck<Deps>(
  endpoint: Endpoint<Deps>,
  request: Request,
  options: MountOptions<Deps>,
  principal: Principal,
): void {
  try {
    endpoint.precheck?.(options.deps)
  } catch (error) {
    enterRefusal(endpoint, request, options, error, principal)
    throw error
  }
}

export function enterRefusal<Deps>(
  endpoint: Endpoint<Deps>,
  request: Request,
  { audit, surface }: MountOptions<Deps>,
  error: unknown,
  principal: Principal | undefined,
): void {
  const status = statusOf(surface, error, request)
  audit.write({
    event: `${endpoint.action ?? endpoint.id}.refused`,
    target: String(status),
    refusal: isRefusal(error) || undefined,
    actor: nameOf(principal) ?? surface.anonymousActor,
    account: accountOf(principal),
    name: nameOf(principal),
    resource: resourceOf(request.path),
    failure: reasonOf(status, error),
    ...origin(request),
  })
}

/** The status that the surface's dialect answers for an error. */
export const statusOf = (surface: Surface, error: unknown, request: Request): number =>
  surface.renderError(knownError(error), request).status

/** The answer to the caller, shortened for the log. */
export const reasonOf = (status: number, error: unknown) =>
  `${status} ${error instanceof ApiError ? error.words : ''}`.trimEnd()

/** Whether a query parameter belongs to the surface or to the endpoint. */
export const isKnown = <Deps>(
  name: string,
  endpoint: Endpoint<Deps> | undefined,
  group: Endpoint<Deps>[],
  surface: Surface,
) =>
  surface.parameters.includes(name) ||
  (endpoint ? [endpoint] : group).some(
    ({ query, input, form }) =>
      (query && memberFor(query.shape, name) !== undefined) ||
      (input && memberFor(input.shape, name) !== undefined) ||
      (form && Object.hasOwn(form, name) && form[name]?.kind === 'text'),
  )

/** The names that a refusal may suggest. */
export const knownNames = <Deps>(endpoint: Endpoint<Deps> | undefined, group: Endpoint<Deps>[]) =>
  (endpoint ? [endpoint] : group).flatMap(({ query, input }) => [
    ...Object.keys(query?.shape ?? {}),
    ...Object.keys(input?.shape ?? {}),
  ])
