// A throw-away appliance with our server on it: in this process, or as the real program. Its hooks in bin/ only write a
// line into a log; a test that removes them would have the scripts change this machine's network, or reboot it.
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type App, createApp } from '../../src/app.ts'
import type { Clock } from '../../src/auth/clock.ts'
import { storeToken } from '../../src/auth/token.ts'
import { Configuration } from '../../src/config.ts'
import type { Finding } from '../../src/features/check/finding.ts'
import { makeFolders } from '../../src/features/installation/layout.ts'
import { makeSample } from '../../src/features/installation/sample.ts'
import type { Folders } from '../../src/folders.ts'
import type { Request } from '../../src/http/request.ts'
import { type Listener, listen } from '../../src/http/server/listener.ts'
import { placesOf } from '../../src/http/server/places.ts'
import type { Timing } from '../../src/http/server/timing.ts'
import { SURFACES, type SurfaceEntry } from '../../src/surfaces/table.ts'
import { sharedBundle, sharedFolder } from '../harness/shared-bundle.ts'
import { type Answer, type CallOptions, call, hashOf, until } from './client.ts'

export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const FIXTURES = join(REPOSITORY, '../shared/tools/jidoteki-replay/fixtures')
/** What stands for the console's built page. */
export const PAGE = join(REPOSITORY, 'test/fixtures/console')
export const TOKEN = 'yourtoken'
export const isRoot = process.getuid?.() === 0

const temporary = new Set<string>()
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-api-'))
  temporary.add(folder)
  return folder
}
process.on('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true })
})

let installed: string | undefined
/** The scripts, etc and the bundle as `make install` lays them: always of this source, whatever lies in dist/. */
export function installation(): string {
  if (installed) return installed
  const folder = temporaryFolder()
  for (const part of ['scripts', 'etc']) cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true })
  cpSync(PAGE, join(folder, 'console'), { recursive: true })
  cpSync(sharedBundle(), folder, { recursive: true })
  installed = folder
  return folder
}

type Settings = Record<string, unknown>

export interface Options {
  /** The token in force; null: none is set. */
  token?: string | null
  /** Members of edge-admin.json that replace the sample's. */
  config?: Settings
  /** The same where they name folders. */
  configure?: (folders: Folders) => Settings
  mode?: 'strict' | 'original'
  environment?: Record<string, string>
  /** The fixtures' keys instead of fresh ones, so that the recorded packages are good ones. */
  fixtureKeys?: boolean
  tls?: boolean
  checkResponses?: boolean
  /** Folder of the task scripts. */
  scripts?: string
  /** For the real program, instead of installation(). */
  installed?: string
  /** Folder of the storage programs (test/fakes). */
  programs?: string
  /** Runs once the folders are there and before the server starts. */
  prepare?: (folders: Folders) => void
  answered?: (request: Request, status: number, error?: unknown) => void
  /** Shorter limits for what a peer may take its time for. */
  timing?: Partial<Timing>
  /** Folder of the console's page. */
  page?: string
  /** The clock of the snapshot policies and of sessions. */
  now?: () => number
  /** The clock of sessions and log-ins. */
  clock?: Clock
  /** What the check of the appliance found. */
  findings?: () => Finding[]
  /** Surfaces of the test's own, and ports that may name them. */
  surfaces?: readonly SurfaceEntry[]
  ports?: Configuration['listen']['ports']
}

export interface Appliance {
  url: string
  folders: Folders
  /** Calls below /api/v1/admin (`/version`), signed with the token unless `token`, `hash` or `sign` is given (or `nobody`). */
  call: (method: string, path: string, options?: CallOptions & { nobody?: boolean }) => Promise<Answer>
  hash: (method: string, path: string) => string
  read: (file: string) => string
  audit: () => string[]
  /** Files of uploads that are under way or were left behind. */
  incoming: () => string[]
  close: () => Promise<void>
}

export interface InProcess extends Appliance {
  app: App
  listener: Listener
  warnings: string[]
}

/** The RSA key that signs packages. It takes longer to make than the rest of an appliance, so those of a run share one. */
function signingKey(): string {
  const file = join(sharedFolder(), 'updates.priv')
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    // Of two test files that make one at the same time, each finds a whole one.
    const made = `${file}.${process.pid}`
    writeFileSync(made, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    renameSync(made, file)
  }
  return file
}

/** Folders of a sample appliance, with a token. */
export function makeAppliance({ token = TOKEN, config, configure, fixtureKeys, prepare }: Options = {}): {
  folders: Folders
  configuration: Settings
} {
  const root = temporaryFolder()
  const folders = { root, sysconf: join(root, 'sysconf'), data: join(root, 'data'), state: join(root, 'state') }
  makeFolders(folders)
  if (fixtureKeys)
    for (const name of ['updates.key', 'updates.pub']) cpSync(join(FIXTURES, name), join(root, 'etc', name))
  mkdirSync(join(folders.state, 'vendor'), { recursive: true, mode: 0o700 })
  cpSync(fixtureKeys ? join(FIXTURES, 'updates.priv') : signingKey(), join(folders.state, 'vendor/updates.priv'))
  makeSample(folders)
  const file = join(folders.sysconf, 'edge-admin.json')
  const sample = JSON.parse(readFileSync(file, 'utf8')) as Settings
  // The first start of the controller costs a password's hash: only for the tests that are about it.
  const configuration = { ...sample, surfaces: { controller: { enabled: false } }, ...config, ...configure?.(folders) }
  writeFileSync(file, JSON.stringify(configuration))
  if (token !== null) storeToken(folders, token)
  prepare?.(folders)
  return { folders, configuration }
}

