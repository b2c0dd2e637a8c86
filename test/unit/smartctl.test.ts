// SMART in its three forms, its exit status, disks that sleep or say nothing, and what is kept of an answer.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../src/drivers/programs.ts'
import { CommandError, type Output } from '../../src/drivers/run.ts'
import { createSmartctl } from '../../src/drivers/smartctl.ts'
import type { Disk } from '../../src/features/disks/disks.ts'
import { DiskHealth } from '../../src/features/disks/health.ts'

const fixture = (name: string) =>
  readFileSync(join(dirname(fileURLToPath(import.meta.url)), `../fixtures/smartctl-composed/${name}.json`), 'utf8')
const statusOf = (text: string): number => JSON.parse(text).smartctl.exit_status

/** A smartctl that says this; `text` may be a function of the arguments, which may throw. */
function smartctl(text: string | ((args: string[]) => string | Promise<string>), status?: number) {
  const calls: string[][] = []
  const tool: Tool = async (_name, args, options): Promise<Output> => {
    calls.push(args)
    const stdout = typeof text === 'string' ? text : await text(args)
    const code = status ?? statusOf(stdout)
    if (code !== 0 && !options?.accept?.includes(code)) throw new CommandError(['smartctl'], 'status', '', code)
    return { stdout, stderr: '', status: code }
  }
  return { smartctl: createSmartctl(tool), calls }
}
const reportOf = async (name: string) => {
  const answer = await smartctl(fixture(name)).smartctl.read('/dev/sda')
  if (answer.state !== 'report') throw new Error(answer.state)
  return answer.report
}

