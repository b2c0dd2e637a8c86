// Tables with what real appliances have in them: long messages, long names, many columns. At 1440 pixels nothing is wider than its card, at 390
// everything and its buttons are in reach without scrolling sideways. And what tables are used for: tasks by name.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, expectNoOverflow, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }

const LONG = 'raidz contains devices of different sizes, and /dev/disk/by-id/wwn-0x5000c500a1b2c3d4-part1 is in use'
const RAW = { size: 20 * 2 ** 40, allocated: 2 ** 30, free: 20 * 2 ** 40 - 2 ** 30 }
const USABLE = { usable: 11 * 2 ** 40, usable_free: 10 * 2 ** 40 }

beforeAll(async () => {
  desk = await startStorageDesk()
  const made = async (path: string, json: unknown) => {
    const { status } = await desk.world.ask('POST', path, { json, as: 'administrator' })
    expect([path, status < 300]).toEqual([path, true])
  }
  await made('/pools', { name: 'tank', vdevs: ['mirror', ...desk.world.disks(2)] })
  await made('/datasets', { name: 'tank/data' })
  for (const name of [
    'weekly-20261129-090358',
    'daily-20261129-000000',
    'a-name-that-somebody-made-by-hand-and-that-is-long',
  ])
    await made('/snapshots', { dataset: 'tank/data', name })
  await made('/shares/smb', { name: 'data', dataset: 'tank/data' })
  await made('/exports/nfs', { dataset: 'tank/data', clients: ['192.168.1.0/24', '2001:db8:1234:5678::/64'] })
})
afterAll(() => desk?.close())

/** What no fake says of itself, but a machine in the field does. */
async function furnish(page: Page): Promise<void> {
  await page.route('**/api/v1/pools', async (route) => {
    const [pool] = await (await route.fetch()).json()
    await route.fulfill({ json: [{ ...pool, ...RAW, ...USABLE, name: 'tank' }] })
  })
  await page.route('**/console/overview', async (route) => {
    const data = await (await route.fetch()).json()
    const pools = [{ name: 'a-pool-of-a-long-name', health: 'DEGRADED', ...RAW, ...USABLE }]
    await route.fulfill({ json: { ...data, pools } })
  })
  await page.route('**/api/v1/audit?**', (route) =>
    route.fulfill({
      json: Array.from({ length: 5 }, (_, i) => ({
        id: String(i),
        actor: 'user-0123456789abcdef',
        actor_name: 'a-name-of-thirty-two-characters-',
        action: 'snapshot-policies.preview.accepted',
        resource: 'datasets/tank/a/very/deep/tree/of/datasets/with-a-name-that-goes-on-and-on-and-on',
        result: 'failure',
        message: LONG,
        ip: '2001:db8:1234:5678:9abc:def0:1234:5678',
        request_id: 'r2vg-1i-0123456789',
        timestamp: '2026-11-29T09:03:58Z',
      })),
    }),
  )
}

const PLACES: [string, RegExp][] = [
  ['overview', /Overview/],
  ['audit', /Audit log/],
  ['pools', /Pools/],
  ['pools/tank', /Pool tank/],
  ['datasets', /Datasets/],
  ['snapshots', /Snapshots/],
  ['smb', /SMB/],
  ['nfs', /NFS/],
  ['tasks', /Tasks/],
  ['users', /Users/],
]

/** Whatever is wider than the place that it has, by its name. */
const tooWide = (page: Page) =>
  page.evaluate(`[...document.querySelectorAll('.table, .card')]
    .filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => (one.getAttribute('aria-label') ?? one.textContent.slice(0, 40)) + ': ' + (one.scrollWidth - one.clientWidth))`)

/** Buttons that are not within the window. */
const outOfReach = (page: Page) =>
  page.evaluate(`[...document.querySelectorAll('main button, header button, main a')]
    .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.left < 0 || box.right > innerWidth + 0.5))
    .map(([text, box]) => text + ' ' + Math.round(box.right))`)

describe.each([
  ['wide', 1440, 900],
  ['narrow', 390, 844],
] as const)('%s', (name, width, height) => {
  it.each([false, true])('every table fits its place with all that can be done with it (dark: %s)', async (dark) => {
    const person = await visitor(desk.url, { dark })
    const { page } = person
    person.expected.push(REFUSED)
    await page.setViewportSize({ width, height })
    await furnish(page)
    await signIn(page, { username: 'administrator', password: PASSWORD })
    for (const [place, heading] of PLACES) {
      await goTo(page, place, heading)
      await page.getByRole('table').first().waitFor()
      await page
        .getByText(/^Loading/)
        .first()
        .waitFor({ state: 'detached' })
      await shoot(page, `table-${place.replace('/', '-')}-${name}${dark ? '-dark' : ''}`)
      expect([place, await tooWide(page), await outOfReach(page)]).toEqual([place, [], []])
      await expectNoOverflow(page)
    }
    await expectAccessible(page)
  })
})

