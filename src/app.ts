// The application: the order of what every request crosses, and every endpoint. Every API test uses it; it has no effects at import.

import { readdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Hono } from 'hono'
import { BackOff } from './auth/back-off.ts'
import { countBoots } from './auth/boots.ts'
import { CLOCK, type Clock } from './auth/clock.ts'
import { ConsoleSessions } from './auth/console-sessions.ts'
import { KnownAddresses } from './auth/known-addresses.ts'
import { TokenStore } from './auth/token.ts'
import type { Configuration } from './config.ts'
import { createTool } from './drivers/programs.ts'
import { createRun } from './drivers/run.ts'
import { RC_SERVICE, SYSTEMCTL, serviceManager } from './drivers/service-manager.ts'
import { DEFAULT_ENDPOINTS } from './endpoint-names.ts'
import { ApiError, invalid, notFound } from './errors.ts'
import type { Finding } from './features/check/finding.ts'
import { HealthMonitor } from './features/health/health.ts'
import { removeLeftovers } from './features/installation/leftovers.ts'
import { sayNeverBegan } from './features/installation/never-began.ts'
import { literals, maskedLine } from './features/jobs/redact.ts'
import { secretsOf } from './features/jobs/secrets.ts'
import { failureOf } from './features/jobs/view.ts'
import { InstalledLicense, licenseScript } from './features/license/installed.ts'
import { memoryImage } from './features/memory-image.ts'
import { tokenSetter } from './features/setup/setup.ts'
import type { Scheduler } from './features/snapshots/scheduler.ts'
import { recordUnreportedFailure } from './features/update/update.ts'
import { auditFolder, consolePage, etc, type Folders, log, uploads } from './folders.ts'
import type { Endpoint } from './http/endpoint.ts'
import { openapiDocument } from './http/openapi.ts'
import { acquaint } from './http/pipeline/acquaint.ts'
import { AuditLog, resourceOf } from './http/pipeline/audit.ts'
import { mount } from './http/pipeline/mount.ts'
import { noSuchPath } from './http/pipeline/near-path.ts'
import { normalize, rawPath } from './http/pipeline/path.ts'
import { notFoundReply, objectionReply } from './http/reply/answer.ts'
import { Rendered } from './http/reply/rendered.ts'
import type { Env, Request } from './http/request.ts'
import { RequestCounts } from './http/server/counts.ts'
import { callerOf } from './http/server/peer.ts'
import type { Surface } from './http/surface.ts'
import { readLine } from './store/atomic.ts'
import { AuditChain } from './store/audit/chain.ts'
import { Inbox } from './store/audit/inbox.ts'
import { CachedFile } from './store/cached-file.ts'
import { ensureFolder } from './store/ensure-folder.ts'
import { KeyedMutex } from './store/keyed-mutex.ts'
import { type AdminDeps, PREFIX } from './surfaces/admin/deps.ts'
import { adminEndpoints } from './surfaces/admin/endpoints.ts'
import { adminSurface } from './surfaces/admin/surface.ts'
import { Failure } from './surfaces/admin/words.ts'
import type { Controller } from './surfaces/controller/assemble.ts'
import { TaskEndings } from './tasks/endings.ts'
import type { Task } from './tasks/task.ts'
import { Tasks } from './tasks/tasks.ts'

export interface AppOptions {
  folders: Folders
  config: Configuration
  /** Folder of the task scripts. */
  scripts: string
  version: string
  mode?: 'strict' | 'original'
  /** Folder of the storage programs, in place of the system's folders (tests, and trying things out). */
  programs?: string
  /** More of the script environment (tests: programs of their own, faults). */
  environment?: Record<string, string>
  /** Folder of the console's built page. */
  page?: string
  /** The certificate that the port serves now, as PEM; undefined without TLS. */
  certificate?: () => string | undefined
  /** What is wrong with the appliance, when it was last looked at. */
  findings?: () => readonly Finding[]
  /** The clock that snapshot policies and sessions go by, in milliseconds since 1970. */
  now?: () => number
  /** The machine's clocks, that log-ins and tokens go by. */
  clock?: Clock
  onTaskEnd?: (task: Task) => void
  answered?: (request: Request, status: number, error?: unknown) => void
  warn?: (text: string, error?: unknown) => void
  checkResponses?: boolean
}