describe('SMART', () => {
  it('of an ATA disk', async () => {
    expect(await reportOf('ata')).toEqual({
      ...{ protocol: 'ATA', passed: true, temperature: 31, powerOnHours: 32456 },
      ...{ reallocated: 8, pending: 2, uncorrectable: 1, mediaErrors: undefined, percentUsed: undefined },
      running: undefined,
      minutes: { short: 2, long: 482 },
      tests: [
        { type: 'long', status: 'failed', hours: 32440, message: 'Completed: read failure' },
        { type: 'short', status: 'aborted', hours: 32300, message: 'Aborted by host' },
        { type: 'short', status: 'passed', hours: 32272, message: 'Completed without error' },
      ],
    })
  })

  it('of a SCSI disk, with a test under way', async () => {
    expect(await reportOf('scsi')).toEqual({
      ...{ protocol: 'SCSI', passed: true, temperature: 34, powerOnHours: 48239 },
      ...{ reallocated: 0, pending: undefined, uncorrectable: 0, mediaErrors: undefined, percentUsed: undefined },
      running: { progress: undefined },
      minutes: { short: undefined, long: 545 },
      tests: [
        { type: 'long', status: 'passed', hours: 48100, message: 'Completed' },
        { type: 'short', status: 'failed', hours: 47000, message: 'Completed, segment failed' },
      ],
    })
  })

  it('of an NVMe disk that expects to fail', async () => {
    expect(await reportOf('nvme')).toEqual({
      ...{ protocol: 'NVMe', passed: false, temperature: 72, powerOnHours: 18636 },
      ...{ reallocated: undefined, pending: undefined, uncorrectable: undefined, mediaErrors: 7, percentUsed: 104 },
      running: { progress: 42 },
      minutes: { short: undefined, long: undefined },
      tests: [
        { type: 'short', status: 'passed', hours: 18600, message: 'Completed without error' },
        { type: 'long', status: 'aborted', hours: 18000, message: 'Aborted: Controller Reset' },
      ],
    })
  })

  it('is never asked of a disk that sleeps, unless somebody wants it woken', async () => {
    const { smartctl: driver, calls } = smartctl('{"smartctl":{"exit_status":3}}')
    expect(await driver.read('/dev/sda')).toEqual({ state: 'standby' })
    expect(calls).toEqual([['-j', '-n', 'standby,3', '-a', '/dev/sda']])
    const { smartctl: other, calls: woken } = smartctl(fixture('ata'))
    await other.read('/dev/sda', { wake: true })
    expect(woken).toEqual([['-j', '-a', '/dev/sda']])
  })

  it('that a bridge or a virtual disk does not give has a reason', async () => {
    expect(await smartctl(fixture('bridge')).smartctl.read('/dev/sdc')).toEqual({
      state: 'silent',
      reason: '/dev/sdc: Unknown USB bridge [0x0123:0x4567 (0x100)]',
    })
    for (const text of ['{"smart_support":{"available":false}}', '{}', '{"smartctl":{"messages":[]}}'])
      expect(await smartctl(text, 0).smartctl.read('/dev/vda')).toEqual({ state: 'silent', reason: 'It has no SMART' })
    for (const text of ['', 'no JSON', '[]', 'null'])
      await expect(smartctl(text, 0).smartctl.read('/dev/vda')).rejects.toMatchObject({ reason: 'output' })
  })

  it('from a hostile disk is bounded and cannot break the reader', async () => {
    const evil = `\u001b[2J<script>${'x'.repeat(10_000)}\u202e`
    const table = Array(500).fill({ type: { string: evil }, status: { string: evil, value: 'x' }, lifetime_hours: -1 })
    const answer = await smartctl(
      JSON.stringify({
        temperature: { current: 1e300 },
        power_on_time: { hours: 1 },
        smart_status: 'yes',
        ata_smart_attributes: { table: [null, 5, { id: 5, raw: { value: -3 } }] },
        ata_smart_self_test_log: { standard: { table } },
        scsi_self_test_0: 7,
      }),
      0,
    ).smartctl.read('/dev/sda')
    if (answer.state !== 'report') throw new Error(answer.state)
    const { report } = answer
    expect([report.temperature, report.passed, report.reallocated, report.tests.length]).toEqual([
      undefined,
      undefined,
      undefined,
      21,
    ])
    expect(report.tests[0]?.message).toBe(`[2J<script>${'x'.repeat(189)}`)
    expect(report.tests[0]?.type).toHaveLength(200)
  })

  it('starts a test, and says why it did not', async () => {
    const { smartctl: driver, calls } = smartctl('{}', 0)
    expect(await driver.test('/dev/sda', 'long')).toBeUndefined()
    expect(calls).toEqual([['-j', '-t', 'long', '/dev/sda']])
    expect(await smartctl('{}', 4).smartctl.test('/dev/sda', 'short')).toBe('The disk refused the self-test')
    expect(await smartctl(fixture('bridge')).smartctl.test('/dev/sdc', 'short')).toMatch(/^\/dev\/sdc: Unknown USB/)
    // A disk with a bad past still takes a test.
    expect(await smartctl('{}', 0b1111_1000).smartctl.test('/dev/sda', 'short')).toBeUndefined()
  })
})

const disk = (id: string, more: Partial<Disk> = {}) =>
  ({ id, serial: id, device: `/dev/${id}`, paths: [] as string[], rotational: true, ...more }) as Disk

