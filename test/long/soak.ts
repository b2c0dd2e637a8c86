// `make soak`: an hour of mixed load on the built program, with storage on the fakes, and what it leaves behind: memory, descriptors, folders.
// SOAK=MINUTES chooses another time. The figures are printed; nothing in `make test` depends on them.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { few, median, quantile } from '../bench/numbers.ts'
import { cpuTime, memory, run, running, start, stop } from '../bench/processes.ts'
import { installFakes } from '../fakes/install.ts'
import * as callers from './callers.ts'

const MINUTES = Number(process.env['SOAK'] ?? 60)
/** Seconds between two looks at the server. */
const LOOK = 2
/** Every so many minutes the load pauses, and what the server takes at rest is read. */
const PAUSE = Math.max(1, Math.min(10, MINUTES / 6))
/** As an installation starts it. */
const PROGRAM = join(import.meta.dirname, '../../scripts/edge-admin')
const TOKEN = 'soak-token-0123456789'
const PASSWORD = 'soak-password-1'

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-soak-'))
const clean = async () => {
  await Promise.all([...running].map(stop))
  rmSync(folder, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => clean().finally(() => process.exit(1)))

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

async function serve(): Promise<{ target: callers.Target; pid: number; root: string }> {
  const root = join(folder, 'appliance')
  await run(0, [PROGRAM, 'init', '--root', root, '--sample'])
  const fakes = installFakes(join(folder, 'fakes'))
  fakes.change((model) => {
    for (let i = 1; i <= 4; i++) model.disks[`/dev/fake${i}`] = { size: 4e12, links: [`/dev/disk/by-id/fake-DISK${i}`] }
  })
  writeFileSync(join(root, 'etc/api.token'), `sha256 ${createHash('sha256').update(TOKEN).digest('hex')}\n`)
  const file = join(root, 'sysconf/edge-admin.json')
  const config = JSON.parse(readFileSync(file, 'utf8'))
  config.surfaces.controller['requests-per-minute'] = 0
  config.storage['exports-folder'] = join(fakes.folder, 'exports.d')
  mkdirSync(join(root, 'log'), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...config, log: { access: true, file: join(root, 'log/access.log') } }))
  writeFileSync(join(root, 'data/home/user/big'), Buffer.alloc(20 * 2 ** 20, 'soak'))
  const noise = join(folder, 'noise')
  spawnSync('sh', ['-c', 'head -c 33554432 /dev/urandom >"$0"', noise])
  const port = await freePort()
  const folders = ['--sysconfdir', `${root}/sysconf`, '--datadir', `${root}/data`, '--statedir', `${root}/state`]
  const child = start(0, [
    ...[PROGRAM, 'serve', '--root', root, ...folders],
    ...['--port', String(port), '--programs', fakes.programs],
  ])
  child.stdout?.resume()
  const target = { port, token: TOKEN, password: PASSWORD, jwt: '', noise }
  for (let i = 0; i < 600; i++) {
    const answer = await callers.admin(target, 'GET', '/version').catch(() => undefined)
    if (answer?.status === 200) break
    await sleep(0.1)
  }
  const once = readFileSync(join(root, 'state/admin.password'), 'utf8').trim()
  const first = await callers.send(target, 'POST', '/api/v1/auth/login', {
    json: { username: 'admin', password: once },
  })
  target.jwt = JSON.parse(first.text).token
  const changed = await callers.storage(target, 'PUT', '/auth/password', { current: once, password: PASSWORD })
  target.jwt = JSON.parse(changed.text).token
  await callers.storage(target, 'POST', '/users', { username: 'visitor', password: PASSWORD, role: 'viewer' })
  const pool = { name: 'tank', vdevs: ['mirror', '/dev/fake1', '/dev/fake2'] }
  const made = await callers.storage(target, 'POST', '/pools', pool)
  if (made.status !== 201) throw new Error(`no pool: ${made.text}`)
  return { target, pid: child.pid ?? 0, root }
}

const tally = new Map<string, number>()
const failures = new Map<string, number>()
let uploading = 0
let paused = false
let over = false

/** Lets a caller act again and again, `every` so many seconds, until the end; not while the load pauses. */
async function actor(name: string, every: number, act: () => Promise<unknown>, transfers = false): Promise<void> {
  while (!over) {
    const begun = performance.now()
    if (!paused) {
      if (transfers) uploading += 1
      try {
        await act()
        tally.set(name, (tally.get(name) ?? 0) + 1)
      } catch (error) {
        const key = `${name}: ${error instanceof Error ? error.message : error}`
        failures.set(key, (failures.get(key) ?? 0) + 1)
      } finally {
        if (transfers) uploading -= 1
      }
    }
    await sleep(Math.max(0.02, every - (performance.now() - begun) / 1000))
  }
}

