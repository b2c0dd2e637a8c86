// Share users and groups, and their quotas on a dataset, with the mouse; and that a slip closes no dialog with something in it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import { tool } from '../api/storage-tools.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import {
  type Desk,
  expectAccessible,
  expectFocus,
  expectNoOverflow,
  goTo,
  REFUSED,
  shoot,
  signIn,
  startStorageDesk,
} from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }
beforeAll(async () => {
  desk = await startStorageDesk()
  tool(desk.world, 'zpool', 'create', '-O', `mountpoint=${desk.world.files}/tank`, 'tank', ...desk.world.disks(1))
  tool(desk.world, 'zfs', 'create', 'tank/data')
})
afterAll(() => desk?.close())

async function come(place: string, heading: string, username = 'operator', phone = false) {
  const person = await visitor(desk.url, { phone })
  await signIn(person.page, { username, password: PASSWORD })
  await goTo(person.page, place, heading)
  return person
}
const get = async (path: string) => (await desk.world.ask('GET', path)).json

describe('share users', () => {
  it('and groups are created, changed, disabled and deleted', async () => {
    const person = await come('share-users', 'Share users')
    const { page } = person
    person.expected.push(REFUSED)
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Create share group…' }).click()
    await dialog.getByLabel('Name', { exact: true }).fill('crew')
    await dialog.getByRole('button', { name: 'Create share group' }).click()
    await page.getByText('crew was created.').waitFor()

    await page.getByRole('button', { name: 'Create share user…' }).click()
    await dialog.getByLabel('Name', { exact: true }).fill('alice')
    await dialog.getByLabel('Password').fill('x')
    await dialog.getByRole('group', { name: 'Groups' }).getByLabel('crew').check()
    // What is refused is said at its field, and what was entered is still there.
    await dialog.getByRole('button', { name: 'Create share user' }).click()
    await dialog.locator('.wrong').first().waitFor()
    await expectFocus(page, 'Password')
    expect(await dialog.getByLabel('Name', { exact: true }).inputValue()).toBe('alice')
    await shoot(page, 'share-user-refused')
    await dialog.getByLabel('Password').fill('a-good-one-1')
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Create share user' }).click()
    await page.getByText('alice was created.').waitFor()
    await page.getByRole('row', { name: /^alice .*crew.* on/ }).waitFor()
    await page.getByRole('row', { name: /^crew .*alice/ }).waitFor()
    await expectAccessible(page)
    await shoot(page, 'share-users')

    // She is connected when she is disabled: it says so.
    const [{ uid }] = await get('/share-users')
    desk.world.fakes?.change(({ samba }) => {
      samba.sessions = [{ id: '21', pid: 4721, uid, username: 'alice', client: '10.0.0.21', shares: [], files: [] }]
    })
    await page.getByRole('button', { name: 'Edit alice' }).click()
    await dialog.getByLabel('Enabled').uncheck()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('alice was changed. Disconnected: 10.0.0.21.').waitFor()
    await page.getByRole('row', { name: /^alice .* off/ }).waitFor()

    await page.getByRole('button', { name: 'Delete alice' }).click()
    await dialog.getByText('Its files stay.').waitFor()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Delete user' }).click()
    await page.getByText('alice was deleted.').waitFor()
    expect(await get('/share-users')).toEqual([])
  })

  it('are seen by a viewer on a phone, without buttons', async () => {
    const { page } = await come('share-users', 'Share users', 'viewer', true)
    await page.getByRole('rowheader', { name: 'crew' }).waitFor()
    expect(await page.locator('main button:not(.sort)').allTextContents()).toEqual(['Copy'])
    await expectNoOverflow(page)
    await shoot(page, 'share-users-phone')
  })
})

describe('a dialog', () => {
  it('asks before it throws away what was entered, and gives the focus back', async () => {
    const { page } = await come('share-users', 'Share users')
    const dialog = page.getByRole('dialog')
    const open = page.getByRole('button', { name: 'Create share group…' })
    await open.click()
    // Nothing was entered: it closes at once.
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expectFocus(page, 'Create share group…')
    await open.click()
    await dialog.getByLabel('Description').fill('night shift')
    await page.keyboard.press('Escape')
    await dialog.getByText('Discard what you entered?').waitFor()
    await expectFocus(page, 'Keep editing')
    await expectAccessible(page)
    await shoot(page, 'dialog-discard')
    await page.keyboard.press('Enter')
    await dialog.getByText('Discard what you entered?').waitFor({ state: 'detached' })
    await expectFocus(page, 'Description')
    expect(await dialog.getByLabel('Description').inputValue()).toBe('night shift')
    await dialog.getByRole('button', { name: 'Close' }).click()
    await dialog.getByRole('button', { name: 'Discard' }).click()
    await dialog.waitFor({ state: 'detached' })
    await expectFocus(page, 'Create share group…')
  })
})

describe('a quota', () => {
  it('of a user is set, refused at its field, changed and removed', async () => {
    const bob = await desk.world.ask('POST', '/share-users', { json: { name: 'bob', password: 'a-good-one-1' } })
    expect(bob.status).toBe(201)
    const person = await come('datasets/tank%2Fdata', 'Dataset tank/data')
    const { page } = person
    person.expected.push(REFUSED)
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Set a quota…' }).click()
    await dialog.getByLabel('Name or number').fill('nobody-here')
    await dialog.getByLabel('Quota', { exact: true }).fill('much')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.locator('.wrong').first().waitFor()
    await dialog.getByLabel('Quota', { exact: true }).fill('10G')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.locator('.wrong').first().waitFor()
    await expectFocus(page, 'Name or number')
    await shoot(page, 'quota-refused')
    await dialog.getByLabel('Name or number').fill('bob')
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /^bob user .* 10 GiB/ }).waitFor()
    await shoot(page, 'quotas')
    await page.getByRole('button', { name: 'Edit the quota of bob' }).click()
    expect(await dialog.getByLabel('Quota', { exact: true }).inputValue()).toBe('10G')
    await dialog.getByLabel('Quota', { exact: true }).fill('')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    const { users } = await get('/quotas/tank%2Fdata')
    expect(users.filter(({ quota }: { quota?: number }) => quota !== undefined)).toEqual([])
  })
})