export interface App {
  hono: Hono<Env>
  /** The answer to a request whose first lines are not plain, in the dialect of its path. */
  refused: (incoming: IncomingMessage, outgoing: ServerResponse, error: ApiError) => Response
  tasks: Tasks
  backOff: BackOff
  /** Where accounts and the API token were proven from. */
  known: KnownAddresses
  /** Drops the uploads that a killed server left behind, mends the end of its audit log, and begins to measure. Only for whoever has the port: another server may be receiving them. */
  tidy: () => void
  /** Sets the final status of tasks that died, and removes files that killed programs left. Call it only once the port is open. */
  sweep: () => Promise<void>
  /** Runs the snapshot policies; started by whoever has the port. Undefined without the controller surface. */
  scheduler: Scheduler | undefined
  /** Writes an act of our own into the audit log. */
  enter: (event: string, resource: string, target: string) => void
  /** Saves what was changed, where the image runs from memory. */
  saveState: () => Promise<void>
  /** Ends streams that have no end of their own, and what is held back is answered, so that the port can be closed. */
  hangUp: () => void
  close: () => void
}

const SUDO = '/usr/bin/sudo'

/** Milliseconds between two looks for what commands have left for the audit log. */
const LOOK = 5000

/** Where a target that `normalize` refused is routed to: no endpoint can have this path. */
const REFUSED = '/\0'

