// Quotas of users and groups on a filesystem: on the fakes, and in a guest on the real ZFS.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { makePool, tool } from './storage-tools.ts'
import { REAL, startStorage, type World } from './storage-world.ts'

const ONE = '/quotas/tank/data'
let world: World
let user: { id: string; uid: number; name: string }
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
  tool(world, 'zfs', 'create', 'tank/data')
  tool(world, 'zfs', 'create', '-V', '16M', 'tank/volume')
  user = (await world.ask('POST', '/share-users', { json: { name: 'quota user', password: 'a-good-one-1' } })).json
})
afterAll(async () => {
  await world?.ask('DELETE', `/share-users/${user?.id}`)
  await world?.close()
})
beforeEach(() => world.fakes?.faults())

interface Shown {
  id: number
  name?: string
  used: number
  quota?: number
}
const of = (all: Shown[], id: number) => all.find((one) => one.id === id)
const put = (json: object, headers = {}) => world.ask('PUT', ONE, { json, headers })

it('are set by number or name, shown with what is used, and removed', async () => {
  const before = await world.ask('GET', ONE, { as: 'viewer' })
  expect(before.status).toBe(200)
  expect(of(before.json.users, 0)).toMatchObject({ id: 0, name: 'root', used: expect.any(Number) })
  const entries = world.appliance.audit().length
  const set = await put({ users: [{ name: 'quota user', quota: '10M' }], groups: [{ id: 20_500, quota: 1048576 }] })
  expect(set.status).toBe(200)
  expect(of(set.json.users, user.uid)).toEqual({ id: user.uid, name: 'quota user', used: 0, quota: 10 << 20 })
  expect(of(set.json.groups, 20_500)).toEqual({ id: 20_500, used: 0, quota: 1 << 20 })
  expect(world.appliance.audit().slice(entries)).toEqual([
    expect.stringContaining('operator,quotas.update,"datasets/tank/data"'),
  ])
  const shown = await world.ask('GET', ONE)
  expect([shown.json, shown.headers.etag]).toEqual([set.json, set.headers.etag])
  expect(shown.headers.etag).not.toBe(before.headers.etag)
  const late = await put({ users: [{ id: user.uid, quota: '20M' }] }, { 'if-match': before.headers.etag })
  expect(late.status).toBe(412)
  const removed = await put({
    users: [{ id: user.uid, quota: null }],
    groups: [{ id: 20_500, quota: null }],
  })
  expect([removed.status, removed.headers.etag]).toEqual([200, before.headers.etag])
  expect(of(removed.json.users, user.uid)?.quota).toBeUndefined()
})

it.each([
  [{ users: [{ name: 'nosuch', quota: '1G' }] }, 'users.0.name'],
  [
    {
      groups: [
        { name: 'root', quota: '1G' },
        { id: 0, quota: '2G' },
      ],
    },
    'groups.1',
  ],
  [{ users: [{ quota: '1G' }] }, 'users.0'],
  [{ users: [{ id: 1, name: 'root', quota: '1G' }] }, 'users.0'],
  [{ users: [{ id: -1, quota: '1G' }] }, 'users.0.id'],
  [{ users: [{ id: 1, quota: 'much' }] }, 'users.0.quota'],
  [{ users: [{ id: 1, quota: '0' }] }, 'users.0.quota'],
  [{ users: [{ name: 'a=b 10 -x', quota: '1G' }] }, 'users.0.name'],
])('%j is refused, and nothing is set', async (json, field) => {
  const before = (await world.ask('GET', ONE)).headers.etag
  const answer = await put(json)
  expect([answer.status, answer.json.details]).toEqual([400, field])
  expect((await world.ask('GET', ONE)).headers.etag).toBe(before)
})

it('exist on filesystems only', async () => {
  expect((await world.ask('GET', '/quotas/tank/volume')).status).toBe(409)
  expect((await world.ask('GET', '/quotas/tank/none')).status).toBe(404)
})

it.skipIf(REAL)('are all set or none (fakes only; skipped: EDGE_REAL=1)', async () => {
  await put({ users: [{ id: user.uid, quota: '5M' }] })
  world.fakes?.faults({ program: 'zfs', match: '^set', nth: 1, when: 'after', stderr: 'cannot set: out of space' })
  const { status } = await put({
    users: [
      { id: user.uid, quota: '6M' },
      { id: 33, quota: '7M' },
    ],
  })
  expect(status).toBe(409)
  const { users } = (await world.ask('GET', ONE)).json
  expect([of(users, user.uid)?.quota, of(users, 33)]).toEqual([5 << 20, undefined])
})
