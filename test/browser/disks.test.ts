// The disks of the appliance with the mouse: which one is failing and where it is, self-tests and their schedule, the LED
// of a slot, and a wipe after its plan; then when a pool is scrubbed and trimmed.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, expectNoOverflow, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }
const FAILING = {
  smartctl: { exit_status: 24 },
  device: { protocol: 'ATA' },
  smart_support: { available: true, enabled: true },
  smart_status: { passed: false },
  temperature: { current: 81 },
  power_on_time: { hours: 43_210 },
  ata_smart_attributes: { table: [5, 197, 198].map((id) => ({ id, raw: { value: id === 5 ? 712 : 0 } })) },
  ata_smart_data: { self_test: { status: { value: 0 }, polling_minutes: { short: 2, extended: 300 } } },
}
const set = (n: number, more: object) =>
  desk.world.fakes?.change(({ disks }) => Object.assign(disks[`/dev/fake${n}`]!, more))
beforeAll(async () => {
  desk = await startStorageDesk()
  set(2, { slot: 'Slot 07', led: false, smart: FAILING })
  set(3, { asleep: true })
  set(4, { mountpoint: '/srv', fstype: 'ext4' })
  set(5, { children: [{ path: '/dev/fake5p1', size: 1000, fstype: 'ext4', label: 'photos' }], led: false })
  const [a, b] = desk.world.disks(2)
  await desk.world.ask('POST', '/pools', { json: { name: 'tank', vdevs: ['mirror', a, b] } })
})
afterAll(() => desk?.close())

async function come(place: string, heading: string | RegExp, username = 'operator', phone = false) {
  const person = await visitor(desk.url, { phone })
  await signIn(person.page, { username, password: PASSWORD })
  await goTo(person.page, place, heading)
  return person
}
const get = async (path: string) => (await desk.world.ask('GET', path)).json

it('the failing disk is found by its health, and its page says why and where it is', async () => {
  const { page } = await come('disks', 'Disks')
  await page.getByRole('columnheader', { name: 'Health' }).getByRole('button').click()
  await page.getByLabel('Find disks').fill('failing')
  const row = page.getByRole('row', { name: /^fake2 Fake disk FAKE2 .*tank.* failing/ })
  await row.waitFor()
  expect(await page.getByRole('rowheader').count()).toBe(1)
  await page.getByLabel('Find disks').fill('')
  await page.getByRole('row', { name: /^fake3 .* standby/ }).waitFor()
  await expectAccessible(page)
  await shoot(page, 'disks-list')
  await page.getByRole('link', { name: 'fake2', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Disk fake2' }).waitFor()
  await page.getByText('The disk is failing').waitFor()
  await page.getByText('81 °C, too hot').waitFor()
  // What a pool uses is not wiped, and the button says so.
  expect(await page.getByRole('button', { name: 'Wipe…' }).isDisabled()).toBe(true)
  await page.getByText('It is in use').waitFor()
  await expectAccessible(page)
  await shoot(page, 'disk-failing')
})

it('the LED of its slot is switched, and a disk without one says so', async () => {
  const person = await come('disks/fake-DISK2', 'Disk fake2')
  const { page } = person
  person.expected.push(/status of 501/)
  await page.getByRole('button', { name: 'Turn on the LED' }).click()
  await page.getByRole('button', { name: 'Turn off the LED' }).waitFor()
  expect((await get('/disks/fake-DISK2')).locate).toBe(true)
  await goTo(page, 'disks/fake-DISK6', 'Disk fake6')
  await page.getByRole('button', { name: 'Turn on the LED' }).click()
  await page.getByText('device not supported').first().waitFor()
  await shoot(page, 'disk-no-led')
})

it('a self-test runs, one at a time, and its result is in the list', async () => {
  const { page } = await come('disks/fake-DISK6', 'Disk fake6')
  await page.getByRole('button', { name: 'Start short test (2 min)' }).click()
  await page.getByRole('progressbar', { name: 'Self-test' }).waitFor()
  expect(await page.getByRole('button', { name: 'Start long test (300 min)' }).isDisabled()).toBe(true)
  expect(desk.world.fakes?.model().disks['/dev/fake6']?.['test']).toBe('short')
  await expectAccessible(page)
  await shoot(page, 'disk-test')
})

it('self-tests of all disks are scheduled', async () => {
  const { page } = await come('disks', 'Disks')
  await page.getByLabel('Short test (minutes)').selectOption('Every week')
  await page.getByLabel('Long test (hours)').selectOption('Every month')
  await page.getByRole('button', { name: 'Save schedule' }).click()
  await expect.poll(() => get('/disk-tests')).toMatchObject({ short: 'weekly', long: 'monthly' })
  await page.getByText('The schedule was saved').waitFor()
  await page.reload()
  await page.getByLabel('Long test (hours)').waitFor()
  expect(await page.getByLabel('Long test (hours)').inputValue()).toBe('monthly')
})

it('a disk that held something is wiped after its plan, by its serial number', async () => {
  const person = await come('disks/fake-DISK5', 'Disk fake5')
  const { page } = person
  person.expected.push(REFUSED)
  await page.getByRole('rowheader', { name: '/dev/fake5p1' }).waitFor()
  await page.getByRole('button', { name: 'Wipe…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('/dev/fake5p1').waitFor()
  await expectAccessible(page)
  await shoot(page, 'disk-wipe')
  await dialog.getByRole('button', { name: 'Wipe disk' }).click()
  await dialog.getByText('Type exactly FAKE5').waitFor()
  expect((await get('/disks/fake-DISK5')).partitions).toHaveLength(1)
  await dialog.getByLabel('Type FAKE5 to confirm').fill('FAKE5')
  await dialog.getByRole('button', { name: 'Wipe disk' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('rowheader', { name: '/dev/fake5p1' }).waitFor({ state: 'detached' })
  expect(await get('/disks/fake-DISK5')).toMatchObject({ free: true, partitions: [] })
})

it('a pool is scrubbed by hand and by schedule, and trimmed by schedule', async () => {
  const { page } = await come('pools/tank', 'Pool tank')
  const card = page.locator('section.card', { has: page.getByRole('heading', { name: 'Schedule' }) })
  expect(await card.getByLabel('Scrub', { exact: true }).inputValue()).toBe('monthly')
  await card.getByLabel('Scrub', { exact: true }).selectOption('Every week')
  await card.getByLabel('Trim').selectOption('Every month')
  await card.getByRole('button', { name: 'Save schedule' }).click()
  await expect.poll(() => get('/pools/tank/schedule')).toMatchObject({ scrub: 'weekly', trim: 'monthly' })
  await page.getByText('The schedule was saved').waitFor()
  desk.world.fakes?.change((model) => {
    model.scrubStep = 0
  })
  await page.getByRole('button', { name: 'Start scrub' }).click()
  await page.getByRole('progressbar', { name: 'Scrub progress' }).waitFor()
  await shoot(page, 'pool-schedule')
  await page.getByRole('button', { name: 'Stop scrub' }).click()
  await page.getByRole('button', { name: 'Start scrub' }).waitFor()
})

it('a viewer looks at all of it on a phone', async () => {
  const { page } = await come('disks/fake-DISK2', 'Disk fake2', 'viewer', true)
  await page.getByText('The disk is failing').waitFor()
  await expectNoOverflow(page)
  await expectAccessible(page)
  await shoot(page, 'disk-failing-phone')
  await goTo(page, 'disks', 'Disks')
  await page.getByText('Short test').waitFor()
  await expectNoOverflow(page)
  await shoot(page, 'disks-list-phone')
})
