// Turns declarations into routes: gate, credentials, method, parameters, body, handler, audit, access log, in this order for each.
// The trap: a request without a body is answered synchronously when its handler is; one `await` here costs more than all the rest.
import type { Context } from 'hono'
import type { Principal } from '../../auth/principal.ts'
import { mayCarryCredentials, readForm, readJson, readNothing } from '../body/body.ts'
import { discardBody, hasBody } from '../body/discard.ts'
import type { Parameters } from '../body/query.ts'
import { changes, type Endpoint } from '../endpoint.ts'
import { fail, newRequest, respond } from '../reply/answer.ts'
import type { Reply } from '../reply/reply.ts'
import type { Env } from '../request.ts'
import type { MountOptions, Routed } from '../surface.ts'
import { admit, allowedMethods, isKnown, knownNames } from './admit.ts'
import { run } from './handle.ts'
import { matcher, sortRoutes } from './route.ts'

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Mounts the endpoints that the configuration switches on. Throws on a declaration without a permission. */
export function mount<Deps>(options: MountOptions<Deps>): void {
  const byPath = new Map<string, Endpoint<Deps>[]>()
  for (const declaration of options.endpoints) {
    if (!declaration.permission) throw new Error(`${declaration.id} declares no permission`)
    if (declaration.resource && !declaration.resource.version && declaration.method !== 'GET')
      throw new Error(`${declaration.id} declares a resource without a version`)
    if (declaration.enabled && !declaration.enabled(options.config)) continue
    byPath.set(declaration.path, [...(byPath.get(declaration.path) ?? []), declaration])
  }
  const { plain, stems } = sortRoutes([...byPath].map(([template, value]) => ({ template, value })))
  for (const { template, value } of plain) {
    const answer = (c: Context<Env>) => serve(c, value, {}, options)
    options.app.all(template, answer)
    if (template !== '/') options.app.all(`${template}/`, answer)
  }
  for (const [stem, routes] of stems) {
    const find = matcher(routes)
    // Not `.+`: a dot is no line separator (U+2028), and the path would be nobody's.
    options.app.all(`${stem}:rest{[^]+}`, (c) => {
      // What else the path may mean: its methods belong into Allow.
      const others: Endpoint<Deps>[] = []
      const match = find(c.req.path, ({ value, params }, first) => {
        const own = first ? value : value.filter((one) => one.params?.safeParse(params).success !== false)
        if (isFor(own, c.req.method)) return true
        if (!first) others.push(...own)
        return false
      })
      if (!match) return c.notFound()
      const group = isFor(match.value, c.req.method) ? match.value : [...match.value, ...others]
      return serve(c, group, match.params, options)
    })
  }
}

/** Whether one of them has this method. */
function isFor<Deps>(group: Endpoint<Deps>[], method: string): boolean {
  const wanted = method === 'HEAD' ? 'GET' : method
  return group.some((one) => one.method === wanted)
}

function serve<Deps>(
  c: Context<Env>,
  group: Endpoint<Deps>[],
  params: Parameters,
  options: MountOptions<Deps>,
): Response | Promise<Response> {
  const target = c.env?.target ?? { path: c.req.path, query: new URL(c.req.url).search.slice(1) }
  const context: Routed<Deps> = {
    c,
    request: newRequest(c, target.path, options.callerOf, group[0]?.path),
    options,
    group,
    params,
  }
  try {
    const result = handle(context, target.query)
    if (!(result instanceof Promise)) return respond(context, result)
    return result.then(
      (reply) => respond(context, reply),
      (error) => fail(context, error),
    )
  } catch (error) {
    return fail(context, error)
  }
}

function handle<Deps>(context: Routed<Deps>, query: string): Reply | Promise<Reply> {
  const { request, options, group } = context
  const { surface } = options
  const endpoint = group.find(({ method }) => method === request.method)
  if (request.head ? !endpoint || endpoint.acts : !METHODS.includes(request.method))
    throw surface.wrongMethod(request.head ? 'HEAD' : request.method, allowedMethods(group))
  const parameters = surface.query.read(query, (endpoint ? [endpoint] : group).some(changes))
  for (const name of Object.keys(parameters)) {
    if (!isKnown(name, endpoint, group, surface)) throw surface.query.unknown(name, () => knownNames(endpoint, group))
  }
  surface.gate(request, endpoint)
  const proven = surface.authenticate(request, parameters)
  return proven instanceof Promise
    ? proven.then((principal) => proceed(context, endpoint, parameters, principal))
    : proceed(context, endpoint, parameters, proven)
}

function proceed<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps> | undefined,
  parameters: Parameters,
  principal: Principal | undefined,
): Reply | Promise<Reply> {
  const { request, group, options } = context
  if (!endpoint?.unlimited) options.surface.count?.(request, principal)
  const anyone = endpoint?.permission === 'public' || endpoint?.permission === 'set-up'
  const form = endpoint?.form
  if (principal || anyone || !form || !mayCarryCredentials(request.incoming)) {
    admit(context, endpoint, principal, group)
    if (endpoint?.body) return readJson(context, endpoint, parameters, principal)
    if (!form) {
      if (endpoint?.method !== 'GET' && options.surface.query.strict && hasBody(request.incoming))
        return readNothing(context, endpoint as Endpoint<Deps>, parameters, principal)
      discardBody(request.incoming)
      return run(context, endpoint as Endpoint<Deps>, parameters, { fields: Object.create(null), files: {} }, principal)
    }
  }
  return readForm(context, endpoint as Endpoint<Deps>, parameters, principal)
}
