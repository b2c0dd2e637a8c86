// The console's long tables: a pool of 60 disks, 500 datasets, 5 000 snapshots. Each page is loaded anew until its
// first row can be read, beside the same page of an appliance with one disk and nothing on it: what the rows cost in
// the server, on the wire and in the browser. The programs of ZFS print what was recorded, so they cost the same.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { CHROMIUM, startBrowser } from '../browser/chromium.ts'
import type { Fakes } from '../fakes/install.ts'
import { type Appliance, makeAppliance, type Served } from './appliance.ts'
import { configured, passwordOf } from './controller.ts'
import { few, report } from './numbers.ts'
import { stop } from './processes.ts'
import { record } from './recorded.ts'

const ROUNDS = 7
const FULL = { disks: 60, datasets: 500, snapshots: 5000 }
const EMPTY = { disks: 1, datasets: 1, snapshots: 0 }
const MOST = 2
/** Seconds. */
const MADE = 1_767_225_600

const disk = (i: number) => `/dev/fake${i + 1}`

/** A pool of mirrors or of one disk, and on the large one a dataset and a snapshot, of which `grow` makes all others. */
function lay(fakes: Fakes, { disks, snapshots }: typeof FULL): void {
  fakes.change((model) => {
    for (let i = 0; i < disks; i++)
      model.disks[disk(i)] = { size: 2 ** 42, links: [`/dev/disk/by-id/wwn-0x5000c500a0b1${1000 + i}`] }
  })
  const mirrors = Array.from({ length: disks / 2 }, (_, i) => ['mirror', disk(2 * i), disk(2 * i + 1)])
  tool(fakes, 'zpool', 'create', 'tank', ...(disks === 1 ? [disk(0)] : mirrors.flat()))
  if (snapshots === 0) return
  tool(fakes, 'zfs', 'create', 'tank/d1')
  tool(fakes, 'zfs', 'snapshot', 'tank/d1@daily-0')
  fakes.change(({ datasets }) => {
    datasets['tank/d1@daily-0']!['creation'] = MADE
  })
}

/** `lines`: what zfs says of one dataset or snapshot. */
function grow(lines: string[]): string[] {
  const [name = ''] = lines[0]?.split('\t') ?? []
  const many = (count: number, nameOf: (i: number) => string) =>
    Array.from({ length: count }, (_, i) =>
      lines.map((line) => line.replace(name, nameOf(i)).replace(String(MADE), String(MADE + i * 60))),
    ).flat()
  const { datasets, snapshots } = FULL
  if (name.startsWith('tank/d1@')) return many(snapshots, (i) => `tank/d${1 + (i % (datasets - 1))}@daily-${i}`)
  return name === 'tank/d1' ? many(datasets - 1, (i) => `tank/d${i + 1}`) : lines
}

function tool({ programs }: Fakes, name: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(join(programs, name), args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} ${args[0]}: ${stderr}`)
}

interface Measured {
  what: string
  place: string
  /** What the page asks the API for. */
  paths: string[]
  /** What is there as soon as the page of the small appliance can be read. */
  empty?: string
}

const ROW = 'tbody th'
const POOL = '/pools/tank'
const PAGES: Measured[] = [
  {
    what: `a pool of ${FULL.disks} disks`,
    place: 'pools/tank',
    paths: [POOL, `${POOL}/scrub`, `${POOL}/trim`, `${POOL}/schedule`],
  },
  { what: `${FULL.disks} disks`, place: 'disks', paths: ['/disks', '/disk-tests'] },
  { what: `${FULL.datasets} datasets`, place: 'datasets', paths: ['/datasets'] },
  { what: `${FULL.snapshots} snapshots`, place: 'snapshots', paths: ['/snapshots', '/datasets'], empty: '.empty' },
]

export async function measureLists(appliance: Appliance, parent: string): Promise<void> {
  if (!CHROMIUM) {
    report('the long tables of the console', 'not measured: there is no Chromium (make test-browser installs it)')
    return
  }
  const folder = join(parent, 'lists')
  mkdirSync(folder)
  const full = await serve(appliance, join(folder, 'full'), FULL)
  const empty = await serve(await makeAppliance(join(folder, 'empty')), join(folder, 'empty'), EMPTY)
  const browser = await startBrowser()
  try {
    for (const page of PAGES) await measure(browser, full, empty, page)
  } finally {
    await browser.close()
    await stop(full.child)
    await stop(empty.child)
  }
}

type Side = Served & { password: string }

async function serve(appliance: Appliance, folder: string, size: typeof FULL): Promise<Side> {
  const paths = PAGES.flatMap((page) => page.paths)
  const programs = await record(appliance, folder, (fakes) => lay(fakes, size), paths, grow)
  const controller = { enabled: true, 'requests-per-minute': 0 }
  const more = configured(appliance, { surfaces: { controller } })
  const served = await appliance.serve(true, [...more, '--programs', programs])
  return { ...served, password: passwordOf(appliance) }
}

async function measure(browser: Browser, full: Side, empty: Side, page: Measured): Promise<void> {
  const times: { full: number; empty: number }[] = []
  for (let round = 0; round < ROUNDS; round++)
    times.push({
      empty: await readable(browser, empty, page.place, page.empty ?? ROW),
      full: await readable(browser, full, page.place, ROW),
    })
  // What others do on this machine only adds to a time.
  const [least, most] = [Math.min(...times.map((one) => one.empty)), Math.min(...times.map((one) => one.full))]
  const ratio = most / least
  const reached = `${few(ratio)}x, ${few(most)} ms (${few(least)} ms)`
  report(`the console: ${page.what}, until they can be read ÷ an empty page`, reached, `<= ${MOST}x`, ratio <= MOST)
}

/** Milliseconds of one visit with nothing in the cache but the session. */
async function readable(browser: Browser, { url, password }: Side, place: string, sign: string): Promise<number> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const tab = await context.newPage()
  await tab.goto(url)
  await tab.getByLabel('User name').fill('admin')
  await tab.getByLabel('Password').fill(password)
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
  await tab.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await tab.evaluate(`location.hash = '#/account'`)
  await tab.getByRole('heading', { level: 1, name: 'Account' }).waitFor()
  const begun = performance.now()
  await tab.evaluate(`location.hash = '#/${place}'`)
  await tab.reload({ waitUntil: 'commit' })
  await tab.locator(`main ${sign}`).first().waitFor()
  const milliseconds = performance.now() - begun
  await context.close()
  return milliseconds
}