export async function createApp(options: AppOptions): Promise<App> {
  const began = Date.now()
  const { folders, config, mode = 'strict', warn = () => {} } = options
  // Its schemas alone are a seventh of a start: loaded only where it is switched on.
  const { assembleController } = config.surfaces.controller.enabled
    ? await import('./surfaces/controller/assemble.ts')
    : { assembleController: undefined }
  const { assembleConsole } = config.surfaces.console.enabled
    ? await import('./surfaces/console/assemble.ts')
    : { assembleConsole: undefined }
  const counts = { requests: new RequestCounts(), tasks: new TaskEndings() }
  const answered: NonNullable<AppOptions['answered']> = (request, status, error) => {
    counts.requests.answered(request, status)
    options.answered?.(request, status, error)
  }
  const incoming = prepareFolders(folders)
  const leftovers = Object.values(incoming).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  const unwritten = (error: unknown) => warn('the audit log cannot be written', error)
  const chain = new AuditChain({
    folder: auditFolder(folders),
    keyFile: join(folders.state, 'audit.key'),
    size: config.audit.size,
    failed: unwritten,
    found: (text) => warn(`the audit log: ${text}`),
  })
  const audit = new AuditLog(log(folders, 'jidoteki-audit.log'), unwritten, chain, {
    size: config.audit.size,
    lines: config.log.size,
    ungathered: mode === 'original',
  })
  // From the commands that change something without the server.
  const inbox = new Inbox([folders.state, join(folders.root, 'etc')], {
    enter: ({ at, action, resource, by }, unsure) =>
      audit.write({
        ...{ event: action, target: resource, resource, actor: 'local', account: 'local', address: 'local', agent: by },
        ...(unsure && { failure: `interrupted at ${at}: whether it was done is not known` }),
      }),
    saved: () => audit.saved(),
    warn,
  })
  let looking: NodeJS.Timeout | undefined
  const backOff = new BackOff(join(folders.state, 'back-off.json'), options.clock)
  const tokens = new TokenStore(folders, warn)
  const initFolder = join(folders.sysconf, 'init.d')
  const run = createRun(
    (program) =>
      program === SYSTEMCTL ||
      program === RC_SERVICE ||
      program === licenseScript(folders) ||
      program.startsWith(`${initFolder}/`) ||
      (config.privilege === 'sudo' && program === SUDO),
  )
  const tasks = new Tasks({
    folders,
    scripts: options.scripts,
    privilege: config.privilege,
    wrapped: config.wrapper !== undefined,
    environment: {
      ...scriptEnvironment(config, mode),
      ...(options.programs !== undefined && { EDGE_PATH: options.programs }),
      ...options.environment,
    },
    longest: config.limits['task-seconds'],
    mask: (line) => maskedLine(line, literals(secretsOf(folders))),
    onEnd(task) {
      counts.tasks.add(task)
      sayNeverBegan(folders, config.label, task)
      try {
        if (task.kind === 'update') recordUnreportedFailure(folders, tasks)
        if (task.kind === 'pool-import') controller?.imported()
      } catch (error) {
        // Under sudo the files are root's; what we answer does not need them.
        warn('the end of an update could not be written down', error)
      }
      options.onTaskEnd?.(task)
    },
    async onPendingAudit(entry, task, again) {
      const failure = failureOf(task)
      const { event, action = event.replace(/\.success$/, ''), target, account, actor, request } = entry
      const resource = entry.resource ?? resourceOf(target)
      const isEntered = () =>
        chain
          .find({ action, resource, since: Date.parse(task.created_at), limit: 20 })
          .some((one) => one.request === request && one.actor === account)
      if (!again || !isEntered()) {
        const line = failure === undefined ? event : `${event.replace(/\.success$/, '')}.failed`
        audit.write({ ...entry, event: line, action, resource, account, name: actor, failure })
      }
      await audit.saved()
    },
    warn,
  })
  const memory = memoryImage({ tasks, prefix: options.environment?.['EDGE_NETROOT'], warn })
  const wrapped = config.wrapper !== undefined
  const setToken = tokenSetter({ folders, tokens, tasks, memory, label: config.label, wrapped })
  const now = options.now ?? Date.now
  const clock = options.clock ?? CLOCK
  const boot = countBoots(folders.state, clock)
  const sessions: ConsoleSessions | undefined = assembleConsole
    ? new ConsoleSessions({
        file: join(folders.state, 'sessions.json'),
        idle: config.surfaces.console['idle-minutes'] * 60,
        users: () => users()?.all() ?? [],
        tokenKey: () => tokens.current(),
        clock: options.now ? { ...clock, wall: now, steady: now } : clock,
        boot,
        warn,
      })
    : undefined
  const users = () => controller?.deps.accounts.users
  const known = new KnownAddresses({
    file: join(folders.state, 'known-addresses.json'),
    ...(options.clock && { clock: options.clock }),
    stands({ account, version }) {
      if (account === 'token') return tokens.proof()?.version === version
      const user = users()?.byId(account)
      return user?.active === true && String(user.generation) === version
    },
  })
  const surface = adminSurface({ folders, config, tokens, backOff, audit, mode, sessions })
  const version = etc(folders, 'version.txt')
  const deps: AdminDeps = {
    folders,
    config,
    mode,
    tokens,
    setToken,
    backOff,
    tasks,
    memory,
    audit,
    warn,
    version: options.version,
    license: new InstalledLicense({ folders, tasks, run, memory, label: config.label, warn }),
    installedVersion: new CachedFile(version, () => readLine(version)),
    services: serviceManager(
      config['service-manager'],
      initFolder,
      run,
      config.privilege === 'sudo' ? [SUDO, '-n', '--', join(options.scripts, 'services.sh'), 'status'] : undefined,
      warn,
    ),
    health: new HealthMonitor(folders, warn),
    rendered: new Rendered(),
    openapi: () => describe(config, options.version),
    documents: () => [deps.openapi(), ...(controller ? [controller.deps.openapi()] : [])],
    paths: () =>
      [...new Set([...DEFAULT_ENDPOINTS, ...config.endpoints])]
        .sort()
        .map((name) => `${PREFIX}/${name}`)
        .concat('/docs'),
  }
  const told = <S extends Surface>(one: S): S => (config.tls.hsts ? one : { ...one, headers: withoutHsts(one.headers) })
  const hono = new Hono<Env>({
    strict: true,
    getPath: (request, extra) => {
      const env = (extra as { env?: Env['Bindings'] } | undefined)?.env
      const target = normalize(env?.incoming?.url ?? request.url)
      if (env && target) env.target = target
      return target?.route ?? REFUSED
    },
  })
  const stopping = new AbortController()
  const answering = {
    answered,
    callerOf: callerOf(config.listen['trusted-proxies'], config.listen['forwarded-header']),
  }
  const shared = {
    ...answering,
    app: hono,
    config,
    audit,
    turns: new KeyedMutex(),
    stopping: stopping.signal,
    incoming,
    ...(options.checkResponses && { checkResponses: true }),
  }
  const surfaceOf = (one: Surface) => acquaint(told(one), known, tokens)
  mount({ ...shared, surface: surfaceOf(surface), endpoints: adminEndpoints, deps })
  const controller = assembleController?.({
    folders,
    config,
    version: options.version,
    tasks,
    audit,
    chain: {
      findInTurns(filter) {
        // Whoever asks right after a command finds it.
        if (looking) inbox.look()
        return chain.findInTurns(filter)
      },
    },
    warn,
    counts,
    tool: createTool(options.programs, options.scripts),
    trial: options.programs !== undefined,
    now,
    sessions,
    known,
    clock,
    boot,
  })
  if (controller)
    mount({ ...shared, surface: surfaceOf(controller.surface), endpoints: controller.endpoints, deps: controller.deps })
  const { health, services, installedVersion } = deps
  const webConsole =
    sessions &&
    assembleConsole?.({
      ...{
        folders,
        config,
        mode,
        version: options.version,
        tokens,
        setToken,
        backOff,
        tasks,
        audit,
        warn,
        now,
        sessions,
      },
      ...{ health, services, installedVersion },
      certificate: options.certificate ?? (() => undefined),
      findings: options.findings ?? (() => []),
      page: () => options.page ?? consolePage(),
      controller: controller && consoleParts(controller.deps),
    })
  if (webConsole)
    mount({ ...shared, surface: surfaceOf(webConsole.surface), endpoints: webConsole.endpoints, deps: webConsole.deps })
  const templates = [adminEndpoints, controller?.endpoints ?? [], webConsole?.endpoints ?? []].flatMap((table) =>
    (table as Pick<Endpoint<unknown>, 'path' | 'enabled'>[])
      .filter(({ enabled }) => enabled?.(config) ?? true)
      .map(({ path }) => path),
  )
  const answeringAt = (path: string) => {
    const whose = [controller, webConsole].find((one) => one?.isOwnPath(path))?.surface ?? surface
    return { ...answering, surface: told(whose) }
  }
  hono.notFound((c) => {
    const target = c.env?.target
    // An encoded slash that no parameter took is refused as well (SEC-07).
    const refused = target?.route !== target?.path || !target
    // Of a target that was refused only the beginning is looked at, for the dialect of the refusal.
    const path = target?.path ?? rawPath(c.env?.incoming?.url)
    const by = answeringAt(path)
    if (mode !== 'strict') return notFoundReply(c, by)
    return notFoundReply(c, by, refused ? invalid('') : notFound(noSuchPath(path, templates)))
  })
  hono.onError((error, c) =>
    notFoundReply(c, { ...answering, surface: told(surface) }, new ApiError('internal', '', { cause: error })),
  )
  return {
    hono,
    refused(incoming, outgoing, error) {
      const asked = { env: { incoming, outgoing }, req: { method: incoming.method ?? 'GET' } }
      const by = answeringAt(rawPath(incoming.url))
      return objectionReply(asked, normalize(incoming.url ?? '')?.path ?? '', by, error)
    },
    tasks,
    backOff,
    known,
    scheduler: controller?.scheduler,
    tidy() {
      // On a disk that refuses one of them the others are done all the same: a server that has its port must not end for this.
      const each = (what: string, act: () => void) => {
        try {
          act()
        } catch (error) {
          warn(`at the start: ${what}`, error)
        }
      }
      for (const path of leftovers)
        each('an upload that was cut off cannot be removed', () => rmSync(path, { recursive: true, force: true }))
      each('the audit log cannot be opened', () => chain.start())
      each('what commands left for the audit log cannot be read', () => inbox.look())
      looking = setInterval(() => inbox.look(), LOOK).unref()
      each('what the controller left cannot be tidied away', () => controller?.tidy())
      each('the console’s events do not start', () => webConsole?.start())
    },
    enter: (event, resource, target) => audit.write({ event, resource, target, account: 'system', address: 'local' }),
    async sweep() {
      await tasks.sweep()
      removeLeftovers({ folders, tasks, wrapped, began, warn })
    },
    saveState: () => memory.save(),
    hangUp() {
      stopping.abort()
      controller?.hangUp()
      webConsole?.hangUp()
    },
    close() {
      tasks.close()
      clearInterval(looking)
      backOff.save()
      known.save()
      controller?.close()
      webConsole?.close()
      audit.close()
    },
  }
}

