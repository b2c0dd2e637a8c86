// A disk of a pool fails: the page says which, and where it is; it is replaced with the mouse, and the page follows the
// resilver until the pool is whole.
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

interface Leaf {
  name: string
  state?: string
}

it('a failed disk is named and replaced, and the pool is online again', async () => {
  const { world } = desk
  const [one, two, three] = world.disks(3)
  await world.ask('POST', '/pools', { json: { name: 'tank', vdevs: ['mirror', one, two] } })
  const change = world.fakes!.change
  change((model) => {
    model.scrubStep = 0
    model.disks[one!]!['slot'] = 'Slot 07'
    const [group] = model.pools['tank']!['vdevs'] as { children: Leaf[] }[]
    group!.children[0]!.state = 'FAULTED'
  })
  const { page } = await visitor(desk.url)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'pools/tank', 'Pool tank')
  await page.getByText('The pool is DEGRADED').waitFor()
  await page.getByText('Replace the faulted device').waitFor()
  await page.getByText(/fake1 is FAULTED, serial number FAKE1, Slot 07/).waitFor()
  await expectAccessible(page)
  await shoot(page, 'pool-degraded')

  await page.getByRole('button', { name: 'Replace the failed fake1' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Everything on the chosen disk is overwritten').waitFor()
  const free = dialog.getByLabel('Free disk')
  expect(await free.locator('option').allTextContents()).not.toContainEqual(expect.stringContaining('fake-DISK2,'))
  await free.selectOption('fake-DISK3')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Replace fake1' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('A disk is being rebuilt (resilver)').waitFor()
  change((model) => {
    Object.assign(model.pools['tank']!['scan'] as object, { percent: 60 })
  })
  await page.getByRole('progressbar', { name: 'Resilver' }).and(page.locator('[value="60"]')).waitFor()
  await shoot(page, 'pool-resilver')
  change((model) => {
    model.scrubStep = 34
  })
  await page.getByText('A disk is being rebuilt (resilver)').waitFor({ state: 'detached' })
  await page.getByText('One disk does not work').waitFor({ state: 'detached' })
  const { json } = await world.ask('GET', '/pools/tank')
  expect([json.status, json.vdevs[0].children.map(({ name }: Leaf) => name)]).toEqual([
    'ONLINE',
    ['fake-DISK3', 'fake2'],
  ])
  expect(three).toBe('/dev/fake3')
})