describe('what a person can store', () => {
  it('is what the pools say, not the raw size of their disks', async () => {
    const { page } = await visitor(desk.url)
    await furnish(page)
    await signIn(page, { username: 'administrator', password: PASSWORD })
    await page
      .getByRole('row', { name: /a-pool-of-a-long-name/ })
      .getByText('11 TiB')
      .waitFor()
    await goTo(page, 'pools', 'Pools')
    const row = page.getByRole('row', { name: /tank/ })
    await row.getByText('10 TiB').waitFor()
    expect(await row.textContent()).not.toContain('20 TiB')
  })
})

describe('what stands in the way of a destruction', () => {
  it('is called by its name', async () => {
    const { page } = await visitor(desk.url)
    await signIn(page, { username: 'operator', password: PASSWORD })
    await goTo(page, 'datasets/tank%2Fdata', 'Dataset tank/data')
    await page.getByRole('button', { name: 'Destroy…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('link', { name: 'SMB share data', exact: true }).waitFor()
    expect(await dialog.textContent()).not.toMatch(/smb-[0-9a-f]/)
  })
})

describe('a task', () => {
  it('says what, who and how long, and is found by its kind', async () => {
    const { page } = await visitor(desk.url)
    await signIn(page, { username: 'operator', password: PASSWORD })
    await goTo(page, 'tasks', 'Tasks')
    const row = page.getByRole('row', { name: /Create pool tank/ })
    await row.getByText('administrator', { exact: true }).waitFor()
    expect(await row.textContent()).toMatch(/\d+ s$/)
    await page.getByLabel('State').selectOption('failed')
    await page.getByText('There is no task yet').or(page.getByText('No task matches the filters')).waitFor()
  })
})

describe('a page that is not for everybody', () => {
  it('says for whom it is, not that there is none', async () => {
    const { page } = await visitor(desk.url)
    await signIn(page, { username: 'viewer', password: PASSWORD })
    await page.evaluate(`location.hash = '#/audit'`)
    await page.getByText('Audit log requires the role administrator; your role is viewer.').waitFor()
    await page.evaluate(`location.hash = '#/no-such'`)
    await page.getByText('Page not found').waitFor()
  })
})

describe('a failure that passes', () => {
  it('can be tried again, and is asked again by itself', async () => {
    const person = await visitor(desk.url)
    const { page } = person
    person.expected.push(/status of 503/)
    await signIn(page, { username: 'administrator', password: PASSWORD })
    await page.clock.install()
    let asked = 0
    await page.route('**/api/v1/users', (route) =>
      asked++ < 2
        ? route.fulfill({ status: 503, json: { code: 'SERVICE_UNAVAILABLE', message: 'Not just now' } })
        : route.continue(),
    )
    await goTo(page, 'users', 'Users')
    await page.getByText('Not just now').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => asked).toBe(2)
    await page.getByText('Not just now').waitFor()
    await page.clock.runFor(11_000)
    await page.getByRole('row', { name: /operator/ }).waitFor()
    expect(await page.getByText('Not just now').count()).toBe(0)
  })
})

describe('an upload', () => {
  it('is seen from every page, says how quickly it goes, and can be cancelled', async () => {
    const person = await visitor(desk.url)
    const { page } = person
    person.expected.push(/ERR_/)
    await signIn(page, { username: 'administrator', password: PASSWORD })
    await goTo(page, 'update', 'Update')
    const session = await page.context().newCDPSession(page)
    const line = { offline: false, latency: 0, downloadThroughput: -1 }
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', { ...line, uploadThroughput: 200_000 })
    const buffer = Buffer.alloc(20_000_000)
    await page.getByLabel('Update package').setInputFiles({ name: 'p.enc', mimeType: 'a/b', buffer })
    await page.getByRole('button', { name: 'Upload and install' }).click()
    await page.getByText(/iB\/s, about \d+ (s|minutes?) left/).waitFor()
    await shoot(page, 'upload')
    await goTo(page, 'tasks', 'Tasks')
    await page.getByRole('link', { name: 'The update package: uploading' }).click()
    await page.getByRole('heading', { level: 1, name: 'Update' }).waitFor()
    await page.getByRole('button', { name: 'Cancel upload' }).click()
    await page.getByRole('button', { name: 'Cancel upload' }).waitFor({ state: 'detached' })
    expect(await page.getByText('uploading').count()).toBe(0)
    const tasks = await desk.world.ask('GET', '/jobs', { as: 'administrator' })
    expect(tasks.json.filter(({ type }: { type: string }) => type === 'update')).toEqual([])
  })
})
