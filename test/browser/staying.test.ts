// A console that stays open: many tabs, a session that ends below it, an upload that takes hours, an answer that never
// comes. A page that is driven is always "visible", so a tab is put behind another one by saying so.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN } from '../api/appliance.ts'
import { until } from '../api/client.ts'
import { addCaller, ON, PASSWORD } from '../api/controller.ts'
import { go, slowPackage } from '../api/packages.ts'
import { people } from './people.ts'
import { CUT, type Desk, goTo, REFUSED, signIn, startDesk, type Visitor } from './rig.ts'

const visitor = people()
let desk: Desk
beforeAll(async () => {
  desk = await startDesk(ON)
  await addCaller(desk.server.folders, 'administrator')
})
afterAll(() => desk?.close())

async function come(): Promise<Visitor> {
  const person = await visitor(desk.url)
  await signIn(person.page, { username: 'administrator', password: PASSWORD })
  return person
}
const turn = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))`)
const refusals = () => desk.server.audit().filter((line) => line.includes(',auth.unauthorized,')).length

describe('a tab that nobody sees', () => {
  it('leaves its connection to others, and follows on where it was when it is seen again', async () => {
    const { page, context } = await come()
    await goTo(page, 'update', 'Update')
    const buffer = await slowPackage(desk.server.folders, '2.0.0')
    const package_ = { name: 'package.enc', mimeType: 'application/octet-stream', buffer }
    await page.getByLabel('Update package').setInputFiles(package_)
    await page.getByRole('button', { name: 'Upload and install' }).click()
    await page.getByRole('log').filter({ hasText: 'verifying the signature' }).waitFor()
    await turn(page, 'hidden')
    // A browser has six connections to one server.
    for (let i = 0; i < 7; i++) {
      const other = await context.newPage()
      await other.goto(desk.url)
      await other.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
      await turn(other, 'hidden')
    }
    go(desk.server.folders)
    await turn(page, 'visible')
    await page.getByText('The update was installed.').waitFor()
    const log = (await page.getByRole('log').textContent()) ?? ''
    expect(log.split('verifying the signature')).toHaveLength(2)
    expect(log).toContain('the update ran')
  })
})

describe('a session that ends elsewhere', () => {
  it('shows the door at the first stream that is refused, and asks no more', async () => {
    const person = await come()
    const { page, context } = person
    person.expected.push(REFUSED, CUT, /ERR_/)
    await goTo(page, 'update', 'Update')
    const before = refusals()
    await context.clearCookies()
    // The streams come back, and are told no.
    desk.cable.cut()
    desk.cable.mend()
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    expect(refusals() - before).toBeLessThanOrEqual(2)
  })

  it('is seen at the first change where another tab has signed in anew', async () => {
    const person = await come()
    const { page, context } = person
    person.expected.push(REFUSED)
    await goTo(page, 'maintenance', 'Maintenance mode')
    await page.getByRole('button', { name: 'Turn on' }).waitFor()
    const other = await context.newPage()
    await other.goto(desk.url)
    await other.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    // The first tab's clock stands still: it learns nothing by itself.
    await page.clock.install()
    await other.evaluate(`fetch('/console/session', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: '{"token":"${TOKEN}"}' })`)
    await page.getByRole('button', { name: 'Turn on' }).click()
    await page.getByText('admin (administrator)', { exact: true }).waitFor()
  })
})

describe('what cannot go well', () => {
  it('is said before a password is typed: a page that came unencrypted', async () => {
    const { context } = await visitor(desk.url)
    await context.route('http://box.test/**', async (route) => {
      const { pathname } = new URL(route.request().url())
      await route.fulfill({ response: await route.fetch({ url: `${desk.url}${pathname}` }) })
    })
    const page = await context.newPage()
    await page.goto('http://box.test/')
    await page.getByText('This page was loaded without encryption').waitFor()
    expect(await page.getByRole('button', { name: 'Sign in', exact: true }).isDisabled()).toBe(true)
  })

  it('is asked again when the appliance said when', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(REFUSED)
    let asked = 0
    await page.route('**/api/v1/users', (route) =>
      asked++ === 0
        ? route.fulfill({
            status: 429,
            headers: { 'Retry-After': '1', 'Content-Type': 'application/json' },
            body: '{"code":"TOO_MANY_REQUESTS","message":"Too many requests. Try again in 1 second"}',
          })
        : route.continue(),
    )
    await goTo(page, 'users', 'Users')
    await page.getByRole('table').getByText('active').first().waitFor()
    expect(await page.getByText('Too many requests').count()).toBe(0)
  })
})

describe('an upload that takes longer than a session may be idle', () => {
  it('keeps its session', async () => {
    const person = await come()
    const { page } = person
    await page.clock.install()
    await goTo(page, 'update', 'Update')
    const signs: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/console/session') && request.headers()['x-background'] === undefined)
        signs.push(request.method())
    })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/api/v1/admin/update', async (route) => {
      if (route.request().method() === 'POST') await held
      await route.abort()
    })
    person.expected.push(/ERR_FAILED/)
    await page.getByLabel('Update package').setInputFiles({ name: 'p.enc', mimeType: 'a/b', buffer: Buffer.from('x') })
    await page.getByRole('button', { name: 'Upload and install' }).click()
    await page.getByText(/^Uploading:/).waitFor()
    await page.clock.runFor(31 * 60_000)
    await until('a sign of life', () => signs.length > 0)
    release()
    await page.getByText('may have refused the file or accepted it').waitFor()
    const after = signs.length
    await page.clock.runFor(31 * 60_000)
    expect(signs.length).toBe(after)
  })
})

describe('a change whose answer is lost', () => {
  it('is not called undone, and is sent once', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(CUT, /ERR_/)
    await goTo(page, 'users', 'Users')
    await page.getByRole('button', { name: 'Create user…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('User name').fill('half-way')
    await dialog.getByLabel('Password').fill('made-by-1-test')
    const users = () => readFileSync(join(desk.server.folders.state, 'users.json'), 'utf8')
    await page.route('**/api/v1/users', async (route) => {
      if (route.request().method() === 'GET') return route.continue()
      // The appliance does it, and the answer is lost on its way.
      await route.fetch()
      await route.abort('connectionreset')
    })
    await dialog.getByRole('button', { name: 'Create user', exact: true }).click()
    await dialog.getByText('The change may or may not have been made').waitFor()
    expect(users().split('"half-way"')).toHaveLength(2)
  })
})
