// Disks through the API: what uses each, how it is, a test, the LED of its slot, and a wipe that refuses what is in use
// and can be done again after a death at any step. All of it needs the fakes.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { checkpoints } from '../scripts/harness.ts'
import type { InProcess } from './appliance.ts'
import { makePool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
type Json = Record<string, any>

describe.skipIf(REAL)(`disks ${FAKES_ONLY}`, () => {
  let world: World<InProcess> & { fault: (name?: string) => void }
  let now = Date.now()
  beforeAll(async () => {
    world = await startStorage({ disks: 4, now: () => now })
  })
  afterAll(() => world?.close())
  const DISK = { size: 512 * 1024 ** 2 }
  beforeEach(() => {
    // What is known of the disks is old by now.
    now += 600_000
    world.fault()
    world.fakes?.faults()
    world.fakes?.change((model) => {
      model.pools = {}
      model.datasets = {}
      model.exported = {}
      for (const n of [1, 2, 3, 4]) model.disks[`/dev/fake${n}`] = { ...DISK, links: [`/dev/disk/by-id/fake-DISK${n}`] }
    })
  })
  const set = (n: number, more: Json) =>
    world.fakes?.change(({ disks }) => Object.assign(disks[`/dev/fake${n}`]!, more))
  const modelOf = (n: number): Json => world.fakes!.model().disks[`/dev/fake${n}`]!
  const get = async (n = 1): Promise<Json> => (await world.ask('GET', `/disks/fake-DISK${n}`, { as: 'viewer' })).json
  const list = async (): Promise<Json[]> => (await world.ask('GET', '/disks', { as: 'viewer' })).json
  const plan = async (n = 1): Promise<Json> => (await world.ask('POST', `/disks/fake-DISK${n}/wipe?dry_run=true`)).json
  const wipe = async (n = 1, confirm?: string) =>
    world.ask('POST', `/disks/fake-DISK${n}/wipe?confirm=${confirm ?? (await plan(n))['confirm']}`)
  const part = { path: '/dev/fake1p1', size: 1000, fstype: 'zfs_member', label: 'old' }

  it('are listed with their pool, and agree with the choice for a new pool', async () => {
    makePool(world)
    set(2, { mountpoint: '/srv', fstype: 'ext4' })
    const disks = await list()
    expect(
      disks.map(({ id, free, pool, uses }) => [id, free, pool, uses.map(({ kind, vdev }: Json) => [kind, vdev])]),
    ).toEqual([
      ['fake-DISK1', false, 'tank', [['pool', 'fake1']]],
      ['fake-DISK2', false, undefined, [['mounted', undefined]]],
      ['fake-DISK3', true, undefined, []],
      ['fake-DISK4', true, undefined, []],
    ])
    const { json } = await world.ask('GET', '/pools/available')
    expect(json.disks.map(({ id }: Json) => id)).toEqual(['fake-DISK3', 'fake-DISK4'])
    expect(disks[0]).toMatchObject({
      ...{
        path: '/dev/disk/by-id/fake-DISK1',
        device: '/dev/fake1',
        kernel_name: 'fake1',
        serial: 'FAKE1',
        size: DISK.size,
      },
      health: { state: 'good', temperature: 30, power_on_hours: 1000, problems: [] },
    })
  })

  it('have a version, which what one has to act on changes and the temperature does not', async () => {
    const read = (headers = {}) => world.ask('GET', '/disks/fake-DISK1', { as: 'viewer', headers })
    const smart = (more: Json) =>
      set(1, { smart: { ...{ smartctl: { exit_status: 0 }, device: { protocol: 'ATA' } }, ...more } })
    const healthy = { smart_status: { passed: true }, power_on_time: { hours: 7 } }
    smart({ ...healthy, temperature: { current: 30 } })
    const first = (await read()).headers['etag'] as string
    expect(first).toMatch(/^"[\w-]{27}"$/)
    now += 600_000
    smart({ ...healthy, temperature: { current: 33 }, power_on_time: { hours: 8 } })
    expect((await read({ 'if-none-match': first })).status).toBe(304)
    now += 600_000
    smart({ ...healthy, smart_status: { passed: false } })
    const failing = await read({ 'if-none-match': first })
    expect([failing.status, failing.json.health.state]).toEqual([200, 'failing'])
    makePool(world)
    const used = (await read()).headers['etag']
    expect(used).not.toBe(failing.headers['etag'])
    const test = (match: string | undefined) =>
      world.ask('POST', '/disks/fake-DISK1/test', { json: { type: 'short' }, headers: { 'if-match': match ?? '' } })
    expect((await test(first)).status).toBe(412)
    expect(modelOf(1)['test']).toBeUndefined()
    expect((await test(used)).status).toBe(200)
    const gone = await world.ask('POST', '/disks/none/locate', {
      json: { on: true },
      headers: { 'if-match': used ?? '' },
    })
    expect(gone.status).toBe(412)
  })

  it('are named by their id alone', async () => {
    for (const id of ['fake1', '%2Fdev%2Ffake1', '..%2Ffake1', '__proto__', 'x'.repeat(255)])
      expect([400, 404]).toContain((await world.ask('GET', `/disks/${id}`)).status)
    expect((await world.ask('GET', `/disks/${'x'.repeat(256)}`)).status).toBe(400)
  })

  it('say what is missing: smartmontools, an answer, a disk that sleeps', async () => {
    set(1, { smart: null })
    set(2, { asleep: true })
    world.fakes?.faults({ program: 'smartctl', match: 'fake3$', stdout: 'garbage', status: 0 })
    expect((await list()).map(({ health }) => [health.state, health.reason])).toEqual([
      ['unknown', '/dev/fake1: Unable to detect device type'],
      ['standby', undefined],
      ['unknown', 'smartctl gave no usable answer'],
      ['good', undefined],
    ])
    expect(modelOf(2)['asleep']).toBe(true)
  })

  it('take a self-test, which is read back, and no second one', async () => {
    set(1, { asleep: true })
    const started = await world.ask('POST', '/disks/fake-DISK1/test', { json: { type: 'long' } })
    expect([started.status, started.json.health.test_running, started.json.health.test_progress]).toEqual([
      200,
      true,
      10,
    ])
    expect(modelOf(1)['test']).toBe('long')
    const second = await world.ask('POST', '/disks/fake-DISK1/test', { json: { type: 'short' } })
    expect([second.status, second.json.message]).toEqual([409, 'A self-test of this disk is running'])
    set(1, {
      test: undefined,
      tests: [
        {
          type: { string: 'Extended offline' },
          status: { value: 0, string: 'Completed without error', passed: true },
          lifetime_hours: 1001,
        },
      ],
    })
    now += 600_000
    expect((await get())['self_tests']).toEqual([
      { type: 'long', status: 'passed', hours: 1001, message: 'Completed without error' },
    ])
  })

  it('are not said to be tested when they are not', async () => {
    set(1, { deaf: true })
    set(2, { smart: null })
    const answers = await Promise.all(
      [1, 2].map((n) => world.ask('POST', `/disks/fake-DISK${n}/test`, { json: { type: 'short' } })),
    )
    expect(answers.map(({ status, json }) => [status, json.message])).toEqual([
      [502, 'The disk took the command, and shows no self-test'],
      [409, '/dev/fake2: Unable to detect device type'],
    ])
  })

  it('are found by the LED of their slot, or by ledctl, or not at all', async () => {
    set(1, { slot: 'Slot 07' })
    set(2, { led: false })
    const light = (n: number, on: boolean) => world.ask('POST', `/disks/fake-DISK${n}/locate`, { json: { on } })
    expect(await get()).toMatchObject({ slot: 'Slot 07', enclosure: '6:0:12:0', locate: false })
    expect((await light(1, true)).json).toEqual({ message: 'the LED is on' })
    expect((await get())['locate']).toBe(true)
    expect((await light(1, false)).status).toBe(200)
    expect((await get())['locate']).toBe(false)
    expect((await light(2, true)).status).toBe(200)
    expect(modelOf(2)['led']).toBe(true)
    const none = await light(3, true)
    expect([none.status, none.json.message]).toEqual([501, 'ledctl: /dev/fake3: device not supported'])
  })

  it('are wiped after a plan: labels, partitions and their table, and an exported pool only by its name', async () => {
    makePool(world)
    tool(world, 'zpool', 'export', 'tank')
    set(1, { children: [part], pttype: 'gpt' })
    const planned = await plan()
    expect(planned).toMatchObject({ object: 'fake-DISK1', depends: [] })
    expect(planned['destroys'].slice(0, 2)).toEqual(['fake-DISK1', '/dev/fake1p1 (zfs_member old)'])
    expect(planned['destroys'].at(-1)).toMatch(/^a member of the pool tank \(\d+\), which could be imported$/)
    expect(modelOf(1)['children']).toHaveLength(1)
    const unasked = await world.ask('POST', '/disks/fake-DISK1/wipe')
    expect([unasked.status, unasked.json.message]).toEqual([
      409,
      'This needs the confirm token of its plan: ask with ?dry_run=true first',
    ])
    expect((await wipe()).json).toEqual({ message: 'disk wiped' })
    expect([modelOf(1)['fstype'], modelOf(1)['children'], world.fakes?.model().exported]).toEqual([
      undefined,
      undefined,
      {},
    ])
    expect((await get())['free']).toBe(true)
  })

  it('are not wiped while anything uses them, whatever the caller confirms', async () => {
    makePool(world)
    set(2, { mountpoint: '/srv', fstype: 'ext4' })
    set(3, { children: [{ path: '/dev/mapper/vg-a', type: 'lvm' }], fstype: 'LVM2_member' })
    const before = [1, 2, 3].map(modelOf)
    for (const [n, words] of [
      [1, 'tank has it as a member'],
      [2, '/srv is mounted from this disk'],
      [3, '/dev/mapper/vg-a is an LVM volume on this disk'],
    ] as const) {
      const { status, json } = await wipe(n)
      expect([status, json.message]).toEqual([409, words])
    }
    expect([1, 2, 3].map(modelOf)).toEqual(before)
  })

  it('are not wiped when the kernel says that they are in use, or when something else is on them by now', async () => {
    set(1, { held: true, fstype: 'ext4' })
    const held = await wipe()
    expect([held.status, held.json.message]).toEqual([409, '/dev/fake1 is in use'])
    set(1, { held: undefined })
    const { confirm } = await plan()
    set(1, { fstype: 'xfs' })
    expect((await wipe(1, confirm)).status).toBe(409)
    expect(modelOf(1)['fstype']).toBe('xfs')
    // Between the last look of the server and that of the script.
    world.fakes?.faults({
      program: 'lsblk',
      match: '-P',
      stdout: 'NAME="/dev/fake1" TYPE="disk" FSTYPE="btrfs" MOUNTPOINT=""\n',
      status: 0,
    })
    const late = await wipe()
    world.fakes?.faults({ program: 'lsblk', match: '-o SERIAL', stdout: 'ANOTHER1\n', status: 0 })
    const moved = await wipe()
    world.fakes?.faults()
    expect([moved.status, moved.json.message]).toEqual([409, 'Another disk is there meanwhile: ask again'])
    expect([late.status, late.json.message]).toEqual([409, 'Something else is on the disk meanwhile: ask again'])
    expect(modelOf(1)['fstype']).toBe('xfs')
  })

  it('are free after a wipe that udev did not hear of', async () => {
    set(1, { fstype: 'ext4', unheard: true })
    expect((await wipe()).json).toEqual({ message: 'disk wiped' })
    expect((await get())['free']).toBe(true)
  })

  it('are not said to be wiped when something is left', async () => {
    set(1, { fstype: 'ext4', sticky: true })
    const { status, json } = await wipe()
    expect([status, json.message]).toEqual([502, 'Something is left on the disk'])
  }, 180_000)

  const STEPS = checkpoints('scripts/disk-wipe.sh')
  it('have these steps of a wipe', () =>
    expect(STEPS).toEqual(['disk-wipe-started', 'disk-wipe-begun', 'disk-wipe-parts', 'disk-wipe-wiped']))
  test.for([...STEPS.map((step) => [step, 'kill'] as const), ['disk-wipe-parts', 'error'] as const])(
    'whose wipe dies at %s (%s) can be wiped again',
    async ([step, how]) => {
      set(1, { children: [{ ...part, label: undefined }], pttype: 'gpt' })
      world.fault(`${step}=${how}`)
      const { status } = await wipe()
      expect([502, 500]).toContain(status)
      world.fault()
      expect((await wipe()).json).toEqual({ message: 'disk wiped' })
      expect(await get()).toMatchObject({ free: true, partitions: [] })
    },
  )

  it('have each change in the audit log', async () => {
    set(1, { fstype: 'ext4', slot: 'Slot 01' })
    await world.ask('POST', '/disks/fake-DISK1/test', { json: { type: 'short' } })
    await world.ask('POST', '/disks/fake-DISK1/locate', { json: { on: true } })
    await wipe()
    const { json } = await world.ask('GET', '/audit?limit=4', { as: 'administrator' })
    expect(json.map(({ action, resource, result }: Json) => [action, resource, result])).toMatchInlineSnapshot(`
      [
        [
          "disks.wipe",
          "disks/fake-DISK1",
          "success",
        ],
        [
          "disks.wipe.plan",
          "disks/fake-DISK1",
          "success",
        ],
        [
          "disks.locate",
          "disks/fake-DISK1",
          "success",
        ],
        [
          "disks.test",
          "disks/fake-DISK1",
          "success",
        ],
      ]
    `)
  })
})
