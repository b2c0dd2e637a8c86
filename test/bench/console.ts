// The console in a browser: what its first page weighs, how soon somebody can type, what an hour of events leaves in
// memory. An hour is simulated, so both clocks are: the page's timers run by the browser's false clock, its events come
// from a false source.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { CHROMIUM, startBrowser } from '../browser/chromium.ts'
import { type Appliance, TOKEN } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { stop } from './processes.ts'

const ROUNDS = 11
const HOUR = 3600
/** Megabytes that an hour may leave behind. */
const GROWTH = 5
const MOST = 120_000

export async function measureConsole(appliance: Appliance): Promise<void> {
  if (!CHROMIUM) {
    report('the console', 'not measured: there is no Chromium (make test-browser installs it)')
    return
  }
  const served = await appliance.serve(true)
  const empty = await serveEmpty(appliance)
  const browser = await startBrowser()
  try {
    await measureLoad(browser, served.url, empty.url)
    await measureHour(browser, served.url)
  } finally {
    await browser.close()
    empty.close()
    await stop(served.child)
  }
}

/** A page with one field, under the same certificate: what any browser needs for any page. */
async function serveEmpty({ root }: Appliance): Promise<{ url: string; close: () => void }> {
  const read = (file: string) => readFileSync(join(root, 'sysconf/pki/tls', file))
  const pair = { cert: read('certs/enterprise.crt'), key: read('private/enterprise.key') }
  const server = createServer(pair, (_request, answer) => {
    answer.setHeader('Content-Type', 'text/html')
    answer.end('<!doctype html><title>empty</title><input>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `https://127.0.0.1:${port}`, close: () => server.close() }
}

async function measureLoad(browser: Browser, url: string, empty: string): Promise<void> {
  const times: Record<'ours' | 'empty', number[]> = { ours: [], empty: [] }
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    times.empty.push((await load(browser, empty)).milliseconds)
    const ours = await load(browser, url)
    times.ours.push(ours.milliseconds)
    bytes = ours.bytes
  }
  report('the console: bytes of the first load', `${few(bytes / 1000)} KB`, `<= ${MOST / 1000} KB`, bytes <= MOST)
  const [ours, bare] = [median(times.ours), median(times.empty)]
  report('  until a field can be typed into ÷ an empty page', `${few(ours / bare)}x`)
  report('  ms: the console, an empty page', `${few(ours)}, ${few(bare)}`)
}

/** A visit with nothing in the cache, until there is a field to type into. */
async function load(browser: Browser, url: string): Promise<{ milliseconds: number; bytes: number }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  let bytes = 0
  page.on('requestfinished', async (request) => {
    const { responseBodySize, responseHeadersSize } = await request.sizes()
    bytes += responseBodySize + responseHeadersSize
  })
  const begun = performance.now()
  await page.goto(url, { waitUntil: 'commit' })
  await page.locator('input').first().waitFor()
  const milliseconds = performance.now() - begun
  await page.waitForLoadState('networkidle')
  await context.close()
  return { milliseconds, bytes }
}

/** Events that come when the test says so: one task after the other, each with a hundred steps. */
const FALSE_SOURCE = `
  const sources = new Set()
  window.EventSource = class extends EventTarget {
    readyState = 1
    constructor(url) { super(); this.url = url; sources.add(this) }
    close() { sources.delete(this); this.readyState = 2 }
  }
  window.EventSource.CLOSED = 2
  let n = 0
  window.tellEvents = (count) => {
    for (const end = n + count; n < end; n++) {
      const step = n % 100
      const task = { id: 'task-' + Math.floor(n / 100), type: 'update', status: step === 99 ? 'completed' : 'running', progress: step,
        message: 'step ' + step, created_at: '2026-01-01T00:00:00Z' }
      const log = { text: 'line ' + n + ' of a log that says what is going on\\n', next: 50 * n }
      for (const source of sources) for (const [name, value] of [['task', task], ['log', log]])
        source.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(value) }))
    }
    return sources.size
  }`

async function measureHour(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  await context.addInitScript(FALSE_SOURCE)
  const page = await context.newPage()
  await page.clock.install()
  await page.goto(url)
  await page.getByRole('button', { name: 'Sign in with the API token instead' }).click()
  await page.getByLabel('API token').fill(TOKEN)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  const minute = async () => {
    if ((await page.evaluate('tellEvents(60)')) === 0) throw new Error('the page listens to no events')
    await page.clock.runFor(60_000)
  }
  // What the first minute makes stays anyway.
  await minute()
  const before = await heap(page)
  for (let i = 1; i < HOUR / 60; i++) await minute()
  const growth = ((await heap(page)) - before) / 2 ** 20
  report(`  memory after an hour of ${HOUR} events`, `+${few(growth)} MB`, `<= ${GROWTH} MB`, growth <= GROWTH)
  await context.close()
}

async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.enable')
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number }
  await session.detach()
  return usedSize
}
