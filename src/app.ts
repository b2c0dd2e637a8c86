// The application: the appliance, and every surface that is on. Every API test uses it; it has no effects at import.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Hono } from 'hono'
import { atStart } from './appliance/at-start.ts'
import { type Appliance, type ApplianceOptions, createAppliance } from './appliance.ts'
import { ApiError, invalid, notFound } from './errors.ts'
import type { Finding } from './features/check/finding.ts'
import { acquaint } from './http/pipeline/acquaint.ts'
import { mount } from './http/pipeline/mount.ts'
import { noSuchPath } from './http/pipeline/near-path.ts'
import { normalize, rawPath } from './http/pipeline/path.ts'
import { notFoundReply, objectionReply } from './http/reply/answer.ts'
import type { Env, Request } from './http/request.ts'
import { callerOf } from './http/server/peer.ts'
import type { Surface } from './http/surface.ts'
import { KeyedMutex } from './store/keyed-mutex.ts'
import type { AssembledSurface } from './surfaces/assembled.ts'
import { surfacesOn } from './surfaces/table.ts'

export interface AppOptions extends ApplianceOptions {
  /** Folder of the console's built page. */
  page?: string
  /** The certificate that the port serves now, as PEM; undefined without TLS. */
  certificate?: () => string | undefined
  /** What is wrong with the appliance, when it was last looked at. */
  findings?: () => readonly Finding[]
  answered?: (request: Request, status: number, error?: unknown) => void
  checkResponses?: boolean
}

type Passed = 'tasks' | 'backOff' | 'known' | 'storage' | 'sweep' | 'runPolicies' | 'enter' | 'saveState'

export interface App extends Pick<Appliance, Passed> {
  hono: Hono<Env>
  /** The answer to a request whose first lines are not plain, in the shape of the surface that its path belongs to. */
  refused: (incoming: IncomingMessage, outgoing: ServerResponse, error: ApiError) => Response
  /** What a killed server left behind is tidied away, and measuring begins. Only for the server that has the port. */
  tidy: () => void
  /** Ends streams that have no end of their own, and answers what is held back, so that the port can be closed. */
  hangUp: () => void
  close: () => void
}

/** Where a target that `normalize` refused is routed to: no endpoint can have this path. */
const REFUSED = '/\0'

export async function createApp(options: AppOptions): Promise<App> {
  const { config } = options
  const entries = surfacesOn(config)
  const appliance = await createAppliance(options, new Set(entries.flatMap(({ needs }) => needs)))
  const { audit, known, tokens, mode, incoming, counts, warn } = appliance
  const surfaces: (AssembledSurface & { name: string })[] = []
  const site = {
    page: options.page,
    certificate: options.certificate ?? (() => undefined),
    findings: options.findings ?? (() => []),
    documents: () => surfaces.flatMap(({ document }) => document?.() ?? []),
  }
  const stopping = new AbortController()
  const hono = createHono()
  const answering = {
    answered(request: Request, status: number, error?: unknown) {
      counts.requests.answered(request, status)
      options.answered?.(request, status, error)
    },
    callerOf: callerOf(config.listen['trusted-proxies'], config.listen['forwarded-header']),
  }
  const shared = {
    ...{ ...answering, app: hono, config, audit, incoming },
    turns: new KeyedMutex(),
    stopping: stopping.signal,
    ...(options.checkResponses && { checkResponses: true }),
  }
  for (const { name, assemble } of entries) {
    const one = await assemble(appliance, site)
    const surface = config.tls.hsts ? one.surface : withoutHsts(one.surface)
    surfaces.push({ ...one, name, surface })
    // Its own endpoints alone look into its dependencies.
    mount({ ...shared, surface: acquaint(surface, known, tokens), endpoints: one.endpoints, deps: one.deps as never })
  }

  const templates = surfaces.flatMap(({ endpoints }) =>
    endpoints.filter(({ enabled }) => enabled?.(config) ?? true).map(({ path }) => path),
  )
  /** A path that no endpoint takes belongs to the surface that claims it, or else to the first one. */
  const answeringAt = (path: string) => ({
    ...answering,
    surface: (surfaces.find(({ owns }) => owns?.(path)) ?? surfaces[0]!).surface,
  })
  hono.notFound((c) => {
    const target = c.env?.target
    // An encoded slash that no parameter took is refused as well (SEC-07).
    const refused = target?.route !== target?.path || !target
    // Of a target that was refused only the beginning is looked at, for the shape of the refusal.
    const path = target?.path ?? rawPath(c.env?.incoming?.url)
    const by = answeringAt(path)
    if (mode !== 'strict') return notFoundReply(c, by)
    return notFoundReply(c, by, refused ? invalid('') : notFound(noSuchPath(path, templates)))
  })
  hono.onError((error, c) => notFoundReply(c, answeringAt(''), new ApiError('internal', '', { cause: error })))

  return {
    ...appliance,
    hono,
    refused(incoming, outgoing, error) {
      const asked = { env: { incoming, outgoing }, req: { method: incoming.method ?? 'GET' } }
      const by = answeringAt(rawPath(incoming.url))
      return objectionReply(asked, normalize(incoming.url ?? '')?.path ?? '', by, error)
    },
    tidy() {
      appliance.tidy()
      for (const { name, start } of surfaces) if (start) atStart(`the ${name} surface does not begin`, start, warn)
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

const createHono = () =>
  new Hono<Env>({
    strict: true,
    getPath: (request, extra) => {
      const env = (extra as { env?: Env['Bindings'] } | undefined)?.env
      const target = normalize(env?.incoming?.url ?? request.url)
      if (env && target) env.target = target
      return target?.route ?? REFUSED
    },
  })

const withoutHsts = (surface: Surface): Surface => ({
  ...surface,
  headers(request) {
    const { 'Strict-Transport-Security': _, ...rest } = surface.headers(request)
    return rest
  },
})