const withoutHsts =
  (headers: Surface['headers']): Surface['headers'] =>
  (request) => {
    const { 'Strict-Transport-Security': _, ...rest } = headers(request)
    return rest
  }

/** What the console shows and changes of the controller surface: no surface imports another. */
const consoleParts = ({ accounts, limits, pools, zfs, serving }: Controller['deps']) => ({
  accounts,
  limits,
  storage: { zpool: pools.zpool, zfs, serving },
})

/** Makes the folders that requests need. Returns those for uploads while they arrive. */
function prepareFolders(folders: Folders): Record<'uploads' | 'task', string> {
  const incoming = { uploads: join(folders.root, 'tmp/incoming'), task: join(folders.state, 'incoming') }
  for (const folder of [uploads(folders), join(folders.root, 'log'), folders.state, ...Object.values(incoming)])
    ensureFolder(folder)
  return incoming
}

const scriptEnvironment = (config: Configuration, mode: 'strict' | 'original') => ({
  EDGE_LABEL: config.label,
  EDGE_LEGACY_MD5: config['legacy-md5'] || mode === 'original' ? '1' : '0',
  EDGE_UNPACK_LIMIT: String(config.limits.unpacked),
  EDGE_ENTRY_LIMIT: String(config.limits.entries),
  EDGE_LOG_SIZE: String(config.log.size),
  EDGE_HOOK_SECONDS: String(config.limits['hook-seconds']),
  ...(config.wrapper && { EDGE_WRAPPER: config.wrapper }),
})

/** The OpenAPI document of what this configuration serves, as JSON text. */
export function describe(config: Configuration, version: string): string {
  const endpoints = adminEndpoints.filter(({ enabled }) => enabled?.(config) ?? true)
  const document = openapiDocument(endpoints, {
    title: 'Edge Admin: admin surface',
    version,
    description:
      'Set-up, updates, settings, certificates, license, storage, backup and support of a storage appliance.',
    config,
    credentials: {
      hash: 'HMAC-SHA256 of METHOD+path, hexadecimal; the key is the hexadecimal SHA-256 of the token',
      token: 'The API token itself',
    },
    failure: Failure,
  })
  return JSON.stringify(document)
}
