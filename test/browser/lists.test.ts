// What a person does with a long list: sort it, search it, turn its pages, select rows and change them together.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, expectNoOverflow, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }

beforeAll(async () => {
  desk = await startStorageDesk()
  const [a, b] = desk.world.disks(2)
  await made('/pools', { name: 'tank', vdevs: ['mirror', a, b] })
  for (const name of ['tank/data', 'tank/data2', 'tank/data10']) {
    await made('/datasets', { name })
    await made('/shares/smb', { name: name.slice(5), dataset: name })
    await made('/snapshots', { dataset: name, name: 'one' })
  }
})
afterAll(() => desk?.close())

async function made(path: string, json: unknown): Promise<void> {
  const { status } = await desk.world.ask('POST', path, { json, as: 'administrator' })
  expect([path, status < 300]).toEqual([path, true])
}

async function come(
  place: string,
  heading: string | RegExp,
  prepare?: (page: Page) => Promise<unknown>,
  phone = false,
) {
  const person = await visitor(desk.url, { phone })
  await prepare?.(person.page)
  await signIn(person.page, { username: 'operator', password: PASSWORD })
  await goTo(person.page, place, heading)
  await person.page.getByRole('table').first().waitFor()
  return person
}

const COUNT = 5000
const GIB = 2 ** 30

/** Five thousand snapshots of five hundred datasets; the appliance has three of its own. */
const manySnapshots = (page: Page) =>
  page.route('**/api/v1/snapshots', (route) =>
    route.fulfill({
      json: Array.from({ length: COUNT }, (_, i) => ({
        name: `tank/d${i % 500}@daily-${i}`,
        dataset: `tank/d${i % 500}`,
        size: (i % 7) * GIB,
        created_at: new Date(1_767_225_600_000 + i * 60_000).toISOString(),
      })),
    }),
  )

/** What the first column says, from top to bottom. */
const firstColumn = (page: Page) => page.getByRole('rowheader').allTextContents()
const header = (page: Page, name: string) => page.getByRole('columnheader', { name, exact: true })
const expectSorted = (page: Page, name: string, how: string) =>
  expect.poll(() => header(page, name).getAttribute('aria-sort')).toBe(how)
const dialogOf = (page: Page) => page.getByRole('dialog')

describe('sorting', () => {
  it('is by the mouse or the keyboard, and names count with their digits', async () => {
    const { page } = await come('pools/-new', 'Create a pool')
    const disks = Array.from({ length: 10 }, (_, i) => `/dev/fake${i + 3}`)
    // The disks are sorted from the start; the first click turns them around.
    await expectSorted(page, 'Disk', 'ascending')
    expect(await firstColumn(page)).toEqual(disks)
    await header(page, 'Disk').getByRole('button').click()
    await expectSorted(page, 'Disk', 'descending')
    expect(await firstColumn(page)).toEqual([...disks].reverse())
    await page.keyboard.press('Enter')
    await expectSorted(page, 'Disk', 'ascending')
    expect(await firstColumn(page)).toEqual(disks)
    await expectSorted(page, 'Size', 'none')
    await header(page, 'Size').getByRole('button').click()
    await expectSorted(page, 'Size', 'ascending')
    await expectSorted(page, 'Disk', 'none')
    // Enter in the search does not create the pool.
    await page.getByLabel('Find disks').pressSequentially('FAKE12')
    await page.keyboard.press('Enter')
    await expect.poll(() => firstColumn(page)).toEqual(disks.slice(-1))
    expect(await page.getByText('This field is required').count()).toBe(0)
  })

  it('is by the size, not by its text, and then shows whole names', async () => {
    const { page } = await come('datasets', 'Datasets and volumes', (one) =>
      one.route('**/api/v1/datasets', async (route) => {
        const all = await (await route.fetch()).json()
        const sizes: Record<string, number> = {
          tank: 9 * GIB,
          'tank/data': 1000,
          'tank/data2': GIB,
          'tank/data10': 2000,
        }
        await route.fulfill({ json: all.map((one: { name: string }) => ({ ...one, used: sizes[one.name] })) })
      }),
    )
    expect(await firstColumn(page)).toEqual(['tank', 'data', 'data2', 'data10'])
    await header(page, 'Used').getByRole('button').click()
    await expectSorted(page, 'Used', 'ascending')
    expect(await firstColumn(page)).toEqual(['tank/data', 'tank/data10', 'tank/data2', 'tank'])
  })
})

