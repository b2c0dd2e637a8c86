// The application: the appliance, and every surface that is on. Every API test uses it; importing it has no effects.
import type { ServerResponse } from 'node:http'
import { Hono } from 'hono'
import { atStart } from './appliance/at-start.ts'
import { type Appliance, type ApplianceOptions, createAppliance } from './appliance.ts'
import { ApiError, type ErrorKind, invalid, notFound } from './errors.ts'
import type { Finding } from './features/check/finding.ts'
import type { HttpsSettings } from './features/https/https.ts'
import type { Endpoint } from './http/endpoint.ts'
import { acquaint } from './http/pipeline/acquaint.ts'
import { type AnyDeclared, LaterEndpoints } from './http/pipeline/later.ts'
import { answerFirst, Routes } from './http/pipeline/mount.ts'
import { noSuchPath } from './http/pipeline/near-path.ts'
import { normalize, rawPath } from './http/pipeline/path.ts'
import { notFoundReply, objectionReply, unparsedText } from './http/reply/answer.ts'
import type { Asked, Env, Incoming, Request } from './http/request.ts'
import { type PortAsked, portsOf } from './http/server/more-ports.ts'
import { callerOf } from './http/server/peer.ts'
import type { MountOptions, Surface } from './http/surface.ts'
import { KeyedMutex } from './store/keyed-mutex.ts'
import type { AssembledSurface } from './surfaces/assembled.ts'
import { SURFACES, type SurfaceEntry, surfacesOn } from './surfaces/table.ts'

export interface AppOptions extends ApplianceOptions {
  /** Folder of the console's built page. */
  page?: string
  /** The certificate in use, as PEM; undefined without TLS. */
  certificate?: () => string | undefined
  /** Problems found by the last check of the appliance. */
  findings?: () => readonly Finding[]
  answered?: (request: Request, status: number, error?: unknown) => void
  checkResponses?: boolean
}

type Passed = 'https' | 'tasks' | 'backOff' | 'known' | 'storage' | 'sweep' | 'runPolicies' | 'enter' | 'saveState'

export interface App extends Pick<Appliance, Passed> {
  hono: Hono<Env>
  /** The answer to a malformed request head, in the shape of the surface that its path belongs to. */
  refused: (incoming: Incoming, outgoing: ServerResponse, error: ApiError) => Response
  /** The answer, as bytes, to what is not HTTP on a port of these surfaces. */
  unparsed: (kind: ErrorKind, names: readonly string[]) => string
  /** The further ports, without those whose surfaces are all off. */
  ports: PortAsked[]
  /** Cleans up after a killed server, and starts measuring. Only for the server that has the port. */
  tidy: () => void
  /** Ends endless streams and answers held requests, so that the port can be closed. */
  hangUp: () => void
  close: () => void
}

/** The route of a target that `normalize` refused: no endpoint can have this path. */
const REFUSED = '/\0'

/** `table`: the available surfaces; tests add their own. */
export async function createApp(options: AppOptions, table = SURFACES): Promise<App> {
  const entries = surfacesOn(options.config, table)
  const appliance = await createAppliance(options, new Set(entries.flatMap(({ needs }) => needs)))
  const surfaces = await assembleAll(entries, appliance, options)
  const stopping = new AbortController()
  const answering = answeringFor(appliance, options)
  const hono = createHono()
  /**
   * A path without an endpoint belongs to the surface that owns it, or else to the first of those that its port serves.
   */
  const answeringAt = (path: string, names?: readonly string[]) => {
    const served = servedBy(surfaces, names)
    return { ...answering, surface: (served.find(({ owns }) => owns?.(path)) ?? served[0]!).surface }
  }
  const failed = (error: unknown, { env, req }: Asked) =>
    notFoundReply(
      { env, req },
      answeringAt('', env?.incoming?.surfaces),
      new ApiError('internal', '', { cause: error }),
    )
  const later = mountAll(hono, surfaces, appliance, failed, {
    ...answering,
    stopping: stopping.signal,
    ...(options.checkResponses && { checkResponses: true }),
  })
  hono.onError(failed)
  refuseTheRest(hono, surfaces, appliance, answeringAt, later)
  return {
    ...appliance,
    hono,
    refused(incoming, outgoing, error) {
      const asked = { env: { incoming, outgoing }, req: { method: incoming.method ?? 'GET' } }
      const by = answeringAt(rawPath(incoming.url), incoming.surfaces)
      return objectionReply(asked, normalize(incoming.url ?? '')?.path ?? '', by, error)
    },
    unparsed: (kind, names) => unparsedText(answeringAt('', names).surface, kind),
    ports: portsOf(
      options.config.listen.ports,
      surfaces.map(({ name }) => name),
      appliance.warn,
    ),
    tidy() {
      appliance.tidy()
      for (const { name, start } of surfaces)
        if (start) atStart(`the ${name} surface does not begin`, start, appliance.warn)
    },
    hangUp() {
      stopping.abort()
      appliance.hangUp()
      for (const { hangUp } of surfaces) hangUp?.()
    },
    close() {
      for (const { close } of surfaces) close?.()
      appliance.close()
    },
  }
}

/** `declared`: the endpoints that are loaded. */
type Named = AssembledSurface & { name: string; declared: Endpoint<never>[] }

/** The surfaces that a port serves, in the order of its configuration. */
const servedBy = (surfaces: Named[], names: readonly string[] | undefined): Named[] =>
  names?.flatMap((name) => surfaces.find((one) => one.name === name) ?? []) ?? surfaces

