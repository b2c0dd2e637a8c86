// Turns the declarations of all surfaces into routes. What happens to a request after routing is in order.ts.
import type { Context, Hono } from 'hono'
import type { Parameters } from '../body/query.ts'
import type { Endpoint } from '../endpoint.ts'
import { fail, newRequest, respond } from '../reply/answer.ts'
import type { Asked, Env, Request } from '../request.ts'
import type { Mounted, MountOptions, Routed } from '../surface.ts'
import { wireOf } from '../wire.ts'
import { answerRequest } from './order.ts'
import { type Match, matcher, type Route, sortRoutes } from './route.ts'

/** One declared path of one surface, with the declarations of its methods. */
interface Owner {
  options: Mounted<unknown>
  group: Endpoint<unknown>[]
}

/** Mounts the endpoints of one surface. */
export function mount<Deps>(options: MountOptions<Deps>): void {
  const routes = new Routes()
  routes.add(options)
  routes.mountOn(options.app)
}

/** The routes of several surfaces, which may declare the same paths. */
export class Routes {
  private readonly routes: Route<Owner>[] = []
  /** Paths without parameters that one surface declares. */
  private readonly exact = new Map<string, Match<Owner>>()

  /** Adds the endpoints that the configuration switches on. Throws on a declaration without a permission. */
  add<Deps>(given: MountOptions<Deps>): void {
    const options: Mounted<Deps> = { ...given, wire: wireOf(given.surface) }
    const exact = options.wire.trailingSlash !== 'same'
    const byPath = new Map<string, Endpoint<Deps>[]>()
    for (const declaration of options.endpoints) {
      const { id, path } = declaration
      if (!declaration.permission) throw new Error(`${id} declares no permission`)
      if (declaration.resource && !declaration.resource.version && declaration.method !== 'GET')
        throw new Error(`${id} declares a resource without a version`)
      if (path !== '/' && path.endsWith('/') && options.wire.trailingSlash !== 'distinct')
        throw new Error(`${id} declares a path that ends with a slash`)
      if (declaration.enabled && !declaration.enabled(options.config)) continue
      byPath.set(path, [...(byPath.get(path) ?? []), declaration])
    }
    for (const [template, group] of byPath) {
      // Handlers only ever receive the dependencies of their own surface.
      this.routes.push({ template, exact, value: { options, group } as unknown as Owner })
    }
  }

  mountOn(app: Hono<Env>): void {
    const { plain, stems } = sortRoutes(this.routes)
    const owners = new Map<string, Owner[]>()
    for (const { template, exact, value } of plain) {
      for (const path of exact || template === '/' ? [template] : [template, `${template}/`])
        owners.set(path, [...(owners.get(path) ?? []), value])
    }
    for (const [path, all] of owners) {
      const [first] = all
      if (first && all.length === 1) {
        const match = { value: first, params: NONE }
        app.all(path, (c) => (isServed(c, first) ? serve(c, match) : c.notFound()))
        this.exact.set(path, match)
      } else app.all(path, (c) => serveChosen(c, (fits) => choose(all, fits)))
    }
    for (const [stem, routes] of stems) {
      const find = matcher(routes)
      const isShared = new Set(routes.map(({ value }) => value.options.surface)).size > 1
      // Not `.+`: a dot does not match a line separator (U+2028), and such a path would reach no surface.
      app.all(`${stem}:rest{[^]+}`, (c) => {
        if (isShared) return serveChosen(c, (fits) => findOwner(c, find, fits))
        const match = findOwner(c, find, () => true)
        return match ? serve(c, match) : c.notFound()
      })
    }
  }

  /** The route of a path without parameters that only one surface declares. */
  exactly(path: string): Match<Owner> | undefined {
    return this.exact.get(path)
  }
}

/**
 * Lets `app` answer at once where a path has no parameters and one surface: Hono's Context, with a dozen functions in
 * each, and its dispatch are a tenth of the garbage and of the time of a small request. Everything else, also a HEAD,
 * goes through Hono; the steps of a request are the same on both ways. `routes`: those in force. `failed` answers what
 * Hono gives to `onError`.
 */