describe('a list of five thousand', () => {
  it('has a page of rows in the document, newest first, and the others a button away', async () => {
    const { page } = await come('snapshots', 'Snapshots', manySnapshots)
    await page.getByText('5,000 snapshots', { exact: true }).waitFor()
    expect(await page.getByRole('rowheader').count()).toBe(100)
    expect((await firstColumn(page))[0]).toBe('tank/d499@daily-4999')
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('5001')
    await page.getByRole('button', { name: 'Next page' }).click()
    await page.getByText('Rows 101 to 200 of 5,000').waitFor()
    expect((await firstColumn(page))[0]).toBe('tank/d399@daily-4899')
    expect(await page.getByRole('row').nth(1).getAttribute('aria-rowindex')).toBe('102')
    // The keyboard goes on at the rows, not at the end of them.
    expect(await page.evaluate(`document.activeElement.getAttribute('aria-label')`)).toBe('Snapshots')
    await page.getByRole('button', { name: 'Last page' }).click()
    await page.getByText('Rows 4,901 to 5,000 of 5,000').waitFor()
    await expectAccessible(page)
  })

  it('is searched as a whole, and says what the search hides', async () => {
    const { page } = await come('snapshots', 'Snapshots', manySnapshots)
    await page.getByLabel('Find snapshots').fill('d7@ DAILY')
    await page.getByText('10 of 5,000 snapshots; the search hides 4,990').waitFor()
    expect(await page.getByRole('rowheader').count()).toBe(10)
    await page.getByLabel('Find snapshots').fill('no such')
    await page.getByText('No snapshots match the search.').waitFor()
    await page.getByLabel('Find snapshots').fill('')
    await page.getByText('5,000 snapshots', { exact: true }).waitFor()
  })

  it('is selected by row, by page or as a whole, and never what the search hides', async () => {
    const { page } = await come('snapshots', 'Snapshots', manySnapshots)
    const selected = (count: string) => page.getByText(`${count} selected`, { exact: true }).waitFor()
    await selected('0')
    await page.getByLabel('Select tank/d499@daily-4999').press('Space')
    await selected('1')
    await page.getByLabel('Select all on this page').check()
    await selected('100')
    await page.getByRole('button', { name: 'Select all 5,000' }).click()
    await selected('5,000')
    await page.getByLabel('Find snapshots').fill('d7@')
    await selected('10')
    await page.getByLabel('Select tank/d7@daily-7', { exact: true }).uncheck()
    await selected('9')
    await page.getByRole('button', { name: 'Delete 9 snapshots…' }).click()
    const names = await dialogOf(page).locator('pre').textContent()
    expect(names?.split('\n').length).toBe(9)
    expect(names).not.toContain('daily-7\n')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Select none' }).click()
    await selected('0')
  })

  it('is used on a phone, too', async () => {
    const { page } = await come('snapshots', 'Snapshots', manySnapshots, true)
    await page.getByRole('button', { name: 'Unique space' }).click()
    await page.getByText('tank/d498@daily-4998', { exact: true }).waitFor()
    await page.getByLabel('Select tank/d498@daily-4998').check()
    await page.getByText('1 selected', { exact: true }).waitFor()
    await expectNoOverflow(page)
    await expectAccessible(page)
    await page.evaluate('scrollTo(0, 0)')
    await page.screenshot({ path: 'test/browser/screenshots/lists-phone.png' })
  })
})

describe('several at once', () => {
  it('snapshots: each has its result, and one that is held does not stop the others', async () => {
    const programs = desk.world.fakes?.programs ?? ''
    execFileSync(join(programs, 'zfs'), ['hold', 'keep', 'tank/data2@one'])
    const { page } = await come('snapshots', 'Snapshots')
    await page.getByLabel('Select all on this page').check()
    await page.getByRole('button', { name: 'Delete 3 snapshots…' }).click()
    const dialog = dialogOf(page)
    await dialog.getByText('tank/data10@one').waitFor()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Delete 3 snapshots' }).click()
    await dialog.getByText('Type exactly 3').waitFor()
    expect((await desk.world.ask('GET', '/snapshots')).json).toHaveLength(3)
    await dialog.getByLabel('Type 3 to confirm').fill('3')
    await dialog.getByRole('button', { name: 'Delete 3 snapshots' }).click()
    await dialog.getByText('2 of 3 deleted').waitFor()
    await dialog.getByText('tank/data2@one: is held: keep').waitFor()
    await shoot(page, 'snapshots-delete')
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByRole('rowheader', { name: 'tank/data@one' }).waitFor({ state: 'detached' })
    expect(await firstColumn(page)).toEqual(['tank/data2@one'])
  })

  it('shares: the names are shown first, and what went wrong with one is said of that one', async () => {
    const person = await come('smb', 'SMB shares')
    const { page } = person
    person.expected.push(REFUSED)
    await page.getByLabel('Select data', { exact: true }).check()
    await page.getByLabel('Select data10').check()
    await page.getByRole('button', { name: 'Delete 2…' }).click()
    const dialog = dialogOf(page)
    expect(await dialog.locator('pre').textContent()).toBe('data\ndata10')
    // Somebody else is quicker.
    const shares: { id: string; name: string }[] = (await desk.world.ask('GET', '/shares/smb')).json
    const gone = shares.find(({ name }) => name === 'data')
    expect((await desk.world.ask('DELETE', `/shares/smb/${gone?.id}`)).status).toBe(200)
    await dialog.getByRole('button', { name: 'Delete 2 SMB shares' }).click()
    await dialog.getByText('1 of 2 deleted').waitFor()
    await dialog.getByText(/^data: .*not/i).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('rowheader', { name: 'data10' }).waitFor({ state: 'detached' })
    expect(await firstColumn(page)).toEqual(['data2'])
  })

  it('datasets: a snapshot of each', async () => {
    const { page } = await come('datasets', 'Datasets and volumes')
    await page.getByLabel('Select tank/data', { exact: true }).check()
    await page.getByLabel('Select tank/data10', { exact: true }).check()
    await page.getByRole('button', { name: 'Create 2 snapshots…' }).click()
    await dialogOf(page).getByLabel('Name').fill('both')
    await dialogOf(page).getByRole('button', { name: 'Create 2 snapshots' }).click()
    await dialogOf(page).waitFor({ state: 'detached' })
    const names = (await desk.world.ask('GET', '/snapshots')).json.map(({ name }: { name: string }) => name)
    expect(names).toEqual(expect.arrayContaining(['tank/data@both', 'tank/data10@both']))
  })
})
