// `make bench`: speed and size as ratios to bare references, next to their targets (no test depends on them).
// Everything it makes lies in one temporary folder and everything it starts is ended by its process id, also when it is
// interrupted.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { firstAnswer, makeAppliance, NODE, TOKEN } from './appliance.ts'
import { measureAudit } from './audit.ts'
import { measureConsole } from './console.ts'
import { measureDashboard } from './dashboard.ts'
import { measureEvents } from './events.ts'
import { measureLists } from './lists.ts'
import { measureLogin } from './login.ts'
import { printTable } from './numbers.ts'
import { measurePeak } from './peak.ts'
import { running, stop } from './processes.ts'
import { measurePublic, measureScreening } from './public.ts'
import { measureRequests } from './requests.ts'
import { measureSmallThings } from './small.ts'
import { measureSnapshots } from './snapshots.ts'
import { measureStart } from './start.ts'
import { measureTask } from './task.ts'
import { measureTls } from './tls.ts'
import { measureUpdate } from './update.ts'
import { measureUploads } from './upload.ts'

const MEGABYTES = 512
/** The parts that write files of that size. */
const LARGE = ['upload', 'peak', 'update']
const parts = process.argv.slice(2)
const wanted = (part: string) => parts.length === 0 || parts.includes(part)

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-bench-'))
const clean = async () => {
  await Promise.all([...running].map(stop))
  rmSync(folder, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => clean().finally(() => process.exit(1)))

async function main(): Promise<void> {
  const { bavail, bsize } = statfsSync(folder)
  if (LARGE.some(wanted) && bavail * bsize < 8 * MEGABYTES * 2 ** 20)
    throw new Error(`${tmpdir()}: less than ${MEGABYTES * 8} MB are free`)
  for (const name of ['bare', 'load', 'hello', 'task-alone']) {
    const entry = join(import.meta.dirname, `${name}.ts`)
    await build({
      entryPoints: [entry],
      outfile: join(folder, `${name}.mjs`),
      bundle: true,
      platform: 'node',
      format: 'esm',
      minify: name === 'hello',
    })
  }
  const bare = (kind: string) => (port: number) => [
    process.execPath,
    join(folder, 'bare.mjs'),
    kind,
    String(port),
    TOKEN,
    join(folder, 'bare-upload'),
  ]
  const loader = { wrk: spawnSync('wrk', ['-v']).error === undefined, client: join(folder, 'load.mjs') }
  const appliance = await makeAppliance(folder)
  if (wanted('start')) await measureStart(appliance, join(folder, 'hello.mjs'), folder, 9)
  const ours = await appliance.serve(false)
  const json = await firstAnswer(bare('json'))
  const hmac = await firstAnswer(bare('hmac'))
  if (wanted('requests')) await measureRequests(loader, { ours, json, hmac }, 6)
  await stop(hmac.child)
  if (wanted('public')) await measurePublic(loader, ours)
  if (wanted('public')) await measureScreening()
  if (wanted('upload')) await measureUploads({ folder, megabytes: MEGABYTES, loader, ours, bare: json, rounds: 5 })
  // Served beside `ours`, and one state folder has one server.
  if (wanted('tls')) await measureTls(await makeAppliance(join(folder, 'tls')), loader, ours, 5)
  if (wanted('task')) await measureTask(appliance, folder, 50)
  if (wanted('small')) await measureSmallThings(appliance, folder)
  if (wanted('audit')) measureAudit(folder, 1_000_000)
  await stop(ours.child)
  await stop(json.child)
  if (wanted('peak')) await measurePeak(appliance, loader, folder)
  if (wanted('events')) await measureEvents(appliance)
  if (wanted('snapshots')) await measureSnapshots(appliance, folder)
  if (wanted('dashboard')) await measureDashboard(appliance, folder)
  if (wanted('console')) await measureConsole(appliance)
  if (wanted('lists')) await measureLists(appliance, folder)
  if (wanted('login')) await measureLogin(appliance)
  if (wanted('update')) await measureUpdate(appliance, folder, MEGABYTES, 4)
  process.stdout.write(
    `node ${execFileSync(NODE[0] ?? '', ['--version'], { encoding: 'utf8' }).trim()}; clients: ${loader.wrk ? 'wrk' : 'our own'}; medians\n`,
  )
  printTable()
}

try {
  await main()
} finally {
  await clean()
}
