// The first page's numbers, and those of /metrics, as the system has them. What could not be asked must not look like
// nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, until } from './client.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
})
afterAll(() => world?.close())

const dashboard = async () => {
  const { status, json } = await world.ask('GET', '/dashboard', { as: 'viewer' })
  expect(status).toBe(200)
  return json
}
const metrics = async () => {
  const headers = { authorization: `Bearer ${world.tokens.viewer}` }
  return (await call(world.url, 'GET', '/metrics', { headers })).body.split('\n')
}
const value = (lines: string[], name: string) =>
  Number(
    lines
      .find((line) => line.startsWith(`edge_admin_${name} `))
      ?.split(' ')
      .at(-1),
  )

describe('the dashboard', () => {
  it('counts what there is, before and after', async () => {
    const before = await dashboard()
    expect(before.problems).toEqual([])
    expect((await world.ask('POST', '/pools', { json: { name: 'counted', vdevs: world.disks(1) } })).status).toBe(201)
    for (const name of ['counted/a', 'counted/b'])
      expect((await world.ask('POST', '/datasets', { json: { name } })).status).toBe(201)
    expect((await world.ask('POST', '/zvols', { json: { name: 'counted/v', size: '16M' } })).status).toBe(201)
    for (const name of ['one', 'two', 'three'])
      expect((await world.ask('POST', '/snapshots', { json: { dataset: 'counted/a', name } })).status).toBe(201)
    // The real ZFS goes on writing for some seconds after the last change.
    const { after, pool, root } = await until('nothing is written between the answers', async () => {
      const get = async (path: string) => (await world.ask('GET', path)).json
      const found = {
        after: await dashboard(),
        pool: await get('/pools/counted'),
        root: await get('/datasets/counted'),
      }
      const free = found.after.storage.usable_free - before.storage.usable_free
      return free === found.pool.usable_free && free === found.root.available && found
    })
    const grown = (key: string) => after.storage[key] - before.storage[key]
    expect(['pool_count', 'dataset_count', 'zvol_count', 'snapshot_count'].map(grown)).toEqual([1, 3, 1, 3])
    expect(grown('total_capacity')).toBe(pool.size)
    expect([pool.usable, pool.usable_free]).toEqual([root.used + root.available, root.available])
    expect([grown('usable'), grown('usable_free')]).toEqual([pool.usable, pool.usable_free])
    expect(after.jobs.completed).toBeGreaterThan(before.jobs.completed)
    expect(after.jobs.total).toBe(after.jobs.running + after.jobs.completed + after.jobs.failed)
  })

  it('has the same numbers in /metrics, by pool and dataset', async () => {
    const lines = await metrics()
    const pool = (await world.ask('GET', '/pools/counted')).json
    expect(value(lines, 'storage_up')).toBe(1)
    expect(value(lines, 'pool_health{pool="counted",state="ONLINE"}')).toBe(1)
    expect(value(lines, 'pool_health{pool="counted",state="DEGRADED"}')).toBe(0)
    expect(value(lines, 'pool_size_bytes{pool="counted"}')).toBe(pool.size)
    expect(value(lines, 'pool_usable_bytes{pool="counted"}')).toBe(pool.usable)
    expect(value(lines, 'pool_usable_free_bytes{pool="counted"}')).toBe(pool.usable_free)
    expect(value(lines, 'snapshots{dataset="counted/a"}')).toBe(3)
    const newest = value(lines, 'snapshot_newest_timestamp_seconds{dataset="counted/a"}')
    expect(Math.abs(newest - Date.now() / 1000)).toBeLessThan(300)
  })
})

describe.skipIf(REAL)(`the dashboard ${FAKES_ONLY}`, () => {
  it('costs one zpool list and one zfs list, however many pools there are', async () => {
    const began = world.fakes!.calls().length
    await dashboard()
    const calls = world.fakes!.calls().slice(began)
    const of = (program: string) => calls.filter((one) => one.program === program).map(({ args }) => args[0])
    expect(of('zpool')).toEqual(['list'])
    expect(of('zfs')).toEqual(['list'])
  })

  it('answers what zpool says when zfs fails or hangs, and has no sum of some of the pools', {
    timeout: 60_000,
  }, async () => {
    world.fakes!.change((model) => {
      model.disks['/dev/fake-second'] = { size: 2 ** 30 }
    })
    expect((await world.ask('POST', '/pools', { json: { name: 'other', vdevs: ['/dev/fake-second'] } })).status).toBe(
      201,
    )
    const { storage } = await dashboard()
    // The second pool is not in it, and then the list breaks off.
    const list = 'counted\tfilesystem\t1700000000\t100\t200\n'
    const root = 'counted\t1700000000\t100\t200\n'
    try {
      for (const status of [0, 1]) {
        world.fakes!.faults({
          program: 'zfs',
          match: 'name,type,creation',
          stdout: list,
          stderr: 'cannot open',
          status,
        })
        const { storage: now, problems } = await dashboard()
        expect([now.usable, now.usable_free]).toEqual([undefined, undefined])
        expect([now.total_capacity, now.pool_count]).toEqual([storage.total_capacity, 2])
        expect([now.dataset_count, problems.length]).toEqual(status === 0 ? [1, 0] : [0, 1])
      }
      for (const fault of [{ stdout: root, stderr: 'cannot open', status: 1 }, { hang: true }]) {
        world.fakes!.faults({ program: 'zfs', match: 'name,creation,used,available', ...fault })
        const began = Date.now()
        const all = await world.ask('GET', '/pools')
        const one = await world.ask('GET', '/pools/counted')
        expect([all.status, one.status, one.json.health, one.json.usable]).toEqual([200, 200, 'ONLINE', undefined])
        for (const pool of all.json) expect([pool.size > 0, 'usable' in pool]).toEqual([true, false])
        // Far below the two minutes that a list may take.
        expect(Date.now() - began).toBeLessThan(45_000)
      }
    } finally {
      world.fakes!.faults()
    }
  })

  it('names what it could not ask, and answers the rest', async () => {
    world.fakes!.faults({ program: 'zpool', stderr: 'internal error: pool I/O is currently suspended', status: 1 })
    try {
      const { storage, problems } = await dashboard()
      expect(problems).toEqual([{ source: 'pools', message: 'internal error: pool I/O is currently suspended' }])
      expect([storage.pool_count, storage.snapshot_count]).toEqual([0, 3])
      expect(value(await metrics(), 'storage_up')).toBe(0)
    } finally {
      world.fakes!.faults()
    }
  })
})
