// What is listed can be addressed: datasets, snapshots and pools whose names our rule for new ones refuses, as imported pools have them.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './client.ts'
import { createPool, tool } from './storage-tools.ts'
import { startStorage, type World } from './storage-world.ts'

let world: World
let top: string
beforeAll(async () => {
  world = await startStorage()
  top = join(world.files, 'tank')
  createPool(world, '-m', top, 'tank')
})
afterAll(() => world?.close())

const zfs = (...args: string[]) => tool(world, 'zfs', ...args)
const snapshotNames = async (dataset: string) =>
  (await world.ask('GET', `/snapshots?dataset=${encodeURIComponent(dataset)}`)).json.map(
    ({ name }: { name: string }) => name,
  )

const NAMES = ['tank/My Photos', 'tank/.system', 'tank/_lxd', 'tank/-x', 'tank/a:b', 'tank/two  blanks']

describe('a dataset of an old name', () => {
  it.each(NAMES)('%s is shown, changed, snapshotted, exported and destroyed by it', async (name) => {
    zfs('create', name)
    const place = join(top, name.slice('tank/'.length))
    mkdirSync(place, { recursive: true })
    const listed = (await world.ask('GET', '/datasets')).json.map((one: { name: string }) => one.name)
    expect(listed).toContain(name)
    const path = `/datasets/${encodeURIComponent(name)}`
    for (const one of [path, `/datasets/${encodeURI(name)}`])
      expect([one, (await world.ask('GET', one, { as: 'viewer' })).json.name]).toEqual([one, name])
    const changed = await world.ask('PUT', path, { json: { options: { quota: '100Mi', recordsize: '16k' } } })
    expect([changed.status, changed.json.options]).toEqual([200, { quota: '104857600', recordsize: '16384' }])

    const taken = await world.ask('POST', '/snapshots', { json: { dataset: name, name: 'one' } })
    expect([taken.status, taken.json.name]).toEqual([201, `${name}@one`])
    expect(taken.headers.location).toBe(`/api/v1/snapshots/${encodeURI(name)}@one`)
    zfs('snapshot', `${name}@at noon`)
    expect(await snapshotNames(name)).toEqual([`${name}@one`, `${name}@at noon`])
    const odd = `/snapshots/${encodeURIComponent(`${name}@at noon`)}`
    expect((await world.ask('GET', odd)).json.dataset).toBe(name)

    const policy = { dataset: name, daily: 2 }
    expect((await world.ask('POST', '/snapshot-policies', { json: policy })).status).toBe(201)
    const policyPath = `/snapshot-policies/${encodeURIComponent(name)}`
    expect((await world.ask('GET', policyPath)).json).toMatchObject(policy)
    expect((await world.ask('GET', `${policyPath}/preview`)).status).toBe(200)
    expect((await world.ask('DELETE', policyPath)).status).toBe(200)

    const shared = await world.ask('POST', '/exports/nfs', { json: { dataset: name, clients: ['10.0.0.1'] } })
    expect([shared.status, shared.json.dataset, shared.json.path]).toEqual([201, name, place])
    const one = `/exports/nfs/${shared.json.id}`
    expect((await world.ask('PUT', one, { json: { enabled: false } })).json.enabled).toBe(false)
    expect((await world.ask('GET', one)).json).toMatchObject({ dataset: name, enabled: false, managed: true })
    expect((await world.ask('DELETE', one)).status).toBe(200)

    const back = `/snapshots/${encodeURIComponent(`${name}@one`)}/rollback`
    const plan = await world.ask('POST', `${back}?recursive=true&dry_run=true`)
    expect(plan.json.destroys).toContain(`${name}@at noon`)
    expect((await world.ask('POST', `${back}?recursive=true`)).json).toEqual({ message: 'rolled back' })
    expect(await snapshotNames(name)).not.toContain(`${name}@at noon`)

    const child = await world.ask('POST', '/datasets', { json: { name: `${name}/new` } })
    expect([child.status, child.headers.location]).toEqual([201, `/api/v1/datasets/${encodeURI(name)}/new`])
    const gone = await world.ask('DELETE', `${path}?recursive=true`)
    expect([gone.status, gone.json]).toEqual([200, { message: 'dataset deleted' }])
    expect((await world.ask('GET', path)).status).toBe(404)
  })

  it('is a volume, and its own snapshot goes alone', async () => {
    zfs('create', '-V', '16M', 'tank/vol ume')
    const path = `/zvols/${encodeURIComponent('tank/vol ume')}`
    expect((await world.ask('PUT', path, { json: { size: '20m' } })).json.size).toBe(20 * 1024 ** 2)
    zfs('snapshot', 'tank/vol ume@.x')
    const snapshot = `/snapshots/${encodeURIComponent('tank/vol ume@.x')}`
    expect((await world.ask('DELETE', snapshot)).json).toEqual({ message: 'snapshot deleted' })
    expect((await world.ask('DELETE', path)).json).toEqual({ message: 'zvol deleted' })
  })

  it('is not one that could be made', async () => {
    for (const [path, json] of [
      ['/datasets', { name: 'tank/My Photos' }],
      ['/datasets', { name: 'tank/.x' }],
      ['/zvols', { name: 'tank/a b', size: '16M' }],
    ] as const) {
      const answer = await world.ask('POST', path, { json })
      expect([answer.status, answer.json.details]).toEqual([400, 'name'])
      expect(answer.json.message).toMatch(/letters, digits and _ - \. :/)
    }
    const label = await world.ask('POST', '/snapshots', { json: { dataset: 'tank', name: 'a b' } })
    expect([label.status, label.json.details]).toEqual([400, 'name'])
  })

  it('SEC-07 is encoded once, and is no option, list or path', async () => {
    for (const name of ['tank%252Fdata', 'tank%2F..', 'tank/%2e%2e/x', 'tank%2F%2Fx', 'tank%00', '-x', 'tank%2Fa%2Cb'])
      expect([name, (await world.ask('GET', `/datasets/${name}`)).status]).toEqual([name, 400])
    for (const name of ['tank@a%25b', 'tank@a%2Cb', 'tank%40a%40b'])
      expect([name, (await world.ask('DELETE', `/snapshots/${name}`)).status]).toEqual([name, 400])
  })
})