interface Look {
  rss: number
  descriptors: number
  folders: number
}

const count = (path: string): number => {
  try {
    return readdirSync(path, { recursive: true }).length
  } catch {
    return 0
  }
}

const look = (pid: number, root: string): Look => ({
  rss: memory(pid, 'VmRSS'),
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
  folders: count(join(root, 'state')) + count(join(root, 'tmp')) + count(join(root, 'home')) + count(join(root, 'log')),
})

/** The load pauses for 40 seconds; what is read at the end of it. */
async function atRest(pid: number, root: string): Promise<Look> {
  paused = true
  await sleep(30)
  const looks: Look[] = []
  for (let i = 0; i < 5; i++) {
    looks.push(look(pid, root))
    await sleep(2)
  }
  paused = false
  const middle = (of: (one: Look) => number) => median(looks.map(of))
  return { rss: middle((l) => l.rss), descriptors: middle((l) => l.descriptors), folders: middle((l) => l.folders) }
}

const words = ({ rss, descriptors, folders }: Look) => `${few(rss)} MB, ${descriptors} descriptors, ${folders} files`

async function main(): Promise<void> {
  const { target, pid, root } = await serve()
  const first = await atRest(pid, root)
  say(`at rest, before the load: ${words(first)}`)
  const cpu = cpuTime(pid)
  const actors = [
    actor('public GET', 0.25, () => callers.publicGet(target)),
    actor('admin GET', 0.1, () => callers.adminGet(target)),
    actor('storage GET', 1, () => callers.storageGet(target)),
    actor('metrics', 5, () => callers.readMetrics(target)),
    actor('wrong hash', 0.3, () => callers.wrongHash(target)),
    actor('wrong path', 1, () => callers.wrongPath(target)),
    actor('wrong log-in', 2, () => callers.wrongLogin(target)),
    actor('log-in and out', 3, () => callers.logInAndOut(target)),
    actor('console visit', 6, () => callers.visitConsole(target)),
    actor('storage change', 6, () => callers.changeStorage(target)),
    ...Array.from({ length: 10 }, () => actor('event reader', 1, () => callers.readEvents(target))),
    ...Array.from({ length: 10 }, () => actor('bad connection', 1, () => callers.badConnection(target))),
    actor('upload', 60, () => callers.upload(target), true),
    actor('backup', 90, () => callers.administer(target), true),
  ]
  const busy: number[] = []
  const loaded: number[] = []
  const rests: Look[] = []
  const end = performance.now() + MINUTES * 60_000
  let next = performance.now() + PAUSE * 60_000
  while (performance.now() < end) {
    await sleep(LOOK)
    const { rss } = look(pid, root)
    ;(uploading > 0 ? loaded : busy).push(rss)
    if (performance.now() < next) continue
    const rest = await atRest(pid, root)
    rests.push(rest)
    say(`at rest: ${words(rest)}; under load the highest so far ${few(Math.max(...busy))} MB`)
    next = performance.now() + PAUSE * 60_000
  }
  over = true
  await Promise.all(actors)
  const last = await atRest(pid, root)
  say(`at rest, after ${MINUTES} minutes: ${words(last)}`)
  say(`memory at rest: ${few(last.rss - first.rss)} MB over the start (<= 10)`)
  say(
    `under load, outside transfers: highest ${few(Math.max(...busy) - first.rss)} MB over the start (<= 30), 99 of 100 below ${few(quantile(busy, 0.99) - first.rss)}`,
  )
  if (loaded.length > 0) say(`during transfers: highest ${few(Math.max(...loaded) - first.rss)} MB over the start`)
  say(`CPU ${few((cpuTime(pid) - cpu) / 1e6)} s`)
  for (const [name, times] of tally) say(`${name}: ${times}`)
  for (const [name, times] of failures) say(`FAILED ${name}: ${times}`)
  for (const part of ['state', 'tmp', 'home', 'log'])
    say(
      `files in ${part}: ${count(join(root, part))}; ${spawnSync('du', ['-sh', join(root, part)], { encoding: 'utf8' }).stdout.split('\t')[0]}`,
    )
}

try {
  await main()
} finally {
  await clean()
}
