// A pool of several groups is created with the quick layout, with the mouse.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, goTo, shoot, signIn, startStorageDesk } from './rig.ts'

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

it('twelve disks become two groups of six in RAID-Z2', async () => {
  const { world } = desk
  world.disks(13)
  const { page } = await visitor(desk.url)
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
})
