// `edge-admin serve`: opens the port, and stops cleanly. Everything that can fail is checked before the port opens, so
// the server never runs half started.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { type App, createApp } from '../app.ts'
import { selfSigner } from '../features/certs/self-sign.ts'
import type { Place } from '../features/check/place.ts'
import type { Watch } from '../features/check/watch.ts'
import { maskedLine } from '../features/jobs/redact.ts'
import { installation } from '../folders.ts'
import { createLog, type ServerLog } from '../http/server/access-log.ts'
import { type Listener, listen } from '../http/server/listener.ts'
import { certificateFile } from '../http/server/pair-files.ts'
import { placesOf } from '../http/server/places.ts'
import { reloader } from '../http/server/reloader.ts'
import { takeState } from '../tasks/server-lock.ts'
import { VERSION } from '../version.ts'
import { Failure, type Io, UsageError } from './command.ts'
import { CONFIG, statusOf, statusOfFile, TRY_AGAIN } from './exit-status.ts'
import { folderFailure } from './folder-failure.ts'
import { collectAtRest, keepHeapSmall } from './heap.ts'
import { endInterruptedExport } from './interrupted-export.ts'
import { listenFailure } from './listen-failure.ts'
import { readyFile } from './ready-file.ts'
import { type Plan, readPlan } from './serve-plan.ts'

