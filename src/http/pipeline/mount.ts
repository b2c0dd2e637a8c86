// Turns declarations into routes. What a request crosses once it has found its route is in order.ts.
import type { Context } from 'hono'
import type { Parameters } from '../body/query.ts'
import type { Endpoint } from '../endpoint.ts'
import { fail, newRequest, respond } from '../reply/answer.ts'
import type { Env } from '../request.ts'
import type { Mounted, MountOptions, Routed } from '../surface.ts'
import { wireOf } from '../wire.ts'
import { answerRequest } from './order.ts'
import { matcher, sortRoutes } from './route.ts'

/** Mounts the endpoints that the configuration switches on. Throws on a declaration without a permission. */
export function mount<Deps>(given: MountOptions<Deps>): void {
  const options: Mounted<Deps> = { ...given, wire: wireOf(given.surface) }
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
  options: Mounted<Deps>,
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
    const result = answerRequest(context, target.query)
    if (!(result instanceof Promise)) return respond(context, result)
    return result.then(
      (reply) => respond(context, reply),
      (error) => fail(context, error),
    )
  } catch (error) {
    return fail(context, error)
  }
}