describe('the health of a disk', () => {
  const healthOf = async (name: string, more?: Partial<Disk>) => {
    const health = new DiskHealth(smartctl(fixture(name)).smartctl, () => 1000)
    await health.refresh([disk('a', more)])
    return health.of(disk('a', more))
  }

  it('is good, a warning, or failing, with what is wrong', async () => {
    expect(await healthOf('scsi')).toMatchObject({ state: 'good', problems: [], isHot: false, at: 1000 })
    expect(await healthOf('ata')).toMatchObject({
      state: 'warning',
      problems: [
        'The last self-test (long) failed: Completed: read failure',
        '2 sectors cannot be read now',
        '1 error could not be corrected',
        '8 sectors had to be replaced by spare ones',
      ],
    })
    expect(await healthOf('nvme', { rotational: false })).toMatchObject({
      state: 'failing',
      isHot: true,
      problems: ['The disk expects to fail soon', '7 media errors', '104 % of its life is used'],
    })
    expect(await healthOf('bridge')).toMatchObject({ state: 'unknown', reason: expect.stringContaining('USB bridge') })
  })

  it('is kept for minutes, and what was known stays while the disk sleeps', async () => {
    let now = 0
    let text = fixture('ata')
    const { smartctl: driver, calls } = smartctl(() => text)
    const health = new DiskHealth(driver, () => now)
    await health.refresh([disk('a')])
    now = 299_999
    await health.refresh([disk('a')])
    expect(calls).toHaveLength(1)
    now = 300_000
    text = '{"smartctl":{"exit_status":3}}'
    await health.refresh([disk('a')])
    expect(calls).toHaveLength(2)
    expect(health.of(disk('a'))).toMatchObject({ state: 'standby', at: 0, report: { temperature: 31 } })
    // A clock that was set back does not keep it for ever; another disk under this name is not this one.
    now = -10
    await health.refresh([disk('a')])
    expect(calls).toHaveLength(3)
    expect(health.of(disk('a', { serial: 'other' }))).toMatchObject({ state: 'unknown', report: undefined })
  })

  it('is forgotten with a disk that was unplugged', async () => {
    const health = new DiskHealth(smartctl(fixture('ata')).smartctl, () => 0)
    const [a, b] = [disk('a'), disk('b')]
    await health.refreshAll([a, b])
    expect(health.all().map((one) => one.health.report !== undefined)).toEqual([true, true])
    await health.refreshAll([a])
    expect(health.all().map((one) => one.disk.id)).toEqual(['a'])
    // Not by one list: an older one may come last.
    expect(health.of(b).report).toBeDefined()
    await health.refreshAll([a, b])
    await health.refreshAll([a])
    expect(health.of(b).report).toBeDefined()
    await health.refreshAll([a])
    expect([health.of(a).report !== undefined, health.of(b).report]).toEqual([true, undefined])
  })

  it('is asked of four disks at a time, once each, and a disk that hangs holds up nobody', async () => {
    let running = 0
    let most = 0
    const ends: (() => void)[] = []
    const { smartctl: driver, calls } = smartctl(async (args) => {
      running++
      most = Math.max(most, running)
      if (args.at(-1) === '/dev/d0') await new Promise<void>((resolve) => ends.push(resolve))
      else await new Promise((resolve) => setImmediate(resolve))
      running--
      return fixture('scsi')
    })
    const health = new DiskHealth(driver, () => 0)
    const disks = Array.from({ length: 12 }, (_, i) => disk(`d${i}`))
    // Nobody waits longer than that; the others are asked all the same.
    await Promise.all([health.refresh(disks, 0), health.refresh(disks, 0)])
    while (disks.filter((one) => health.of(one).state === 'good').length < 11)
      await new Promise((resolve) => setImmediate(resolve))
    expect([most, calls.length, health.of(disks[0]!).state]).toEqual([4, 12, 'unknown'])
    for (const end of ends) end()
  })

  it('says what is missing without smartmontools', async () => {
    const { smartctl: driver } = smartctl(() => {
      throw new CommandError(['smartctl'], 'missing')
    })
    const health = new DiskHealth(driver, () => 0)
    await health.refresh([disk('a')])
    expect(health.of(disk('a'))).toMatchObject({ state: 'unknown', reason: 'smartmontools is not installed' })
  })

  it('of a multipath device comes through one of its paths', async () => {
    const { smartctl: driver, calls } = smartctl(fixture('scsi'))
    await new DiskHealth(driver, () => 0).refresh([disk('a', { device: '/dev/mapper/mpatha', paths: ['sda', 'sdb'] })])
    expect(calls[0]?.at(-1)).toBe('/dev/sda')
  })
})
