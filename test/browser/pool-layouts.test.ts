// Pools of several groups are created with the quick layout, extended and changed with the mouse; what is usable, what may
// fail and what speaks against the disks is shown before.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }
beforeAll(async () => {
  desk = await startStorageDesk()
})
afterAll(() => desk?.close())

interface Vdev {
  name: string
  class: string
  children?: Vdev[]
}

/** Further free disks, as large as the others. */
const addDisks = (...numbers: number[]) => addSized(1, ...numbers)

const addSized = (times: number, ...numbers: number[]) =>
  desk.world.fakes!.change(({ disks }) => {
    const size = Number(Object.values(disks)[0]!['size']) * times
    for (const n of numbers) disks[`/dev/fake${n}`] = { size, links: [`/dev/disk/by-id/fake-DISK${n}`] }
  })

it('twelve disks become two groups of six in RAID-Z2, and a hot spare is added', async () => {
  const { world } = desk
  addDisks(13, 14)
  const { page, expected } = await visitor(desk.url)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'pools/-new', 'Create a pool')
  await page.getByLabel('Name', { exact: true }).fill('tank')
  await page.getByLabel('Groups (vdevs)').fill('2')
  await page.getByLabel('Disks per group').fill('6')
  await page.getByLabel('Layout', { exact: true }).selectOption('raidz2')
  await page.getByText('12 disks as 2 groups of 6 in RAID-Z2: 2 disks may fail in each group').waitFor()
  await page.getByRole('button', { name: 'Fill the groups' }).click()
  await page.getByText('12 disks will be overwritten').waitFor()
  expect(await page.getByRole('group', { name: 'Data 2' }).getByText('RAID-Z2 of 6 disks').count()).toBe(1)
  await expectAccessible(page)
  await shoot(page, 'pool-groups')
  await page.getByRole('button', { name: 'Create pool with 12 devices' }).click()
  await page.getByRole('heading', { level: 1, name: 'Pool tank' }).waitFor()

  const { json } = await world.ask('GET', '/pools/tank')
  const groups = (json.vdevs as Vdev[]).map(({ name, children = [] }) => [name, children.length])
  expect(groups).toEqual([
    ['raidz2-0', 6],
    ['raidz2-1', 6],
  ])

  await page.getByRole('link', { name: 'Add disks' }).click()
  await page.getByRole('heading', { level: 1, name: 'Add disks to tank' }).waitFor()
  await page.getByLabel('Use of /dev/fake14', { exact: true }).selectOption('data')
  await page.getByLabel('Layout of Data 1').selectOption('stripe')
  await page.getByText('Data 1 has less redundancy than the other groups of the pool').waitFor()
  const differs = page.getByLabel('Add the disks all the same (layout-mismatch)')
  expect(await differs.count()).toBe(0)
  const plan = page.getByRole('button', { name: 'Show the plan' })
  expected.push(REFUSED)
  await plan.click()
  await differs.waitFor()
  expect(await differs.isChecked()).toBe(false)
  await shoot(page, 'pool-add-mismatch')

  await page.getByLabel('Use of /dev/fake14', { exact: true }).selectOption('')
  await page.getByLabel('Use of /dev/fake13', { exact: true }).selectOption('spare')
  await differs.waitFor({ state: 'detached' })
  await plan.click()
  const dialog = page.getByRole('dialog', { name: 'Add 1 disk to tank' })
  await dialog.getByRole('heading', { name: 'After' }).waitFor()
  await dialog.getByText(/\+ +fake-DISK13/).waitFor()
  await expectAccessible(page)
  await shoot(page, 'pool-add')
  await dialog.getByRole('button', { name: 'Add disks' }).click()
  await page.getByRole('heading', { level: 1, name: 'Pool tank' }).waitFor()
  const after = (await world.ask('GET', '/pools/tank')).json.vdevs as Vdev[]
  expect(after.filter((vdev) => vdev.class === 'spare').map(({ name }) => name)).toEqual(['fake-DISK13'])
  expect(after.filter((vdev) => vdev.class === 'data')).toHaveLength(2)
  await expectAccessible(page)
  await shoot(page, 'pool-spare')
})

