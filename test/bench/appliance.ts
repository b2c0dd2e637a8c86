// The server under measurement: the bundle on a sample appliance in a temporary folder, with a token of ours and its logs in files.

import type { ChildProcess } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { run, start } from './processes.ts'

export const BUNDLE = join(import.meta.dirname, '../../dist/edge-admin.js')
export const TOKEN = 'bench-token-0123456789'
/** The Node under measurement: BENCH_NODE, or the one that runs this. */
export const NODE = [process.env['BENCH_NODE'] ?? process.execPath, '--max-semi-space-size=4', '--expose-gc']
/** What scripts/edge-admin sets for the allocator: an upload would fragment the heap otherwise. */
export const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '4096',
  MALLOC_TRIM_THRESHOLD_: '131072',
  GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0',
}
const PREFIX = '/api/v1/admin'

export const sign = (method: string, path: string): string => {
  const key = createHash('sha256').update(TOKEN).digest('hex')
  return `${PREFIX}${path}?hash=${createHmac('sha256', key).update(`${method}${PREFIX}${path}`).digest('hex')}`
}

export interface Served {
  child: ChildProcess
  pid: number
  url: string
  /** Milliseconds from the start to the first answer. */
  started: number
}

export interface Appliance {
  root: string
  folders: string[]
  /** `more` for the program; for Node `options` and `environment`. */
  serve: (tls: boolean, more?: string[], options?: string[], environment?: Record<string, string>) => Promise<Served>
}

export async function makeAppliance(folder: string): Promise<Appliance> {
  const root = join(folder, 'appliance')
  await run(0, [...NODE, BUNDLE, 'init', '--root', root, '--sample'])
  writeFileSync(join(root, 'etc/api.token'), `sha256 ${createHash('sha256').update(TOKEN).digest('hex')}\n`)
  const file = join(root, 'sysconf/edge-admin.json')
  const config = JSON.parse(readFileSync(file, 'utf8'))
  mkdirSync(join(root, 'log'), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...config, log: { access: true, file: join(root, 'log/access.log') } }))
  const folders = ['--sysconfdir', `${root}/sysconf`, '--datadir', `${root}/data`, '--statedir', `${root}/state`]
  return {
    root,
    folders,
    serve(tls, more = [], nodeOptions = [], environment = {}) {
      const options = ['--root', root, ...folders, ...(tls ? [] : ['--no-tls']), ...more]
      const argv = (port: number) => [...NODE, ...nodeOptions, BUNDLE, 'serve', ...options, '--port', String(port)]
      return firstAnswer(argv, tls, environment)
    },
  }
}

/** Starts a server and asks it for its version until it answers. */
export async function firstAnswer(
  argv: (port: number) => string[],
  tls = false,
  environment: Record<string, string> = {},
): Promise<Served> {
  const port = await freePort()
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  const begun = performance.now()
  const child = start(0, argv(port), environment)
  while ((await statusOf(`${url}${sign('GET', '/version')}`)) !== 200) {
    if (child.exitCode !== null) throw new Error(`the server ended with status ${child.exitCode}`)
    if (performance.now() - begun > 120_000) throw new Error('the server did not answer')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return { child, pid: child.pid ?? 0, url, started: performance.now() - begun }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Status and body of an answer; status 0 when there is none. */
export function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const ask = url.startsWith('https') ? requestTls : request
    ask(url, { agent: false, rejectUnauthorized: false, headers }, (incoming) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        body += chunk
      })
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
    })
      .once('error', () => resolve({ status: 0, body: '' }))
      .end()
  })
}

const statusOf = async (url: string): Promise<number> => (await get(url)).status
