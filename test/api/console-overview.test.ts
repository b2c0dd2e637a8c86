// The first page's facts, and the certificate that is served. Where the controller is off there are no pools, and no
// word of them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { installPair } from '../../src/http/server/tls.ts'
import { type InProcess, startAppliance, startServer, TOKEN } from './appliance.ts'
import { until } from './client.ts'
import { browser, signIn } from './console.ts'
import { addCaller, PASSWORD } from './controller.ts'
import { REAL, startStorage, type World } from './storage-world.ts'
import { newTaskId, putTask } from './task-files.ts'

const sections = (json: { attention: { subject: string; link: string }[] }) =>
  json.attention.map(({ subject, link }) => `${subject} ${link}`)

describe('the overview of an appliance with storage', () => {
  let world: World
  beforeAll(async () => {
    world = await startStorage()
  })
  afterAll(() => world?.close())

  it('tells what there is, to a viewer as well', async () => {
    const vdevs = world.disks(1)
    expect((await world.ask('POST', '/pools', { json: { name: 'seen', vdevs } })).status).toBe(201)
    await addCaller(world.appliance.folders, 'viewer', 'looker')
    const viewer = await signIn(world.url, { username: 'looker', password: PASSWORD })
    const { status, json } = await viewer.ask('GET', '/console/overview')
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual([
      ...['version', 'health', 'history', 'services', 'tasks', 'pools', 'storage', 'attention'],
    ])
    expect(json.version).toBe('1.0.0')
    expect(Object.keys(json.health)).toEqual(['disk', 'memory', 'cpu'])
    const { size, allocated, free, usable, usable_free } = (await world.ask('GET', '/pools/seen')).json
    expect(json.pools.filter(({ name }: { name: string }) => name === 'seen')).toEqual([
      { name: 'seen', health: 'ONLINE', size, allocated, free, usable, usable_free },
    ])
    const dashboard = (await world.ask('GET', '/dashboard', { as: 'viewer' })).json
    expect(json.storage).toEqual({ storage: dashboard.storage, services: dashboard.services })
    expect(json.tasks[0]).toMatchObject({ type: 'pool.create', status: 'completed' })
    expect(sections(json)).toContain('Account admin #/account')
  })

  it.skipIf(REAL)('has a pool red whose disks are well and whose data is damaged', async () => {
    await addCaller(world.appliance.folders, 'viewer', 'damage')
    const viewer = await signIn(world.url, { username: 'damage', password: PASSWORD })
    const pools = { seen: { name: 'seen', state: 'ONLINE', vdevs: { seen: { name: 'seen' } }, error_count: 3 } }
    world.fakes!.faults({ program: 'zpool', match: '^status', stdout: JSON.stringify({ pools }), status: 0 })
    try {
      const { json } = await viewer.ask('GET', '/console/overview')
      expect(json.attention[0]).toMatchObject({ severity: 'error', subject: 'Pool seen', link: '#/pools/seen' })
      expect(json.pools).toContainEqual(expect.objectContaining({ health: 'ONLINE', damaged: true }))
    } finally {
      world.fakes!.faults()
    }
  })
})

describe('the overview of an appliance without', () => {
  let appliance: InProcess
  beforeAll(async () => {
    appliance = await startAppliance()
  })
  afterAll(() => appliance?.close())
  const read = async () => {
    const me = await signIn(appliance.url, { token: TOKEN })
    return (await me.ask('GET', '/console/overview')).json
  }

  it('has no storage, and nothing to attend to', async () => {
    const { pools, storage, services, tasks, history, attention } = await read()
    expect({ pools, storage, tasks, history, attention }).toEqual({
      ...{ pools: [], storage: null, tasks: [], history: [], attention: [] },
    })
    expect(services).toEqual([
      { name: 'jidoteki-admin-api', running: true },
      { name: 'sample-app', running: true },
    ])
  })

  it('names a service that stopped and a task that failed, and shows the newest ten', async () => {
    const now = new Date().toISOString()
    const failed = putTask(appliance.folders, newTaskId(), 'failed', {
      ...{ kind: 'update', created_at: now, completed_at: now, error: { code: 'E1000', message: 'Script error' } },
    })
    // A package that is not ours was refused, and nothing is wrong because of it.
    putTask(appliance.folders, newTaskId(), 'failed', {
      ...{ kind: 'update', created_at: now, completed_at: now, error: { code: 'E1005', message: 'Wrong signature' } },
    })
    const rest = Array.from({ length: 11 }, () => putTask(appliance.folders, newTaskId(), 'completed'))
    writeFileSync(join(appliance.folders.sysconf, 'init.d/sample-app'), '#!/bin/sh\nexit 3\n')
    const json = await read()
    expect(sections(json)).toEqual([`Task update #/tasks/${failed}`, 'Service sample-app #/support'])
    expect(json.tasks.map(({ id }: { id: string }) => id)).toEqual(rest.reverse().slice(0, 10))
  })

  it('shows the vendor’s health where it is one', async () => {
    const file = join(appliance.folders.root, 'etc/health.json')
    const theirs = { disk: { percentage: 1 }, memory: {}, cpu: {}, fan: 7 }
    writeFileSync(file, JSON.stringify(theirs))
    expect((await read()).health).toEqual(theirs)
    writeFileSync(file, '{"disk":')
    expect((await read()).health.disk.total).toMatch(/^\d/)
  })

  it('has no certificate where there is no TLS', async () => {
    const me = await signIn(appliance.url, { token: TOKEN })
    expect((await me.ask('GET', '/console/certificate')).status).toBe(404)
  })
})

describe('the certificate', () => {
  it('is the one that is served, not the one that lies there', async () => {
    const server = await startServer({ tls: true })
    try {
      const me = await signIn(server.url, { token: TOKEN })
      const served = async () => (await me.ask('GET', '/console/certificate')).json
      const first = await served()
      const key = 'ECDSA prime256v1'
      expect(first).toMatchObject({ self_signed: true, key, names: expect.arrayContaining(['127.0.0.1']) })
      expect(first.days_left).toBeGreaterThan(800)
      installPair(server.folders, await makeSelfSigned({ names: { hosts: ['nas'], addresses: [] }, now: Date.now() }))
      expect((await served()).fingerprint256).toBe(first.fingerprint256)
      server.process.kill('SIGHUP')
      await until('the new one is served', async () => (await served()).fingerprint256 !== first.fingerprint256)
      // The session is the same over both.
      expect(browser(server.url, me.cookie, me.csrf).csrf).toBe(
        (await me.ask('GET', '/console/session')).json.session.csrf,
      )
    } finally {
      await server.close()
    }
  })
})
