// Scheduled scrubs, trims and self-tests: due once in a period, made up when missed, never doubled, whatever the clock does.
import { afterEach, describe, expect, it } from 'vitest'
import { isDue, isMissed } from '../../src/features/snapshots/upkeep.ts'
import type { InProcess } from './appliance.ts'
import { until } from './client.ts'
import { makePool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const at = (text: string) => Date.parse(`${text}Z`)
// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
type Json = Record<string, any>

describe('a chore', () => {
  const now = at('2026-03-10T12:00')
  it('is due once in each period, and a time of the future does not count', () => {
    expect(isDue('never', [], now)).toBe(false)
    expect(isDue('monthly', [], now)).toBe(true)
    expect(isDue('monthly', [at('2026-02-28T23:59')], now)).toBe(true)
    expect(isDue('monthly', [undefined, at('2026-03-01T00:00')], now)).toBe(false)
    expect(isDue('monthly', [at('2026-05-01T00:00')], now)).toBe(true)
    expect(isDue('weekly', [at('2026-03-08T23:00')], now)).toBe(true)
    expect(isDue('weekly', [at('2026-03-09T00:00')], now)).toBe(false)
  })
  it('is missed when a whole period went by without it', () => {
    expect(isMissed('monthly', [at('2026-02-01T00:00')], now)).toBe(false)
    expect(isMissed('monthly', [at('2026-01-31T23:00')], now)).toBe(true)
    expect(isMissed('monthly', [at('2026-03-02T00:00')], now)).toBe(false)
    expect(isMissed('never', [], now)).toBe(false)
  })
})

describe.skipIf(REAL)(`schedules ${FAKES_ONLY}`, () => {
  let world: World<InProcess>
  let now = Date.now()
  afterEach(() => world?.close())
  const start = async () => {
    now = Date.now()
    world = await startStorage({ disks: 3, now: () => now })
  }
  const storage = () => world.appliance.app.storage!()
  const NEXT = 32 * 86_400_000
  const scrubs = async (): Promise<Json[]> =>
    (await world.ask('GET', '/jobs')).json.filter(({ type }: Json) => type === 'pool.scrub')
  const tick = async () => (await storage()).scheduler.tick()
  const audited = async (action: string): Promise<Json[]> =>
    (await world.ask('GET', `/audit?action=${action}`, { as: 'administrator' })).json

  it('a new pool has a monthly scrub, which starts in the next month and is not doubled', async () => {
    await start()
    const made = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs: ['/dev/fake1'] } })
    expect([made.status, made.json.schedule]).toEqual([201, { scrub: 'monthly', trim: 'never' }])
    await tick()
    expect(await scrubs()).toHaveLength(0)
    // The appliance was off for more than a month.
    now += NEXT
    world.fakes?.change((model) => {
      model.scrubStep = 0
    })
    await tick()
    await until('the scrub runs', async () => (await scrubs())[0]?.['message'] === 'scrubbing')
    await tick()
    now += NEXT
    await tick()
    expect(await scrubs()).toHaveLength(1)
    world.fakes?.change((model) => {
      model.scrubStep = 100
    })
    await until('the scrub ends', async () => (await scrubs())[0]?.['status'] === 'completed')
    const [entry] = await until('it is entered', async () => {
      const found = await audited('pools.scrub')
      return found.length > 0 && found
    })
    expect(entry).toMatchObject({ action: 'pools.scrub', resource: 'pools/tank', result: 'success' })
    expect(JSON.stringify(entry)).toContain('"system"')
    const { json } = await world.ask('GET', '/pools/tank/schedule', { as: 'viewer' })
    expect(json).toMatchObject({
      scrub: 'monthly',
      trim: 'never',
      scrub_started_at: new Date(now - NEXT).toISOString(),
    })
  })

  it('is changed with a condition, kept in the pool, and says what a chore could not do', async () => {
    await start()
    makePool(world)
    const first = await world.ask('GET', '/pools/tank/schedule')
    expect(first.json).toEqual({ scrub: 'never', trim: 'never' })
    const put = (json: Json, headers = {}) => world.ask('PUT', '/pools/tank/schedule', { json, headers })
    expect((await put({ trim: 'weekly' }, { 'If-Match': String(first.headers.etag) })).json).toEqual({
      scrub: 'never',
      trim: 'weekly',
    })
    expect((await put({ trim: 'never' }, { 'If-Match': String(first.headers.etag) })).status).toBe(412)
    expect((await put({ scrub: 'hourly' })).status).toBe(400)
    expect(world.fakes?.model().datasets['tank']?.['properties']).toMatchObject({
      'edge-admin:upkeep': 'scrub=never,trim=weekly',
    })
    now += NEXT
    world.fakes?.faults({
      program: 'zpool',
      match: '^trim',
      stderr: 'cannot trim: no devices in pool support trim operations',
    })
    await tick()
    expect((await audited('pools.trim'))[0]).toMatchObject({ resource: 'pools/tank', result: 'failure' })
    world.fakes?.faults({ program: 'zpool', match: '^trim', status: 0 })
    await tick()
    await tick()
    expect(world.fakes?.calls().filter(({ args }) => args[0] === 'trim')).toHaveLength(2)
    expect((await world.ask('GET', '/pools/tank/schedule')).json.trim_started_at).toBe(new Date(now).toISOString())
  })

  it('all disks test themselves when it is due; one that sleeps once it is awake', async () => {
    await start()
    const put = await world.ask('PUT', '/disk-tests', { json: { short: 'weekly' } })
    expect(put.json).toEqual({ short: 'weekly', long: 'never' })
    const set = (n: number, more: Json) =>
      world.fakes?.change(({ disks }) => Object.assign(disks[`/dev/fake${n}`]!, more))
    set(2, { asleep: true })
    set(3, { smart: null })
    const tests = () => [1, 2, 3].map((n) => world.fakes?.model().disks[`/dev/fake${n}`]?.['test'])
    await (await storage()).chores.machine()
    expect(tests()).toEqual(['short', undefined, undefined])
    expect(world.fakes?.model().disks['/dev/fake2']?.['asleep']).toBe(true)
    set(1, { test: undefined })
    set(2, { asleep: undefined })
    now += 400_000
    await (await storage()).chores.machine()
    expect(tests()).toEqual([undefined, 'short', undefined])
    expect((await audited('disks.test')).map(({ resource }) => resource).sort()).toEqual([
      'disks/fake-DISK1',
      'disks/fake-DISK2',
    ])
  })

  it('a self-test whose start cannot be recorded is not started again, and keeps no other disk from its test', async () => {
    await start()
    await world.ask('PUT', '/disk-tests', { json: { short: 'weekly' } })
    const tests = () => [1, 2, 3].map((n) => world.fakes?.model().disks[`/dev/fake${n}`]?.['test'])
    const end = () =>
      world.fakes?.change(({ disks }) => {
        for (const disk of Object.values(disks)) delete (disk as Json)['test']
      })
    const look = async () => {
      now += 400_000
      await (await storage()).chores.machine()
      return tests()
    }
    process.env['EDGE_FAULT'] = 'disk-test-started=error'
    try {
      expect(await look()).toEqual(['short', 'short', 'short'])
      end()
      expect(await look()).toEqual([undefined, undefined, undefined])
    } finally {
      delete process.env['EDGE_FAULT']
    }
    expect(world.appliance.warnings.filter((text) => text.includes('could not be recorded'))).toHaveLength(3)
  })
})
