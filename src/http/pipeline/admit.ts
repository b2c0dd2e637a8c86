// Who may pass: the permission of the declaration against what the caller has proven, and the audit entry of each refusal.
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

/** Lets through whom the endpoint's permission names, for the methods that the path has; throws the refusal otherwise. */
export function admit<Deps>(
  { request, params, group, options: { surface, wire } }: Routed<Deps>,
  endpoint: Endpoint<Deps> | undefined,
  principal: Principal | undefined,
): Endpoint<Deps> {
  const permission = endpoint?.permission ?? group[0]!.permission
  const needed = neededOf(permission, params)
  if (needed && !(principal && mayAct(principal, needed.role, needed.scope))) throw surface.refuse(request, principal)
  // The set-up handler authorizes anonymous callers itself. A signed-in session is still checked for its role and CSRF token.
  if (permission === 'set-up' && (principal ? !mayAct(principal, 'administrator') : request.cookie?.principal))
    throw surface.refuse(request, principal)
  if (!endpoint) throw surface.wrongMethod(request.method, allowedMethods(group, wire))
  return endpoint
}

/** For Allow. HEAD is where GET is, unless that acts. */
export const allowedMethods = <Deps>(group: Endpoint<Deps>[], { head, options }: Pick<Wire, 'head' | 'options'>) => [
  ...new Set(group.map(({ method }) => method)),
  ...(head === 'as-get' && group.some(({ method, acts }) => method === 'GET' && !acts) ? ['HEAD'] : []),
  ...(options === 'allow' ? ['OPTIONS'] : []),
]

/**
 * Synchronous only: an asynchronous proof (a JWT, scrypt) gives undefined. A surface that takes credentials in forms must authenticate
 * synchronously.
 */
export function authenticateNow(surface: Surface, request: Request, parameters: Parameters): Principal | undefined {
  const proven = surface.authenticate(request, parameters)
  return proven instanceof Promise ? undefined : proven
}

/** A refusal that the audit log has to know of, like every refused change. */
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
    actor: nameOf(principal) ?? surface.nobody,
    account: accountOf(principal),
    name: nameOf(principal),
    resource: resourceOf(request.path),
    failure: reasonOf(status, error),
    ...origin(request),
  })
}

/** The status that the caller is answered: that of the surface, whatever its table. */
export const statusOf = (surface: Surface, error: unknown, request: Request): number =>
  surface.renderError(knownError(error), request).status

/** What the caller is answered, for the log. */
export const reasonOf = (status: number, error: unknown) =>
  `${status} ${error instanceof ApiError ? error.words : ''}`.trimEnd()

/** Whether a query parameter is the surface's, or the declaration's own. */
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

/** Those that a refusal may name. */
export const knownNames = <Deps>(endpoint: Endpoint<Deps> | undefined, group: Endpoint<Deps>[]) =>
  (endpoint ? [endpoint] : group).flatMap(({ query, input }) => [
    ...Object.keys(query?.shape ?? {}),
    ...Object.keys(input?.shape ?? {}),
  ])