const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

function view(url: string, folders: Folders, token: string): Omit<Appliance, 'close'> {
  return {
    url,
    folders,
    read,
    hash: (method, path) => hashOf(token, method, `/api/v1/admin${path}`),
    call: (method, path, { nobody, ...options } = {}) => {
      const named = nobody || options.token !== undefined || options.hash !== undefined || options.sign !== undefined
      return call(url, method, `/api/v1/admin${path}`, named ? options : { ...options, sign: token })
    },
    audit: () => read(join(folders.root, 'log/jidoteki-audit.log')).split('\n').filter(Boolean),
    incoming: () =>
      [join(folders.root, 'tmp/incoming'), join(folders.state, 'incoming')].flatMap((folder) => readdirSync(folder)),
  }
}

/** The server in this process, on a real port of loopback. */
export async function startAppliance(options: Options = {}): Promise<InProcess> {
  const { folders, configuration } = makeAppliance(options)
  const warnings: string[] = []
  const warn = (text: string, error?: unknown) => void warnings.push(error ? `${text}: ${error}` : text)
  const parsed = Configuration.parse(configuration)
  const config = options.ports ? { ...parsed, listen: { ...parsed.listen, ports: options.ports } } : parsed
  let listener: Listener | undefined
  const app = await createApp(
    {
      folders,
      config,
      scripts: options.scripts ?? join(REPOSITORY, 'scripts'),
      page: options.page ?? PAGE,
      certificate: () => listener?.certificate(),
      port: {
        spoken: () => listener?.spoken() ?? [],
        changeTls: async (choice, store) => listener?.changeTls(choice, store),
      },
      version: '0.0.0-test',
      mode: options.mode ?? 'strict',
      checkResponses: options.checkResponses ?? true,
      warn,
      ...(options.programs !== undefined && { programs: options.programs }),
      ...(options.environment && { environment: options.environment }),
      ...(options.answered && { answered: options.answered }),
      ...(options.now && { now: options.now }),
      ...(options.clock && { clock: options.clock }),
      ...(options.findings && { findings: options.findings }),
    },
    [...SURFACES, ...(options.surfaces ?? [])],
  )
  const opened = await listen({
    app: app.hono,
    refused: app.refused,
    unparsed: app.unparsed,
    more: app.ports,
    folders,
    host: '127.0.0.1',
    port: 0,
    tls: options.tls ?? false,
    tlsChoice: app.https.choice(),
    places: placesOf(config, (address) => app.known.isKnown(address)),
    ...(options.timing && { timing: options.timing }),
    warn,
  })
  listener = opened
  return {
    ...view(opened.url, folders, options.token ?? TOKEN),
    app,
    listener: opened,
    warnings,
    async close() {
      app.hangUp()
      await opened.close()
      app.close()
      await removeAppliance(folders)
    },
  }
}

/** A task may still be writing its last status. */
async function removeAppliance({ root }: Folders): Promise<void> {
  await until('the appliance can be removed', () => {
    try {
      rmSync(root, { recursive: true, force: true })
      return true
    } catch {
      return false
    }
  })
  temporary.delete(root)
}

export interface Server extends Appliance {
  process: ChildProcess
  /** Everything that the process printed: its access log. */
  output: () => string
  /** Ends it with this signal and waits until it is gone; the folders stay. */
  kill: (signal: NodeJS.Signals) => Promise<void>
  /** Starts it again on the same folders, `otherwise` if so. */
  again: (otherwise?: Options) => Promise<Server>
}

/** The real program. */
export async function startServer(options: Options & { args?: string[] } = {}): Promise<Server> {
  const { folders } = makeAppliance(options)
  return serve(folders, options)
}

async function serve(folders: Folders, options: Options & { args?: string[] }): Promise<Server> {
  const child = spawn(
    process.execPath,
    [
      join(options.installed ?? installation(), 'edge-admin.js'),
      'serve',
      ...['--root', folders.root, '--sysconfdir', folders.sysconf, '--datadir', folders.data],
      ...['--statedir', folders.state, '--port', '0'],
      ...(options.tls ? [] : ['--no-tls']),
      ...(options.programs === undefined ? [] : ['--programs', options.programs]),
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...options.environment } },
  )
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await until('the server listens', () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${output}`)
    return /"url":"([^"]+)"/.exec(output)?.[1]
  })
  const kill = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await gone
  }
  return {
    ...view(url, folders, options.token ?? TOKEN),
    process: child,
    output: () => output,
    kill,
    again: (otherwise = {}) => serve(folders, { ...options, ...otherwise }),
    async close() {
      await kill('SIGKILL')
      await removeAppliance(folders)
    },
  }
}
