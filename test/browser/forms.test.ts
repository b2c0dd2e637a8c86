// What a form says when it is refused, or not ready: everything at once, each at its field, with the focus at the first. The wire form is
// fulfilled here where the appliance would tell one error alone: this is about what the page makes of several.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import {
  type Desk,
  expectAccessible,
  expectFocus,
  goTo,
  REFUSED,
  shoot,
  signIn,
  startStorageDesk,
  type Visitor,
} from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }

beforeAll(async () => {
  desk = await startStorageDesk()
  const [a, b] = desk.world.disks(2)
  const pool = { name: 'tank', vdevs: ['mirror', a, b] }
  expect((await desk.world.ask('POST', '/pools', { json: pool, as: 'administrator' })).status).toBeLessThan(300)
})
afterAll(() => desk?.close())

async function come(place: string, heading: string): Promise<Visitor> {
  const person = await visitor(desk.url)
  person.expected.push(REFUSED)
  await signIn(person.page, { username: 'administrator', password: PASSWORD })
  await goTo(person.page, place, heading)
  return person
}

/** What a field is marked with, and what it is described by. */
async function told(page: Page, label: string): Promise<{ invalid: string | null; text: string }> {
  const field = page.getByLabel(label, { exact: true })
  const ids = ((await field.getAttribute('aria-describedby')) ?? '').split(' ').filter(Boolean)
  const texts = await Promise.all(ids.map((id) => page.locator(`[id="${id}"]`).textContent()))
  return { invalid: await field.getAttribute('aria-invalid'), text: texts.join(' | ') }
}

const refuse = (page: Page, path: string, errors: { field: string; message: string }[]) =>
  page.route(`**${path}`, (route) =>
    route.request().method() === 'GET'
      ? route.fallback()
      : route.fulfill({
          status: 400,
          contentType: 'application/json',
          headers: { 'X-Request-Id': 'made-up-1' },
          body: JSON.stringify({
            code: 'VALIDATION_ERROR',
            message: errors[0]?.message,
            details: errors[0]?.field,
            errors,
          }),
        }),
  )

describe('a form that is refused', () => {
  it('says everything at once, each at its field, and the focus is at the first', async () => {
    const { page } = await come('datasets/-new', 'Create a dataset or volume')
    await page.getByLabel('Name', { exact: true }).fill('My Data/x')
    await page.getByLabel('Quota', { exact: true }).fill('hundred')
    await refuse(page, '/api/v1/datasets', [
      { field: 'name', message: 'No blank at the end' },
      { field: 'name', message: 'Too long' },
      { field: 'options.quota', message: 'Not a size' },
      { field: 'options.org:odd', message: 'Not a property' },
      { field: 'idempotency', message: 'Nobody has a field for this' },
    ])
    await page.getByRole('button', { name: 'Create dataset' }).click()
    await expectFocus(page, 'Name')
    expect(await told(page, 'Name')).toMatchObject({ invalid: 'true', text: /^No blank at the end/ })
    expect(await told(page, 'Quota')).toMatchObject({ invalid: 'true', text: /^Not a size/ })
    // What has no field of its own belongs to the field that holds its like.
    expect((await told(page, 'Other ZFS properties')).text).toMatch(/^org:odd: Not a property/)
    const rest = page.getByRole('alert')
    expect(await rest.textContent()).toMatch(/3 fields were refused.*Nobody has a field for this.*Request made-up-1/)
    expect((await told(page, 'Record size')).invalid).toBe(null)
    await expectAccessible(page)
    await shoot(page, 'form-refused')
    // What is typed now is not what was refused.
    await page.getByLabel('Quota', { exact: true }).fill('100G')
    expect((await told(page, 'Quota')).invalid).toBe(null)
    expect((await told(page, 'Name')).invalid).toBe('true')
  })

  it('names the word of a list that was refused, not its number', async () => {
    const { page } = await come('nfs', 'NFS exports')
    await page.getByRole('button', { name: /Create NFS export/ }).click()
    await refuse(page, '/api/v1/exports/nfs', [{ field: 'clients.2', message: 'Not a client' }])
    await page.getByLabel('Allowed clients').fill('10.0.0.1\n10.0.0.2, not!one')
    await page.getByLabel('Dataset').selectOption('tank')
    await page.getByRole('button', { name: 'Create export' }).click()
    await expectFocus(page, 'Allowed clients')
    expect((await told(page, 'Allowed clients')).text).toMatch(/^not!one: Not a client/)
  })

  it('names the disk that was refused', async () => {
    const { page } = await come('pools/-new', 'Create a pool')
    const [first, second] = desk.world.disks(4).slice(2) as [string, string]
    await page.getByLabel('Name', { exact: true }).fill('second')
    for (const disk of [first, second]) await page.getByLabel(`Use of ${disk}`, { exact: true }).selectOption('data')
    await refuse(page, '/api/v1/pools', [{ field: 'vdevs.2', message: 'There is no such block device' }])
    await page.getByRole('button', { name: 'Create pool with 2 devices' }).click()
    await expectFocus(page, 'Disks')
    await page.locator('.wrong', { hasText: `${second}: There is no such block device` }).waitFor()
  })

  it('is refused by the appliance itself in the same way', async () => {
    const { page } = await come('datasets/-new', 'Create a dataset or volume')
    await page.getByLabel('Name', { exact: true }).fill('no#such')
    await page.getByRole('button', { name: 'Create dataset' }).click()
    await expectFocus(page, 'Name')
    expect((await told(page, 'Name')).invalid).toBe('true')
  })
})

