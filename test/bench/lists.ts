// The console's long tables: a pool of 60 disks, 500 datasets, 5 000 snapshots. Each page is loaded anew until its
// first row can be read, beside the same page with an empty list: what the rows cost. The lists are answered here, since
// what the appliance takes for them is measured by itself (snapshots.ts), and the fakes of ZFS are no measure of it.
import type { Browser } from 'playwright-core'
import { CHROMIUM, startBrowser } from '../browser/chromium.ts'
import type { Appliance, Served } from './appliance.ts'
import { configured, passwordOf } from './controller.ts'
import { few, median, report } from './numbers.ts'
import { stop } from './processes.ts'

const ROUNDS = 5
const DISKS = 60
const DATASETS = 500
const SNAPSHOTS = 5000
const MOST = 2
const MADE = 1_767_225_600_000

const at = (minute: number) => new Date(MADE + minute * 60_000).toISOString()
const vdev = (type: string, name: string, children: object[] = []) => ({
  type,
  name,
  class: 'data',
  state: 'ONLINE',
  read_errors: 0,
  write_errors: 0,
  checksum_errors: 0,
  children,
})
const poolOf = (vdevs: object[]) => ({
  name: 'tank',
  guid: '1',
  health: 'ONLINE',
  errors: 'No known data errors',
  size: 2 ** 45,
  allocated: 2 ** 40,
  free: 2 ** 45 - 2 ** 40,
  usable: 2 ** 44,
  usable_free: 2 ** 43,
  created_at: at(0),
  vdevs,
  options: {},
})
const mirrors = Array.from({ length: DISKS / 2 }, (_, i) =>
  vdev('mirror', `mirror-${i}`, [vdev('disk', `wwn-0x${i}a`), vdev('disk', `wwn-0x${i}b`)]),
)
const datasets = Array.from({ length: DATASETS }, (_, i) => ({
  name: i === 0 ? 'tank' : `tank/d${i}`,
  pool: 'tank',
  type: 'filesystem',
  size: 2 ** 40,
  used: i * 4096,
  available: 2 ** 39,
  mountpoint: `/tank/d${i}`,
  created_at: at(i),
}))
const snapshots = Array.from({ length: SNAPSHOTS }, (_, i) => ({
  name: `tank/d${i % DATASETS}@daily-${i}`,
  dataset: `tank/d${i % DATASETS}`,
  size: i * 512,
  created_at: at(i),
}))

interface Measured {
  what: string
  place: string
  path: string
  full: object
  empty: object
  /** What is there as soon as the empty page can be read. */
  sign: string
}

const PAGES: Measured[] = [
  {
    what: `a pool of ${DISKS} disks`,
    place: 'pools/tank',
    path: '**/api/v1/pools/tank',
    full: poolOf(mirrors),
    empty: poolOf([]),
    sign: '.empty',
  },
  {
    what: `${DATASETS} datasets`,
    place: 'datasets',
    path: '**/api/v1/datasets',
    full: datasets,
    empty: [],
    sign: '.note',
  },
  {
    what: `${SNAPSHOTS} snapshots`,
    place: 'snapshots',
    path: '**/api/v1/snapshots',
    full: snapshots,
    empty: [],
    sign: '.empty',
  },
]

export async function measureLists(appliance: Appliance): Promise<void> {
  if (!CHROMIUM) {
    report('the long tables of the console', 'not measured: there is no Chromium (make test-browser installs it)')
    return
  }
  const controller = { enabled: true, 'requests-per-minute': 0 }
  const served = await appliance.serve(true, configured(appliance, { surfaces: { controller } }))
  const browser = await startBrowser()
  try {
    for (const page of PAGES) await measure(browser, served, passwordOf(appliance), page)
  } finally {
    await browser.close()
    await stop(served.child)
  }
}

async function measure(browser: Browser, served: Served, password: string, page: Measured): Promise<void> {
  const times: { full: number; empty: number }[] = []
  for (let round = 0; round < ROUNDS; round++)
    times.push({
      empty: await readable(browser, served, password, { ...page, full: page.empty }),
      full: await readable(browser, served, password, { ...page, sign: 'tbody th' }),
    })
  const ratio = median(times.map(({ full, empty }) => full / empty))
  const [full, empty] = [median(times.map((one) => one.full)), median(times.map((one) => one.empty))]
  const reached = `${few(ratio)}x, ${few(full)} ms (${few(empty)} ms)`
  report(`the console: ${page.what}, until they can be read ÷ an empty page`, reached, `<= ${MOST}x`, ratio <= MOST)
}

/** Milliseconds of one visit with nothing in the cache but the session. */
async function readable(browser: Browser, { url }: Served, password: string, page: Measured): Promise<number> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const tab = await context.newPage()
  await tab.route(page.path, (route) => route.fulfill({ json: page.full }))
  await tab.goto(url)
  await tab.getByLabel('User name').fill('admin')
  await tab.getByLabel('Password').fill(password)
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
  await tab.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await tab.evaluate(`location.hash = '#/account'`)
  const begun = performance.now()
  await tab.evaluate(`location.hash = '#/${page.place}'`)
  await tab.reload({ waitUntil: 'commit' })
  await tab.locator(`main ${page.sign}`).first().waitFor()
  const milliseconds = performance.now() - begun
  await context.close()
  return milliseconds
}