/** Loads and assembles the surfaces, in the order of the table. */
async function assembleAll(entries: SurfaceEntry[], appliance: Appliance, options: AppOptions): Promise<Named[]> {
  const surfaces: Named[] = []
  const site = {
    page: options.page,
    certificate: options.certificate ?? (() => undefined),
    findings: options.findings ?? (() => []),
    documents: () => Promise.all(surfaces.flatMap(({ document }) => document?.() ?? [])),
  }
  for (const { name, assemble } of entries) {
    const one = await assemble(appliance, site)
    surfaces.push({
      ...one,
      name,
      surface: withHsts(one.surface, appliance.https),
      declared: [...(one.endpoints ?? [])],
    })
  }
  return surfaces
}

/** What every answer needs, whichever surface gives it. */
const answeringFor = ({ config, counts }: Appliance, { answered }: AppOptions) => ({
  answered(request: Request, status: number, error?: unknown) {
    counts.requests.answered(request, status)
    answered?.(request, status, error)
  },
  callerOf: callerOf(config.listen['trusted-proxies'], config.listen['forwarded-header']),
})
type Answering = ReturnType<typeof answeringFor>

/** Mounts what is declared at the start, and the rest as requests need it. */
function mountAll(
  app: Hono<Env>,
  surfaces: Named[],
  { config, audit, incoming, known, tokens }: Appliance,
  failed: (error: unknown, c: Asked) => Response,
  how: Answering & Pick<MountOptions<never>, 'stopping' | 'checkResponses'>,
): LaterEndpoints {
  const shared = { ...how, app, config, audit, incoming, turns: new KeyedMutex() }
  const mounts = surfaces.map((one) => ({ one, surface: acquaint(one.surface, known, tokens), more: NOTHING }))
  let routes = new Routes()
  const mount = () => {
    routes = new Routes()
    // Only the surface's own endpoints use its dependencies.
    for (const { one, surface, more } of mounts)
      for (const { endpoints, deps } of [{ endpoints: one.endpoints ?? [], deps: one.deps }, more])
        routes.add({ ...shared, surface, endpoints, deps: deps as never })
    // A router takes no more routes once it has matched a request.
    app.router = new Hono<Env>().router
    app.routes = []
    routes.mountOn(app)
  }
  mount()
  answerFirst(app, () => routes, failed)
  const later = new LaterEndpoints()
  for (const entry of mounts)
    if (entry.one.later)
      later.add(entry.one.later, (declared) => {
        entry.more = declared
        entry.one.declared.push(...declared.endpoints)
        mount()
      })
  loadFirst(app, later)
  return later
}

const NOTHING: AnyDeclared = { endpoints: [], deps: undefined }

/** A request waits for the endpoints that it may be for; the others do not become asynchronous. */
function loadFirst(app: Hono<Env>, later: LaterEndpoints): void {
  const { fetch } = app
  app.fetch = (request, given, context) => {
    if (later.isEmpty) return fetch(request, given, context)
    const env = given ?? {}
    env.target ??= normalize(env.incoming?.url ?? request.url)
    const loading = env.target && later.need(env.target.route)
    if (!loading) return fetch(request, env, context)
    return loading.then(
      () => fetch(request, env, context),
      (error) => {
        env.unloaded = error
        return fetch(request, env, context)
      },
    )
  }
}

/** Answers requests that no endpoint takes. */
function refuseTheRest(
  hono: Hono<Env>,
  surfaces: Named[],
  { config, mode }: Appliance,
  answeringAt: (path: string, names?: readonly string[]) => Answering & { surface: Surface },
  later: LaterEndpoints,
): void {
  const templates = (names: readonly string[] | undefined) =>
    servedBy(surfaces, names).flatMap(({ declared }) =>
      declared.filter(({ enabled }) => enabled?.(config) ?? true).map(({ path }) => path),
    )
  hono.notFound(async (c) => {
    const target = c.env?.target
    // An encoded slash that no parameter took is refused as well (SEC-07).
    const refused = target?.route !== target?.path || !target
    // Of a refused target only the start of the path is used, to choose the shape of the refusal.
    const path = target?.path ?? rawPath(c.env?.incoming?.url)
    const names = c.env?.incoming?.surfaces
    const by = answeringAt(path, names)
    const cause = c.env?.unloaded
    if (cause !== undefined) return notFoundReply(c, by, new ApiError('internal', '', { cause }))
    if (mode !== 'strict') return notFoundReply(c, by)
    // A suggestion may be any path; without the rest there are fewer.
    if (!refused) await later.all()?.catch(() => {})
    return notFoundReply(c, by, refused ? invalid('') : notFound(noSuchPath(path, templates(names))))
  })
}

const createHono = () =>
  new Hono<Env>({
    strict: true,
    getPath: (request, extra) => {
      const env = (extra as { env?: Env['Bindings'] } | undefined)?.env
      // Already there if `loadFirst` or `answerFirst` looked for it.
      const target = env?.target ?? normalize(env?.incoming?.url ?? request.url)
      if (env && target) env.target = target
      return target?.route ?? REFUSED
    },
  })

/** The surface's headers with HSTS as it is set, or without it. */
const withHsts = (surface: Surface, https: HttpsSettings): Surface => ({
  ...surface,
  headers(request) {
    const headers = surface.headers(request)
    const hsts = https.hstsHeader()
    if (hsts === '') delete headers[HSTS]
    else if (hsts !== undefined) headers[HSTS] = hsts
    return headers
  },
})

const HSTS = 'Strict-Transport-Security'