describe('a pool of an old name', () => {
  it('is shown, scrubbed, exported, imported and destroyed by it', async () => {
    // The fakes know two disks in any case; the first has `tank`.
    const [, disk = ''] = world.disks(2)
    tool(world, 'zpool', 'create', '-f', '-O', 'mountpoint=/mnt/old', 'my pool', disk)
    const path = `/pools/${encodeURIComponent('my pool')}`
    expect((await world.ask('GET', '/pools')).json.map(({ name }: { name: string }) => name)).toContain('my pool')
    expect((await world.ask('GET', path)).json.name).toBe('my pool')
    expect((await world.ask('GET', `/datasets?pool=${encodeURIComponent('my pool')}`)).json).toHaveLength(1)
    expect((await world.ask('POST', `${path}/scrub`)).json).toMatchObject({ message: 'scrub started' })
    expect((await world.ask('GET', `${path}/scrub`)).status).toBe(200)
    // The scrub has to come to its end first.
    const exported = await until('the pool is free', async () => {
      const answer = await world.ask('POST', `${path}/export`)
      return answer.status !== 409 && answer
    })
    expect(exported.json).toEqual({ message: 'pool exported' })
    const back = await world.ask('POST', '/pools/import', { json: { name: 'my pool' } })
    expect([back.status, back.json.name]).toEqual([200, 'my pool'])
    expect((await world.ask('DELETE', path)).json).toEqual({ message: 'pool deleted' })
    const made = await world.ask('POST', '/pools', { json: { name: 'a pool', vdevs: [disk] } })
    expect([made.status, made.json.details]).toEqual([400, 'name'])
  })
})
