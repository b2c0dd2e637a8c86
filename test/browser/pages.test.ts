// Every page that the console has, in each look, with things on it: nothing wrong in its console, nothing serious for
// axe, nothing wider than the window, a picture of each. The list of pages is read from the console itself, so that no
// page can be forgotten.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { until } from '../api/client.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import {
  type Desk,
  expectAccessible,
  expectNoOverflow,
  goTo,
  type Look,
  shoot,
  signIn,
  startStorageDesk,
} from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }

beforeAll(async () => {
  desk = await startStorageDesk()
  await furnish(desk.world)
})
afterAll(() => desk?.close())

/** A pool with what a page can show of it. */
async function furnish(world: World<Server>): Promise<void> {
  const made = async (path: string, json: unknown, method = 'POST') => {
    const { status, json: answer } = await world.ask(method, path, { json, as: 'administrator' })
    expect([path, status, status < 300 ? '' : answer]).toEqual([path, expect.any(Number), ''])
  }
  const [a, b, c, d] = world.disks(4)
  await made('/pools', { name: 'tank', vdevs: ['mirror', a, b, 'mirror', c, d] })
  await made('/datasets', { name: 'tank/data', options: { compression: 'lz4', quota: '200M' } })
  await made('/datasets', { name: 'tank/data/a-dataset-with-a-name-that-is-rather-long', options: {} })
  await made('/zvols', { name: 'tank/volume', size: '32M' })
  await made('/snapshots', { dataset: 'tank/data', name: 'before-the-change' })
  await made('/snapshot-policies', { dataset: 'tank/data', hourly: 24, daily: 7, autosnap: false, autoprune: false })
  await made('/shares/smb', { name: 'data', dataset: 'tank/data' })
  await made('/exports/nfs', { dataset: 'tank/data', clients: ['192.168.1.0/24'] })
}

const ABSENT = /status of 404/

interface Entry {
  place: string
  title: string
}

async function pagesOf(page: Page): Promise<Entry[]> {
  // On a phone they are there, but folded away.
  const links = await page.locator('#pages a').all()
  return Promise.all(
    links.map(async (link) => ({
      place: ((await link.getAttribute('href')) ?? '').replace('#/', ''),
      title: ((await link.textContent()) ?? '').trim(),
    })),
  )
}

/** Pages of one thing, which no link of the list leads to. */
const INNER: [string, RegExp][] = [
  ['pools/tank', /tank/],
  ['datasets/tank%2Fdata', /tank\/data/],
]

describe.each<[string, Look]>([
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { phone: true }],
])('in %s', (name, look) => {
  it('every page is whole, accessible and no wider than the window', async () => {
    const person = await visitor(desk.url, look)
    const { page } = person
    // No backup yet, no settings yet: that is an answer, which Chromium takes for a fault.
    person.expected.push(ABSENT)
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    await expectAccessible(page)
    await page.getByText('The same with curl').waitFor()
    await shoot(page, `sign-in-${name}`)
    await signIn(page, { username: 'administrator', password: PASSWORD })
    const places: [string, string | RegExp][] = (await pagesOf(page)).map(({ place }) => [place, /./])
    expect(places.length).toBeGreaterThan(15)
    for (const [place, heading] of [...places, ...INNER]) {
      await goTo(page, place, heading)
      await settle(page)
      await shoot(page, `${place.replace(/[^a-z0-9]+/gi, '-')}-${name}`)
      await expectAccessible(page)
      expect([place, await overflow(page)]).toEqual([place, 0])
      expect([place, (await page.getByText('The same with curl').count()) > 0]).toEqual([place, true])
    }
  })

  it('the manual of the API is whole as well', async () => {
    const { page } = await visitor(`${desk.url}/docs`, look)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await settle(page)
    await shoot(page, `docs-${name}`)
    await expectAccessible(page)
    await expectNoOverflow(page)
  })
})

describe('the manual of the API', () => {
  it('finds a call, and sends it with the session of the page', async () => {
    const { page } = await visitor(desk.url)
    await signIn(page, { username: 'viewer', password: PASSWORD })
    await page.goto(`${desk.url}/docs`)
    await page.getByLabel('Search').fill('/api/v1/admin/version')
    await page.getByText('/api/v1/admin/version', { exact: true }).first().click()
    await page.getByRole('button', { name: 'Send GET' }).click()
    await page.getByText('"version": "1.0.0"').waitFor()
    await page.getByText(/^200/).first().waitFor()
    await expectAccessible(page)
  })
})

describe('a viewer', () => {
  it('sees no button that would be refused, and no page asks for what is refused', async () => {
    const person = await visitor(desk.url)
    const { page } = person
    person.expected.push(ABSENT)
    const refused: string[] = []
    page.on('response', (response) => {
      if (response.status() === 403) refused.push(response.url())
    })
    await signIn(page, { username: 'viewer', password: PASSWORD })
    const names = new Set<string>()
    for (const place of [...(await pagesOf(page)).map((entry) => entry.place), ...INNER.map(([inner]) => inner)]) {
      await goTo(page, place, /./)
      await settle(page)
      for (const button of await page.locator('main button:not(.sort)').all())
        names.add(((await button.textContent()) ?? '').trim())
    }
    expect(refused).toEqual([])
    // What a viewer may do besides sorting: copy a curl line, change the own password.
    expect([...names].sort()).toEqual(['Change password', 'Copy'])
  })
})

/** What a page asks for first has been answered: it asks no more, and says the same twice. */
async function settle(page: Page): Promise<void> {
  // Not by a function of ours: the page's policy lets nobody evaluate text.
  await page
    .getByText(/^Loading/)
    .first()
    .waitFor({ state: 'detached' })
  let before: string | null = ''
  await until('the page rests', async () => {
    const now = await page.locator('main').textContent()
    const rests = now === before
    before = now
    return rests
  })
}

const overflow = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth') as Promise<number>