export function answerFirst(
  app: Hono<Env>,
  routes: () => Routes,
  failed: (error: unknown, c: Asked) => Response,
): void {
  const dispatch = app.fetch
  app.fetch = (raw, env, ...rest) => {
    const bindings = env as Env['Bindings'] | undefined
    const path = raw.method === 'HEAD' ? '' : app.getPath(raw, bindings && { env: bindings })
    const match = routes().exactly(path)
    const asked = match && new Direct(raw, bindings, path)
    if (!asked || !isServed(asked, match.value)) return dispatch(raw, env, ...rest)
    try {
      const response = serve(asked, match)
      return response instanceof Promise ? response.catch((error) => failed(error, asked)) : response
    } catch (error) {
      return failed(error, asked)
    }
  }
}

/** A request that needs no Context of Hono. */
class Direct implements Asked {
  readonly env: Asked['env']
  readonly raw: globalThis.Request
  readonly path: string

  constructor(raw: globalThis.Request, env: Asked['env'], path: string) {
    this.raw = raw
    this.env = env
    this.path = path
  }

  get req(): Asked['req'] {
    return this
  }

  get method(): string {
    return this.raw.method
  }

  get url(): string {
    return this.raw.url
  }

  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? undefined
  }
}

/** Whether the port that received the request serves the surface. */
function isServed(c: Asked, { options }: Owner): boolean {
  const names = c.env?.incoming?.surfaces
  return names === undefined || names.includes(options.surface.name)
}

/** Whether one of the declarations has this method. */
function isFor(group: Endpoint<unknown>[], method: string): boolean {
  const wanted = method === 'HEAD' ? 'GET' : method
  return group.some((one) => one.method === wanted)
}

/** The parameters of a path without any. */
const NONE: Parameters = Object.freeze({})

type Fits = (owner: Owner) => boolean

/** The first owner of the path that fits; undefined if none does. */
function choose(owners: Owner[], fits: Fits): Match<Owner> | undefined {
  const value = owners.find(fits)
  return value && { value, params: NONE }
}

/**
 * The owner of a path with parameters: the first that has the method and whose parameters the path can match; otherwise
 * the first of all, with the methods of every other match.
 */
function findOwner(c: Asked, find: ReturnType<typeof matcher<Owner>>, fits: Fits): Match<Owner> | undefined {
  const others: Owner[] = []
  const match = find(c.req.path, ({ value, params }, first) => {
    if (!isServed(c, value) || !fits(value)) return undefined
    const group = first ? value.group : value.group.filter((one) => one.params?.safeParse(params).success !== false)
    if (isFor(group, c.req.method)) return true
    if (!first) others.push({ ...value, group })
    return false
  })
  if (!match || others.length === 0 || isFor(match.value.group, c.req.method)) return match
  const { options, group } = match.value
  const more = others.filter((other) => other.options === options).flatMap((other) => other.group)
  return { ...match, value: { options, group: [...group, ...more] } }
}

/**
 * For surfaces that declare the same path: the first that claims the request, otherwise one that makes no claim; those
 * with the method come before those without.
 */
function serveChosen(c: Context<Env>, find: (fits: Fits) => Match<Owner> | undefined): Response | Promise<Response> {
  let request: Request | undefined
  const claim = ({ options }: Owner) => {
    request ??= requestOf(c, options)
    return options.surface.claims?.(request)
  }
  const has = ({ group }: Owner) => isFor(group, c.req.method)
  const served = (owner: Owner) => isServed(c, owner)
  const match =
    find((owner) => served(owner) && has(owner) && claim(owner) === true) ??
    find((owner) => served(owner) && has(owner) && claim(owner) === undefined) ??
    find((owner) => served(owner) && has(owner)) ??
    find((owner) => served(owner) && claim(owner) === undefined) ??
    find(served)
  return match ? serve(c, match, request) : c.notFound()
}

const requestOf = (c: Asked, { callerOf }: Mounted<unknown>) =>
  newRequest(c, c.env?.target?.path ?? c.req.path, callerOf)

function serve(
  c: Asked,
  { value: { options, group }, params }: Match<Owner>,
  known?: Request,
): Response | Promise<Response> {
  const request = known ?? requestOf(c, options)
  request.template = group[0]?.path ?? ''
  const context: Routed<unknown> = { c, request, options, group, params }
  try {
    const result = answerRequest(context, c.env?.target?.query ?? new URL(c.req.url).search.slice(1))
    if (!(result instanceof Promise)) return respond(context, result)
    return result.then(
      (reply) => respond(context, reply),
      (error) => fail(context, error),
    )
  } catch (error) {
    return fail(context, error)
  }
}
