// A disk of a pool fails or is pulled out: the page says which, where it is and what to do, and that is done with the
// mouse: replaced by a free disk or by a hot spare, brought online again, the spare returned.
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

const spareOf = async (name: string) => {
  const { json } = await desk.world.ask('GET', `/pools/${name}`)
  const { state } = json.vdevs.find((vdev: { class: string }) => vdev.class === 'spare') ?? {}
  return [json.status, state, json.spares_in_use.length]
}

it('a hot spare stands for a failed disk, and is returned by hand or when the disk is replaced', async () => {
  const { world } = desk
  const vdevs = ['mirror', '/dev/fake4', '/dev/fake5', 'spare', '/dev/fake6']
  expect((await world.ask('POST', '/pools', { json: { name: 'backup', vdevs } })).status).toBe(201)
  const fail = () =>
    world.fakes!.change((model) => {
      model.scrubStep = 100
      const [group] = model.pools['backup']!['vdevs'] as { children: Leaf[] }[]
      group!.children.find(({ name }) => name === 'fake4')!.state = 'FAULTED'
    })
  fail()
  const { page } = await visitor(desk.url)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'pools/backup', 'Pool backup')
  const dialog = page.getByRole('dialog')
  const replaceBy = async (text: RegExp) => {
    await page.getByRole('button', { name: 'Replace the failed fake4' }).click()
    const option = dialog.getByLabel('Free disk').locator('option', { hasText: text })
    await dialog.getByLabel('Free disk').selectOption((await option.getAttribute('value')) ?? '')
    await dialog.getByRole('button', { name: 'Replace fake4' }).click()
    await dialog.waitFor({ state: 'detached' })
  }
  await replaceBy(/^fake6, hot spare of the pool, .*FAKE6/)
  const note = page.locator('.note', { hasText: 'The spare fake6 stands for fake4' })
  await note.getByText('fake4 is FAULTED and is replaced by the spare in mirror-0').waitFor()
  await note.getByText('the spare returns by itself when the resilver has ended').waitFor()
  await expectAccessible(page)
  await shoot(page, 'pool-spare-in-use')
  expect(await spareOf('backup')).toEqual(['DEGRADED', 'INUSE', 1])

  // To return it now leaves the data on one disk: the dialog says so, and Escape changes nothing.
  const giveBack = note.getByRole('button', { name: 'Return spare fake6…' })
  await giveBack.click()
  await dialog.getByText('without the spare the pool has less redundancy').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await spareOf('backup')).toEqual(['DEGRADED', 'INUSE', 1])

  await page.getByRole('button', { name: 'Clear errors fake4' }).click()
  await dialog.getByRole('button', { name: 'Clear errors of fake4' }).click()
  await dialog.waitFor({ state: 'detached' })
  await note.getByText('fake4 works again: return the spare').waitFor()
  await giveBack.click()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Return spare fake6' }).click()
  await dialog.waitFor({ state: 'detached' })
  await note.waitFor({ state: 'detached' })
  expect(await spareOf('backup')).toEqual(['ONLINE', 'AVAIL', 0])

  fail()
  await page.reload()
  await replaceBy(/hot spare of the pool/)
  await note.waitFor()
  await replaceBy(/^fake-DISK7,/)
  await note.waitFor({ state: 'detached' })
  expect(await spareOf('backup')).toEqual(['ONLINE', 'AVAIL', 0])
})

it('a disk that was pulled out is named with what to do, and is brought online again', async () => {
  const { world } = desk
  const vdevs = ['mirror', '/dev/fake8', '/dev/fake9']
  expect((await world.ask('POST', '/pools', { json: { name: 'pulled', vdevs } })).status).toBe(201)
  const gone = world.fakes!.model().disks['/dev/fake8']!
  world.fakes!.change((model) => {
    delete model.disks['/dev/fake8']
    const [group] = model.pools['pulled']!['vdevs'] as { children: Leaf[] }[]
    group!.children[0]!.state = 'REMOVED'
  })
  const { page } = await visitor(desk.url)
  await signIn(page, { username: 'operator', password: PASSWORD })
  await goTo(page, 'pools/pulled', 'Pool pulled')
  await page.getByText(/fake8 is REMOVED, and this machine does not see it/).waitFor()
  await page.getByText('Plug it in again and bring it online, or put a new disk in and replace it').waitFor()
  await expectAccessible(page)
  await shoot(page, 'pool-removed')
  world.fakes!.change((model) => {
    model.disks['/dev/fake8'] = gone
  })
  await page.getByRole('button', { name: 'Bring online the failed fake8' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Bring online fake8' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('One disk does not work').waitFor({ state: 'detached' })
  expect((await world.ask('GET', '/pools/pulled')).json.status).toBe('ONLINE')

  // Now that both sides work, one of them is not detached without a word about the other.
  await page.getByRole('button', { name: 'Detach fake9' }).click()
  await dialog.getByText('Nothing is mirrored in mirror-0 any more').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
})
