// An iSCSI target with CHAP in both directions, with the mouse: set, kept, refused with the reason at its field, ended.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseLio } from '../../src/drivers/lio.ts'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, expectFocus, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }
beforeAll(async () => {
  desk = await startStorageDesk()
})
afterAll(() => desk?.close())

const FIRST = { username: 'host1', password: 'secret-of-the-host' }
const SECOND = { username: 'edge', password: 'secret-of-the-target' }

/** What the kernel asks for and answers with. */
function accounts() {
  const { stdout } = spawnSync(join(desk.world.fakes?.programs ?? '', 'lio'), ['read'], { encoding: 'utf8' })
  const [target] = parseLio(stdout).targets
  return { chap: target?.chap, mutual: target?.mutual }
}

it('both directions of CHAP are set, kept, refused with the reason, and ended', async () => {
  const { page, expected } = await visitor(desk.url)
  expected.push(REFUSED)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'iscsi', 'iSCSI targets')
  const dialog = page.getByRole('dialog')
  const field = (label: string) => dialog.getByLabel(label, { exact: true })
  const type = async (title: string, { username, password }: typeof FIRST) => {
    await field(`${title} authentication`).selectOption('set')
    await field(`${title} name`).fill(username)
    await field(`${title} password`).fill(password)
  }

  await page.getByRole('button', { name: 'Create target…' }).click()
  await field('Name (IQN)').fill('iqn.2026-11.com.example:disk1')
  await field('Allowed initiators').fill('iqn.2026-11.com.example:host1')
  expect(await field('Mutual CHAP authentication').count()).toBe(0)
  await type('CHAP', FIRST)
  // The same password for both is refused before anything is sent.
  await type('Mutual CHAP', { ...SECOND, password: FIRST.password })
  await dialog.getByRole('button', { name: 'Create target' }).click()
  await dialog.getByText('Choose another password than that of CHAP').waitFor()
  await expectFocus(page, 'Mutual CHAP password')
  await field('Mutual CHAP password').fill(SECOND.password)
  await expectAccessible(page)
  await shoot(page, 'iscsi-mutual-chap')
  // The command that is shown holds no password.
  expect(await dialog.locator('.curl pre').textContent()).not.toContain('secret-of')
  await dialog.getByRole('button', { name: 'Create target' }).click()
  await page.getByRole('heading', { level: 1, name: 'Target iqn.2026-11.com.example:disk1' }).waitFor()
  await page.getByText('name edge; the password is not shown').waitFor()
  await page.getByText('and for mutual CHAP username_in and password_in').waitFor()
  await expectAccessible(page)
  expect(accounts()).toEqual({ chap: FIRST, mutual: SECOND })

  await page.getByRole('button', { name: 'Edit…' }).click()
  await expect.poll(() => field('Mutual CHAP authentication').inputValue()).toBe('keep')
  // Only the appliance knows the one that is kept: what it says is shown where it was typed.
  await type('CHAP', { ...FIRST, password: SECOND.password })
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('The two passwords, of chap and of mutual_chap, must differ').waitFor()
  await expectFocus(page, 'CHAP authentication')
  await field('CHAP password').fill('another-secret-of-the-host')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(accounts()).toEqual({ chap: { ...FIRST, password: 'another-secret-of-the-host' }, mutual: SECOND })

  await page.getByRole('button', { name: 'Edit…' }).click()
  await field('CHAP authentication').selectOption('none')
  await dialog.getByText('Mutual CHAP ends, too').waitFor()
  expect(await field('Mutual CHAP authentication').count()).toBe(0)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('not required').waitFor()
  expect(accounts()).toEqual({ chap: undefined, mutual: undefined })
})
