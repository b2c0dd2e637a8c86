// From free disks to a share, a snapshot and back, and the end of it all, as an operator with a browser. What the page
// says is one thing; each step is looked for in the model behind the fakes, by the API.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, goTo, REFUSED, shoot, signIn, startStorageDesk, type Visitor } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }

beforeAll(async () => {
  desk = await startStorageDesk()
})
afterAll(() => desk?.close())

async function come(place: string, heading: string | RegExp): Promise<Visitor> {
  const person = await visitor(desk.url)
  await signIn(person.page, { username: 'operator', password: PASSWORD })
  await goTo(person.page, place, heading)
  return person
}

const json = async (path: string) => (await desk.world.ask('GET', path)).json
const dialogOf = (page: Page) => page.getByRole('dialog')

describe('storage', () => {
  it('a pool of free disks, which says what will be overwritten', async () => {
    const { page } = await come('pools', 'Pools')
    await page.getByText('There is no pool').waitFor()
    await page.getByRole('link', { name: 'Create pool' }).click()
    const [first, second] = desk.world.disks(2)
    await page.getByLabel('Name', { exact: true }).fill('tank')
    await page.getByLabel(`Use of ${first}`, { exact: true }).selectOption('data')
    await page.getByLabel(`Use of ${second}`, { exact: true }).selectOption('data')
    await page.getByText('2 disks will be overwritten').waitFor()
    await expectAccessible(page)
    await shoot(page, 'pool-create')
    await page.getByRole('button', { name: 'Create pool with 2 devices' }).click()
    await page.getByRole('heading', { level: 1, name: 'Pool tank' }).waitFor()
    const [pool] = await json('/pools')
    expect(pool).toMatchObject({ name: 'tank', health: 'ONLINE' })
  })

  it('a dataset, by keyboard alone', async () => {
    const { page } = await come('datasets/-new', 'Create a dataset or volume')
    // From the heading, which has the focus: the link above the form, the kind, then the place.
    await page.getByLabel('Parent', { exact: true }).waitFor()
    const tabTo = async (label: string) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab')
        const text = await page.evaluate(
          `(() => { const now = document.activeElement; return now.labels?.[0]?.textContent ?? now.textContent })()`,
        )
        if (text === label) return
      }
      throw new Error(`Tab never came to ${label}`)
    }
    await tabTo('Parent')
    await page.keyboard.type('tank')
    await tabTo('Name')
    await page.keyboard.type('data')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Dataset tank/data' }).waitFor()
    expect((await json('/datasets/tank/data')).name).toBe('tank/data')
  })

  it('a share of it, which says how to connect', async () => {
    const person = await come('smb', 'SMB shares')
    const { page } = person
    person.expected.push(REFUSED)
    await page
      .getByRole('button', { name: /Create SMB share/ })
      .first()
      .click()
    await dialogOf(page).getByLabel('Dataset').selectOption('tank/data')
    await expectAccessible(page)
    await dialogOf(page).getByRole('button', { name: 'Create share' }).click()
    await page.getByRole('row', { name: /tank\/data/ }).waitFor()
    expect(await json('/shares/smb')).toMatchObject([{ name: 'data', dataset: 'tank/data' }])
  })

  it('a snapshot, and back to it, after the plan was shown and its name typed', async () => {
    const { page } = await come('snapshots', 'Snapshots')
    await page.getByRole('button', { name: 'Create snapshot' }).first().click()
    await dialogOf(page).getByLabel('Dataset', { exact: true }).selectOption('tank/data')
    await dialogOf(page).getByLabel('Name', { exact: true }).fill('before')
    await dialogOf(page).getByRole('button', { name: 'Create snapshot' }).click()
    await page.getByRole('rowheader', { name: 'tank/data@before' }).waitFor()
    const later = { json: { dataset: 'tank/data', name: 'later' } }
    expect((await desk.world.ask('POST', '/snapshots', later)).status).toBe(201)
    await page.reload()
    await page.getByRole('button', { name: 'Roll back to tank/data@before' }).click()
    const dialog = dialogOf(page)
    await dialog.getByText('1 newer snapshot is lost as well').waitFor()
    await dialog.getByText('tank/data@later').waitFor()
    const button = dialog.getByRole('button', { name: /^Roll back to/ })
    // Without the name nothing goes, and the field says what is missing.
    await button.click()
    await dialog.getByText('Type exactly tank/data@before').waitFor()
    expect(await json('/snapshots?dataset=tank/data')).toHaveLength(2)
    await dialog.getByLabel('Type tank/data@before to confirm').fill('tank/data@before')
    await shoot(page, 'rollback')
    await button.click()
    await dialog.waitFor({ state: 'detached' })
    const names = (await json('/snapshots?dataset=tank/data')).map(({ name }: { name: string }) => name)
    expect(names).toEqual(['tank/data@before'])
  })

  it('what is in use is not destroyed, and the page says by what', async () => {
    const { page } = await come('datasets/tank%2Fdata', 'Dataset tank/data')
    await page.getByRole('button', { name: 'Destroy…' }).click()
    await dialogOf(page).getByText('These must be removed first').waitFor()
    await expectAccessible(page)
    expect((await json('/datasets/tank/data')).name).toBe('tank/data')
  })

  it('the end of the pool: the plan, the name, and it is gone', async () => {
    const [share] = await json('/shares/smb')
    expect((await desk.world.ask('DELETE', `/shares/smb/${share.id}`)).status).toBe(200)
    const { page } = await come('pools/tank', 'Pool tank')
    await page.getByRole('button', { name: 'Destroy…' }).click()
    const dialog = dialogOf(page)
    await dialog.getByText('tank/data@before').waitFor()
    await dialog.getByLabel('Type tank to confirm').fill('tan')
    const button = dialog.getByRole('button', { name: 'Destroy pool' })
    await button.click()
    await dialog.getByText('Type exactly tank').waitFor()
    expect(await json('/pools')).toHaveLength(1)
    await dialog.getByLabel('Type tank to confirm').fill('tank')
    await button.click()
    await page.getByRole('heading', { level: 1, name: 'Pools' }).waitFor()
    await page.getByText('There is no pool').waitFor()
    expect(await json('/pools')).toEqual([])
  })
})