describe('a form that is not ready', () => {
  it('is not gray: it says what is missing, all of it, and sends nothing', async () => {
    const { page } = await come('pools/-new', 'Create a pool')
    const sent: string[] = []
    page.on('request', (request) => void (request.method() === 'POST' && sent.push(request.url())))
    await page.getByLabel('Use of', { exact: false }).first().waitFor()
    await page.getByRole('button', { name: /^Create pool/ }).click()
    await expectFocus(page, 'Name')
    expect((await told(page, 'Name')).text).toMatch(/^This field is required/)
    await page.locator('.wrong', { hasText: 'Choose at least one disk for data' }).waitFor()
    expect(sent).toEqual([])
    await expectAccessible(page)
    await shoot(page, 'form-not-ready')
  })

  it('has chosen what there is only one of', async () => {
    const { page } = await come('datasets/-new', 'Create a dataset or volume')
    await expect.poll(() => page.getByLabel('Parent', { exact: true }).inputValue()).toBe('tank')
  })

  it('every button that is gray says why, in words that belong to it', async () => {
    const { page } = await come('users', 'Users')
    await page.getByRole('button', { name: 'Edit operator' }).click()
    const button = page.getByRole('button', { name: 'Save' })
    await button.waitFor()
    expect(await button.isDisabled()).toBe(true)
    const id = await button.getAttribute('aria-describedby')
    expect(await page.locator(`[id="${id}"]`).textContent()).toBe('Nothing has been changed yet.')
    await expectAccessible(page)
  })
})

describe('a pool of disks that do not go together', () => {
  it('is warned of before it is made', async () => {
    const { page } = await come('pools/-new', 'Create a pool')
    await page.route('**/api/v1/disks', (route) =>
      route.fulfill({
        json: [2, 10, 1].map((n) => ({
          ...{ path: `/dev/disk/by-id/fake-DISK${n}`, device: `/dev/fake${n}`, free: true },
          size: n === 10 ? 512 * 2 ** 20 : 4 * 2 ** 40,
        })),
      }),
    )
    await page.reload()
    await page.getByLabel('Layout of Data 1').selectOption('raidz2')
    const disks = page.getByRole('rowheader')
    await expect.poll(() => disks.allTextContents()).toEqual(['/dev/fake1', '/dev/fake2', '/dev/fake10'])
    for (const n of [1, 2]) await page.getByLabel(`Use of /dev/fake${n}`, { exact: true }).selectOption('data')
    expect(await page.getByText('the disks differ in size').count()).toBe(0)
    await page.getByLabel('Use of /dev/fake10', { exact: true }).selectOption('data')
    await page.getByText('Data 1: the disks differ in size, from 512 MiB to 4.0 TiB').waitFor()
    await page.getByText('RAID-Z2 of 3 disks is a poor choice').waitFor()
  })
})
