// An appliance as it is installed, storage on fakes, and Debian's Chromium in front of it. What goes wrong in a page is
// silent, so each page's console, its requests and its policy violations are kept, and a test that leaves any behind is
// red.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { installation, type Options, REPOSITORY, type Server, startServer } from '../api/appliance.ts'
import { makeWorld, type World } from '../api/storage-world.ts'
import { type Cable, layCable } from './cable.ts'

export const ADMIN = { username: 'admin', password: 'browser-made-1' }
/** Screenshots go there; git does not look. */
export const SHOTS = join(REPOSITORY, 'test/browser/screenshots')

const BUILT = join(REPOSITORY, 'dist/console')
/** The page as `make build` made it, beside the program that the tests install. */
function installPage(): void {
  if (!existsSync(join(BUILT, 'app.js'))) throw new Error('dist/console is missing: run make build')
  cpSync(BUILT, join(installation(), 'console'), { recursive: true })
}

export interface Desk {
  server: Server
  cable: Cable
  url: string
  /** Ends the server and starts it again on the same folders, behind the same address. */
  restart: () => Promise<void>
  close: () => Promise<void>
}

/** The real program with TLS, without storage. */
export async function startDesk(options: Options & { args?: string[] } = {}): Promise<Desk> {
  installPage()
  return desk(await startServer({ tls: true, ...options }))
}

async function desk(first: Server): Promise<Desk> {
  const cable = await layCable(first.url)
  const made: Desk = {
    server: first,
    cable,
    url: cable.url,
    async restart() {
      await made.server.kill('SIGTERM')
      made.server = await made.server.again()
      cable.lead(made.server.url)
    },
    async close() {
      await cable.close()
      await made.server.close()
    },
  }
  return made
}

/** With the controller surface, and storage on the fakes. */
export async function startStorageDesk(): Promise<Desk & { world: World<Server> }> {
  installPage()
  const world = await makeWorld((options) => startServer({ ...options, tls: true }), {
    controller: { 'requests-per-minute': 0 },
  })
  // Filesystems are mounted in a folder that exists: without it they would have no permissions to show.
  world.fakes?.change((model) => {
    model.mounts = world.files
  })
  const made = await desk(world.appliance)
  return Object.assign(made, { world })
}

export interface Look {
  dark?: boolean
  phone?: boolean
}

export interface Visitor {
  page: Page
  /** What no page may do: errors in its console, requests elsewhere, violations of its policy. */
  faults: string[]
  /** Refusals and lost connections that the test provokes: what the browser says of them is no fault. */
  expected: RegExp[]
  context: BrowserContext
  close: () => Promise<void>
}

/**
 * An element that is taken out and put in again loses the focus, its scroll position and what a person has opened in it.
 * The library does that to a component of several elements which something follows. Rows are moved when they are sorted.
 */
const TELL_MOVES = `new MutationObserver((changes) => {
    const usable = 'a, button, input, select, textarea, summary, [tabindex]'
    const out = new Set(changes.flatMap(({ removedNodes }) => [...removedNodes]))
    for (const node of new Set(changes.flatMap(({ addedNodes }) => [...addedNodes])))
      if (out.has(node) && node.isConnected && node.nodeType === 1 && node.localName !== 'tr' &&
          (node.matches(usable) || node.querySelector(usable)))
        tellMove(location.hash + ' ' + node.outerHTML.slice(0, 120))
  }).observe(document, { childList: true, subtree: true })`

/** A person with a browser. Each has cookies of its own. */
export async function visit(browser: Browser, url: string, { dark, phone }: Look = {}): Promise<Visitor> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: dark ? 'dark' : 'light',
    viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 900 },
    acceptDownloads: true,
    locale: 'en-GB',
    reducedMotion: 'reduce',
  })
  const faults: string[] = []
  await context.exposeBinding('tellPolicyViolation', (_source, text: string) => void faults.push(`policy: ${text}`))
  await context.addInitScript(
    `document.addEventListener('securitypolicyviolation', (e) => tellPolicyViolation(e.violatedDirective + ' ' + e.blockedURI))`,
  )
  await context.exposeBinding('tellMove', (_source, text: string) => void faults.push(`moved: ${text}`))
  await context.addInitScript(TELL_MOVES)
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== new URL(url).origin && protocol !== 'blob:' && protocol !== 'data:')
      faults.push(`elsewhere: ${request.url()}`)
  })
  await page.goto(url)
  const visitor: Visitor = { page, faults, expected: [], context, close: () => context.close() }
  return visitor
}

/** Fails on everything that went wrong unexpectedly, and forgets it. */
export function expectNoFaults({ faults, expected }: Visitor): void {
  const left = faults.splice(0).filter((fault) => !expected.some((pattern) => pattern.test(fault)))
  expect(left).toEqual([])
}

/** Chromium writes a line for each answer of 400 and more. */
export const REFUSED = /^console: Failed to load resource: the server responded with a status of 4\d\d/
export const CUT = /^console: Failed to load resource: net::ERR_(CONNECTION|EMPTY|NETWORK|INCOMPLETE|SOCKET)/

export async function signIn(page: Page, { username, password } = ADMIN): Promise<void> {
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
}

/** Goes to a place of the console and waits for its heading. */
export async function goTo(page: Page, place: string, heading: string | RegExp): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Nothing serious for axe: each finding as one line. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE)
  const found = (await page.evaluate(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`,
  )) as string[]
  expect(found).toEqual([])
}

/** Nothing is wider than the window, but for what scrolls by itself. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  expect(wide).toBe(0)
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

/** Polls: the focus follows what a page has drawn. */
export async function expectFocus(page: Page, label: string): Promise<void> {
  const focused = `(() => { const now = document.activeElement
    return (now?.labels?.[0] ?? now?.querySelector?.('legend') ?? now)?.textContent ?? '' })()`
  await expect.poll(() => page.evaluate(focused), { timeout: 10_000 }).toBe(label)
}