it('a mirror is widened, a log removed, the pool trimmed, its properties set and its features upgraded', async () => {
  const { world } = desk
  addDisks(21, 22, 23, 24)
  const json = { name: 'small', vdevs: ['mirror', '/dev/fake21', '/dev/fake22', 'log', '/dev/fake23'] }
  expect((await world.ask('POST', '/pools', { json })).status).toBe(201)
  const vdevs = async () => (await world.ask('GET', '/pools/small')).json.vdevs as Vdev[]
  const { page } = await visitor(desk.url)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'pools/small', 'Pool small')
  const dialog = page.getByRole('dialog')

  await page.getByRole('button', { name: 'Widen mirror mirror-0' }).click()
  await dialog.getByLabel('Free disk').selectOption('fake-DISK24')
  await dialog.getByRole('button', { name: 'Show the plan' }).click()
  await dialog.getByText(/\+ +fake-DISK24/).waitFor()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Attach disk' }).click()
  await dialog.waitFor({ state: 'detached' })
  await expect.poll(async () => (await vdevs())[0]?.children?.length).toBe(3)

  await page.getByRole('button', { name: 'Remove fake23' }).click()
  await dialog.getByText(/− +fake23/).waitFor()
  await dialog.getByRole('button', { name: 'Remove fake23' }).click()
  await dialog.waitFor({ state: 'detached' })
  await expect.poll(async () => (await vdevs()).filter((vdev) => vdev.class === 'log')).toEqual([])

  await page.getByRole('button', { name: 'Start trim' }).click()
  await page
    .getByRole('button', { name: 'Suspend trim' })
    .or(page.getByText(/^finished/))
    .first()
    .waitFor()

  await page.getByLabel('Automatic TRIM (autotrim)').check()
  await page.getByRole('button', { name: 'Save properties' }).click()
  await page.getByText('Nothing has been changed yet.').waitFor()
  expect((await world.ask('GET', '/pools/small')).json.options).toMatchObject({ autotrim: 'on' })

  world.fakes!.change(({ pools }) => {
    pools['small']!['disabled'] = ['raidz_expansion']
  })
  await page.getByRole('button', { name: 'Upgrade features…' }).click()
  await dialog.getByText('Enables raidz_expansion').waitFor()
  await dialog.getByText('This cannot be undone').waitFor()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Upgrade pool' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(world.fakes!.model().pools['small']!['disabled'] ?? []).toEqual([])
})

it('of disks of different sizes it says what is usable, what may fail and what speaks against them', async () => {
  const { world } = desk
  addDisks(31, 33, 34)
  addSized(2, 32)
  addSized(0.5, 35)
  const json = { name: 'pair', vdevs: ['mirror', '/dev/fake33', '/dev/fake34'] }
  expect((await world.ask('POST', '/pools', { json })).status).toBe(201)
  const { page, expected } = await visitor(desk.url)
  expected.push(REFUSED)
  await signIn(page, { username: 'operator', password: PASSWORD })
  const use = (n: number, what: string) =>
    page.getByLabel(`Use of /dev/fake${n}`, { exact: true }).selectOption(what ? { value: what } : '')
  const mixed = async (total: string) => {
    await use(31, 'data')
    await use(32, 'data')
    await page.getByLabel('Layout of Data 1').selectOption('mirror')
    await page.getByText('Mirror of 2 disks: 1 disk may fail, about 512 MiB usable').waitFor()
    await page.getByText('Data 1: the disks differ in size, from 512 MiB to 1.0 GiB').waitFor()
    await page.getByText('ZFS refuses such a group, or uses only the size of the smallest on each disk').waitFor()
    await page.getByText(total, { exact: true }).waitFor()
    await use(35, 'spare')
    await page.getByText(/^A hot spare of 256 MiB cannot stand for every disk of the pool/).waitFor()
    await expectAccessible(page)
  }
  await goTo(page, 'pools/-new', 'Create a pool')
  await mixed('About 512 MiB will be usable.')
  await shoot(page, 'pool-mixed-create')
  await goTo(page, 'pools/pair/-add', 'Add disks to pair')
  await mixed('About 512 MiB will be usable in addition.')
  await shoot(page, 'pool-mixed-add')
  // ZFS refuses it, too: it has to be agreed to in so many words.
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByLabel('Add the disks all the same (layout-mismatch)').waitFor()
  expect((await world.ask('GET', '/pools/pair')).json.vdevs).toHaveLength(1)
})