/** Runs until a signal; resolves to the exit status. */
export async function serve(args: string[], { env }: Pick<Io, 'env'>): Promise<number> {
  let plan: Plan
  try {
    plan = readPlan(args, env)
  } catch (error) {
    if (error instanceof UsageError) throw error
    process.stderr.write(`edge-admin serve: ${error instanceof Error ? error.message : error}\n`)
    return CONFIG
  }
  return run(plan)
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function run(plan: Plan): Promise<number> {
  const { folders, config, configFile, host, port, keys, tls, mode, programs, logFile, readyFd, sentences } = plan
  keepHeapSmall()
  collectAtRest()
  const began = Date.now()
  const sayReady = readyFile(readyFd)
  // First of all: a second server must not even open the first one's log.
  let unwritable: [text: string, error: unknown] | undefined
  try {
    takeState(folders, { host, port }, (...words) => {
      unwritable = words
    })
  } catch (error) {
    process.stderr.write(`edge-admin serve: ${folderFailure(error, folders) ?? wordsOf(error)}\n`)
    return statusOf(error, TRY_AGAIN)
  }
  let isPutBack: boolean
  try {
    isPutBack = await endInterruptedExport(folders)
  } catch (error) {
    process.stderr.write(`edge-admin serve: ${wordsOf(error)}\n`)
    return statusOfFile(error instanceof Failure ? error.cause : error)
  }
  let log: ServerLog
  try {
    log = createLog({ ...config.log, file: logFile })
  } catch (error) {
    process.stderr.write(
      `edge-admin serve: ${config.log.file ? 'log.file' : '--default-log'}: ${error instanceof Error ? error.message : error}\n`,
    )
    return statusOfFile(error)
  }
  const { logger, answered, reopen, push, flush } = log
  const warn = (text: string, error?: unknown) => logger.warn({ err: error }, text)
  if (unwritable) warn(...unwritable)
  if (isPutBack) warn('what an export-original that was interrupted had done is put back')
  let listener: Listener | undefined
  const serving = reloader({ reload: async () => listener?.reloadCertificate(), warn })
  const sign = selfSigner(folders)
  const watch = async (running: App) => {
    const { watchSelfMade } = await import('../http/server/served-pair.ts')
    return watchSelfMade({
      ...{ folders, warn, sign },
      host: [host, ...running.ports.map((more) => more.host ?? host)],
      installing: () => running.tasks.isRunning('certs'),
      renewed(reason) {
        logger.info({ reason }, 'the self-made certificate was made anew')
        running.enter('certs.renewed', 'certs', reason)
        void running.saveState()
        serving.ask()
      },
    })
  }
  // From here on, or a log rotation right after the start would end the server.
  process.on('SIGHUP', () => {
    reopen()
    serving.ask()
  })
  let app: App | undefined
  let watched: Watch | undefined
  let anew: string | undefined
  try {
    app = await createApp({
      folders,
      config,
      mode,
      ...(programs !== undefined && { programs }),
      answered,
      warn,
      certificate: () => listener?.certificate(),
      port: {
        spoken: () => listener?.spoken() ?? [],
        changeTls: async (choice, store) => listener?.changeTls(choice, store),
      },
      findings: () => watched?.current() ?? [],
      scripts: join(installation(), 'scripts'),
      version: VERSION,
      environment: Object.fromEntries(
        Object.entries(process.env).filter(([name]) => /^EDGE_(PATH|FAULT|NETROOT)$/.test(name)),
      ) as Record<string, string>,
      onTaskEnd(task) {
        const { id, kind, status, error } = task
        if (error === undefined || status === 'cancelled') logger.info({ task: id, kind, status }, 'task ended')
        else logger.warn({ task: id, kind, status, code: error.code, reason: maskedLine(error.message) }, 'task ended')
        if (task.kind === 'certs') serving.ask()
      },
    })
    const { https, known, hono, refused, unparsed, ports: more, tasks } = app
    const installing = () => tasks.isRunning('certs')
    const places = placesOf(config, (address) => known.isKnown(address))
    const madeAnew = (reason: string) => {
      anew = reason
    }
    listener = await listen({
      app: hono,
      refused,
      unparsed,
      folders,
      host,
      port,
      more,
      tls,
      places,
      warn,
      madeAnew,
      installing,
      sign,
      tlsChoice: https.choice(),
    })
  } catch (error) {
    const failure = listenFailure(error, { host, port, keys })
    process.stderr.write(`edge-admin serve: ${failure?.text ?? folderFailure(error, folders) ?? wordsOf(error)}\n`)
    app?.close()
    flush()
    if (failure) return failure.permanent ? CONFIG : TRY_AGAIN
    return statusOf(error, 1)
  }
  if (mode === 'original')
    logger.warn(
      '--compat original: no back-off, old MD5 packages are taken, addresses are checked by their characters only. Not for use',
    )
  if (config.privilege === 'sudo' && config.surfaces.controller.enabled)
    warn(
      'surfaces.controller with "privilege": "sudo": a server that is not root can change little of the storage; see docs/storage.md',
    )
  const running = app
  const unwatch = tls ? await watch(running) : () => {}
  const { url, more } = listener
  logger.info({ url, ...(more.length > 0 && { more }), root: folders.root, version: VERSION }, 'listening')
  for (const sentence of sentences(listener.url)) logger.warn(sentence)
  push()
  try {
    sayReady()
  } catch (error) {
    warn(`--ready-fd ${readyFd}: nobody was told that the port is open`, error)
  }
  running.tidy()
  if (anew !== undefined) running.enter('certs.renewed', 'certs', anew)
  running
    .sweep()
    .catch((error) => warn('tasks that died could not be ended', error))
    .then(async () => {
      // Clients could not trust a certificate that changes with every boot.
      const isNew = tls && (statSync(certificateFile(folders), { throwIfNoEntry: false })?.mtimeMs ?? 0) >= began
      if (isNew || isPutBack) void running.saveState()
      await later(FIRST_REQUESTS, undefined, { ref: false })
      return running.runPolicies()
    })
    .catch((error) => warn('the snapshot policies do not run', error))
  const asked = { ...config, listen: { ...config.listen, host, port }, tls: { ...config.tls, enabled: tls } }
  watchAppliance({ configured: { settings: asked, file: configFile }, folders, programs }, logger)
    .then((watch) => {
      watched = watch
    })
    .catch((error) => warn('the appliance is not checked', error))
  return new Promise((done) => {
    let isStopping = false
    let isFinished = false
    // Runs once, at whichever comes first: state in memory is saved even if a request keeps the port open.
    const finish = () => {
      if (isFinished) return
      isFinished = true
      watched?.close()
      running.close()
      flush()
      done(0)
    }
    const stop = async () => {
      if (isStopping) return
      isStopping = true
      // Streams that still run after five seconds are cut.
      setTimeout(finish, 5000).unref()
      unwatch()
      serving.stop()
      running.hangUp()
      await listener?.close()
      finish()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

/** Milliseconds in which a server that has just opened its port answers requests before it does anything else. */
const FIRST_REQUESTS = 500

/**
 * The short form of `edge-admin check`, beside the requests. It is loaded only now, so that it does not delay the
 * start.
 */
async function watchAppliance(
  { configured, folders, programs }: Pick<Place, 'configured' | 'folders' | 'programs'>,
  logger: ServerLog['logger'],
): Promise<Watch> {
  await later(FIRST_REQUESTS, undefined, { ref: false })
  const [{ Watch }, { placeOf }] = await Promise.all([
    import('../features/check/watch.ts'),
    import('../features/check/here.ts'),
  ])
  const scripts = join(installation(), 'scripts')
  const watch = new Watch({
    place: () => placeOf({ folders, scripts, configured, programs, within: true }),
    found: ({ id, subject, message, mend }) => logger.warn({ check: id }, `${subject}: ${message}. To fix it: ${mend}`),
    mended: ({ id, subject }) => logger.info({ check: id }, `${subject}: fixed`),
    warn: (text, error) => logger.warn({ err: error }, text),
  })
  watch.start()
  return watch
}
