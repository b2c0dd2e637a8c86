// The disks of a pool through the API: replaced, attached, detached, added, removed. On the real programs there are real
// disks below these tests.
import { describe, expect, it, test } from 'vitest'
import { until } from './client.ts'
import { type Json, nameOf, poolTests, shape } from './pool-changes.ts'
import { fillPool, holdWork, resilverInPart } from './storage-work.ts'
import { FAKES_ONLY, makeFile, REAL, startStorage } from './storage-world.ts'

const { world, ask, pool, layout, make, done, planned, asPlanned } = poolTests(startStorage)
/** As it is now. */
const jobOf = async ({ job }: Json): Promise<Json> => (await world().ask('GET', `/jobs/${job}`)).json
/** A real disk keeps the partitions that ZFS made on it, and is not free until it is wiped. */
async function wiped(disk: string): Promise<void> {
  if (world().fakes) return
  const path = `/disks/${nameOf(disk)}/wipe`
  const { confirm } = (await world().ask('POST', `${path}?dry_run=true`)).json
  expect((await world().ask('POST', `${path}?confirm=${confirm}`)).status).toBe(200)
}

/** The job of held work says how far it is, as the pool does. */
async function saysHowFar(started: Json, word: string, work: (now: Json) => Json): Promise<void> {
  const [job, { status, progress }] = await until('the job says how far it is', async () => {
    const { progress } = work(await pool())
    const job = await jobOf(started)
    return job.progress === Math.floor(progress) && job.message.includes('% done') && [job, work(await pool())]
  })
  expect([job.status, status]).toEqual(['running', 'running'])
  // Real work goes on while it is held: its words and its percentage are of two moments.
  const percent = world().fakes ? String(Math.floor(progress)) : '[0-9]+'
  expect(job.message).toMatch(new RegExp(`^${word}: .*, ${percent}\\.[0-9]+% done`))
}

describe('a disk of a pool', () => {
  it('is replaced by a free one, and its job has the progress of the resilver', async () => {
    const [one, two, three] = world().disks(3) as [string, string, string]
    const made = await make('mirror', one, two)
    const [{ children }] = made.vdevs
    expect(children[0]).toMatchObject({ name: nameOf(one), guid: expect.stringMatching(/^[0-9]+$/), path: one })
    // On the real programs, test/appliance/pool-disks.test.ts holds it, and pulls the disk before.
    if (world().fakes) holdWork(world())
    const { status, json } = await ask('replace', { device: nameOf(one), disk: three })
    expect([status, json]).toEqual([200, { message: 'replacement started', job: expect.any(String) }])
    if (world().fakes) {
      const begun = await pool()
      expect(begun.scan).toMatchObject({ kind: 'resilver', status: 'running', progress: 0, bytes_done: 0 })
      expect(begun.action).toBe('Wait for the resilver to complete.')
      expect(shape(begun.vdevs)).toEqual([['mirror-0', [['replacing-0', [nameOf(one), nameOf(three)]], nameOf(two)]]])
      expect(await jobOf(json)).toMatchObject({ type: 'pool.replace', status: 'running', progress: 0 })
      resilverInPart(world(), 'tank', three)
      await saysHowFar(json, 'resilvering', ({ scan }) => scan)
      expect((await jobOf(json)).progress).toBeGreaterThan(0)
      holdWork(world(), false)
    }
    expect(await world().job(json.job)).toMatchObject({
      status: 'completed',
      message: expect.stringMatching(/^resilvered /),
    })
    expect(await layout()).toEqual([['mirror-0', [nameOf(three), nameOf(two)]]])
    // The old one is free again. A real one keeps its partitions, and may be wiped.
    const { disks } = (await world().ask('GET', '/pools/available')).json
    if (world().fakes) expect(disks.map(({ path }: Json) => path)).toContain(one)
  })

  it('is named by its guid, its path or its name, and nothing else', async () => {
    const [one, two, three] = world().disks(3) as [string, string, string]
    const made = await make('mirror', one, two)
    const [first] = made.vdevs[0].children
    for (const device of [first.guid, first.path, first.name])
      expect((await ask('replace', { device, disk: three }, '?dry_run=true')).status).toBe(200)
    for (const device of ['sdzz', '/dev/none', '0', '__proto__']) {
      const { status, json } = await ask('replace', { device, disk: three })
      expect([device, status, json.code]).toEqual([device, 404, 'NOT_FOUND'])
    }
    for (const device of ['', '-f', 'a\nb', 7])
      expect([device, (await ask('offline', { device })).status]).toEqual([device, 400])
    expect((await ask('offline', { device: 'mirror-0' })).json).toMatchObject({
      code: 'VALIDATION_ERROR',
      details: 'device',
    })
  })

  it('is not replaced by one that is in use, holds something, is not there or is too small', async () => {
    const [one, two, three] = world().disks(3) as [string, string, string]
    await make('mirror', one, two, 'spare', three)
    const before = world().fakes?.calls().length
    const refused = async (disk: string) => {
      const { status, json } = await ask('replace', { device: nameOf(one), disk })
      return [status, json.code, json.details, json.message]
    }
    expect(await refused(two)).toEqual([
      409,
      'CONFLICT',
      'disk',
      expect.stringContaining('This disk is not free: it is in use as pool'),
    ])
    expect(await refused('/dev/no-such-disk')).toEqual([400, 'VALIDATION_ERROR', 'disk', 'There is no such disk'])
    expect(await refused('/etc/passwd')).toEqual([400, 'VALIDATION_ERROR', 'disk', 'There is no such disk'])
    const small = makeFile(world(), 'small', 100 * 1024 ** 2)
    expect(await refused(small)).toEqual([
      400,
      'VALIDATION_ERROR',
      'disk',
      expect.stringMatching(/^The disk is too small: it has 100 MiB, and .* are needed$/),
    ])
    if (world().fakes) {
      world().fakes!.change((model) => {
        model.disks['/dev/fake9']!.fstype = 'ext4'
      })
      expect(await refused('/dev/fake9')).toEqual([
        409,
        'CONFLICT',
        'disk',
        'This disk is not free: it holds filesystem',
      ])
      world().fakes!.change((model) => {
        delete model.disks['/dev/fake9']!.fstype
      })
      const calls = world().fakes!.calls().slice(before)
      expect(calls.filter(({ args }) => args[0] === 'replace')).toEqual([])
    }
  })

  it('is replaced while another is, and a replacement that is cancelled leaves the old disk', async () => {
    const [a, b, c, d, e, f] = world().disks(6) as [string, string, string, string, string, string]
    await make('mirror', a, b, 'mirror', c, d)
    const sum = fillPool(world(), 'tank', 8)
    const before = sum()
    const assertPlan = await planned('replace', { device: nameOf(c), disk: f })
    holdWork(world())
    const first = (await ask('replace', { device: nameOf(a), disk: e })).json
    const second = (await ask('replace', { device: nameOf(c), disk: f })).json
    expect((await ask('replace', { device: nameOf(a), disk: makeFile(world(), 'third', 2 ** 31) })).status).toBe(409)
    for (const job of [first, second]) expect(await jobOf(job)).toMatchObject({ status: 'running' })
    expect(await layout()).toEqual([
      ['mirror-0', [['replacing-0', [a, e].map(nameOf)], nameOf(b)]],
      ['mirror-1', [['replacing-0', [c, f].map(nameOf)], nameOf(d)]],
    ])
    expect((await world().ask('POST', `/jobs/${first.job}/cancel`)).json.status).toBe('cancelled')
    expect(((await layout()) as unknown[])[0]).toEqual(['mirror-0', [a, b].map(nameOf)])
    holdWork(world(), false)
    expect(await world().job(second.job)).toMatchObject({ status: 'completed' })
    await assertPlan()
    expect(sum()).toBe(before)
  })

  it('goes offline and online, unless data would be lost', async () => {
    const [one, two] = world().disks(2) as [string, string]
    await make('mirror', one, two)
    await done('offline', { device: nameOf(one) })
    const degraded = await pool()
    expect([degraded.status, degraded.vdevs[0].children[0].state]).toEqual(['DEGRADED', 'OFFLINE'])
    expect(degraded.action).toContain("Online the device using 'zpool online'")
    const { status, json } = await ask('offline', { device: nameOf(two) })
    expect([status, json]).toEqual([
      409,
      { code: 'CONFLICT', message: `cannot offline ${nameOf(two)}: no valid replicas`, details: 'tank' },
    ])
    await done('online', { device: nameOf(one) })
    await done('clear')
    await done('clear', { device: nameOf(one) })
    expect((await pool()).status).toBe('ONLINE')
  })
})

describe('the layout of a pool', () => {
  it('is shown before and after, and changes nothing until it is asked for', async () => {
    const [one, two, three, four] = world().disks(4) as [string, string, string, string]
    await make('mirror', one, two)
    const before = await layout()
    const plans: [string, unknown, string, unknown][] = [
      ['replace', { device: nameOf(one), disk: three }, 'composed', [['mirror-0', [nameOf(three), nameOf(two)]]]],
      [
        'attach',
        { device: 'mirror-0', disk: three },
        'composed',
        [['mirror-0', [nameOf(one), nameOf(two), nameOf(three)]]],
      ],
      ['detach', { device: nameOf(one) }, 'composed', [nameOf(two)]],
      [
        'add',
        { vdevs: ['mirror', three, four] },
        'zpool',
        [
          ['mirror-0', [nameOf(one), nameOf(two)]],
          ['mirror', [nameOf(three), nameOf(four)]],
        ],
      ],
    ]
    for (const [verb, body, source, after] of plans) {
      const { status, json } = await ask(verb, body, '?dry_run=true')
      expect([verb, status, json.source, shape(json.before), shape(json.after)]).toEqual([
        verb,
        200,
        source,
        before,
        after,
      ])
    }
    expect(await layout()).toEqual(before)
  })

  it('grows by a mirror’s side, a vdev, a log, a cache and a spare, and shrinks again', async () => {
    const [one, two, three] = world().disks(3) as [string, string, string]
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => makeFile(world(), name)) as [
      string,
      string,
      string,
      string,
      string,
    ]
    await make(one)
    await asPlanned('attach', { device: nameOf(one), disk: two })
    await asPlanned('attach', { device: 'mirror-0', disk: three })
    expect(await layout()).toEqual([['mirror-0', [one, two, three].map(nameOf)]])
    const plan = (await ask('detach', { device: nameOf(two) }, '?dry_run=true')).json
    await done('detach', { device: nameOf(two) }, `?confirm=${plan.confirm}`)
    const stale = await ask('detach', { device: nameOf(three) }, `?confirm=${plan.confirm}`)
    expect([stale.status, stale.json.message]).toEqual([
      409,
      'The plan has changed since: ask with ?dry_run=true first',
    ])
    await wiped(two)
    await done('add', { vdevs: ['log', a, 'cache', two, 'spare', b] })
    await asPlanned('add', { vdevs: ['mirror', c, d] })
    expect((await pool()).vdevs.map((vdev: Json) => [vdev.class, vdev.type])).toEqual(
      expect.arrayContaining([
        ['data', 'mirror'],
        ['log', 'file'],
        ['cache', 'disk'],
        ['spare', 'file'],
      ]),
    )
    const lonely = await ask('add', { vdevs: [e] })
    expect([lonely.status, lonely.json]).toMatchObject([
      400,
      { code: 'VALIDATION_ERROR', message: expect.stringMatching(/^mismatched replication level: /), details: 'vdevs' },
    ])
    expect((await ask('add', { vdevs: [e], allow: ['layout-mismatch'] }, '?dry_run=true')).status).toBe(200)
    for (const device of [a, nameOf(two), b]) await asPlanned('remove', { device })
    const sum = fillPool(world(), 'tank', 32)
    const before = sum()
    const mirror = { device: (await pool()).vdevs.at(-1).name }
    const assertPlan = await planned('remove', mirror)
    holdWork(world())
    const { json } = await ask('remove', mirror)
    await saysHowFar(json, 'evacuating', ({ removal }) => removal)
    holdWork(world(), false)
    expect(await world().job(json.job)).toMatchObject({ type: 'pool.remove', status: 'completed' })
    await assertPlan()
    const last = await pool()
    expect([shape(last.vdevs), last.removal?.status]).toEqual([[['mirror-0', [one, three].map(nameOf)]], 'finished'])
    expect(sum()).toBe(before)
  })

  it('of a RAID-Z grows by a disk', async () => {
    const [a, b, c, d] = ['p', 'q', 'r', 's'].map((name) => makeFile(world(), name)) as [string, string, string, string]
    await make('raidz', a, b, c)
    expect((await ask('attach', { device: a, disk: d })).json).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('can only attach to mirrors and top-level disks'),
    })
    const sum = fillPool(world(), 'tank', 32)
    const before = sum()
    const assertPlan = await planned('attach', { device: 'raidz1-0', disk: d })
    holdWork(world())
    const { json } = await ask('attach', { device: 'raidz1-0', disk: d })
    await saysHowFar(json, 'expanding', ({ expansion }) => expansion)
    holdWork(world(), false)
    const job = await world().job(json.job)
    expect([job.status, job.message]).toEqual(['completed', expect.stringMatching(/^expanded raidz1-0 copied /)])
    expect((await pool()).expansion).toMatchObject({ status: 'finished', vdev: 'raidz1-0' })
    await assertPlan()
    expect(await layout()).toEqual([['raidz1-0', [a, b, c, d]]])
    expect(sum()).toBe(before)
  })

  test.for([
    [['-f'], 'vdevs.0'],
    [['/etc/passwd'], 'vdevs.0'],
    [['log'], 'vdevs.0'],
    [[], 'vdevs'],
    [['mirror', '/dev/fake3'], 'vdevs.0'],
  ] as const)('is not added to by %j', async ([vdevs, field]) => {
    await make(world().disks(1)[0]!)
    const { status, json } = await ask('add', { vdevs })
    expect([status, json.code, json.details]).toEqual([400, 'VALIDATION_ERROR', field])
  })
})

describe.skipIf(REAL)(`what only fakes can show ${FAKES_ONLY}`, () => {
  it('a disk is replaced by the new one at its port, which has another name', async () => {
    const port = '/dev/disk/by-path/pci-0000:00:02.0-ata-1'
    world().fakes!.change(({ disks }) => disks['/dev/fake1']!.links!.push(port))
    await make('mirror', '/dev/fake1', '/dev/fake2')
    world().fakes!.change(({ disks }) => {
      disks['/dev/fake20'] = { ...disks['/dev/fake1']!, links: ['/dev/disk/by-id/fake-DISK20', port] }
      delete disks['/dev/fake20'].fstype
      delete disks['/dev/fake1']
    })
    await done('replace', { device: 'fake1' })
    expect(await layout()).toEqual([['mirror-0', ['fake-DISK20', 'fake2']]])
    world().fakes!.change(({ disks }) => {
      disks['/dev/fake1'] = { ...disks['/dev/fake2']!, links: ['/dev/disk/by-id/fake-DISK1'] }
      delete disks['/dev/fake1'].fstype
      delete disks['/dev/fake20']
    })
  })

  it('a RAID-Z is not expanded where ZFS or the pool cannot', async () => {
    await make('raidz', '/dev/fake1', '/dev/fake2', '/dev/fake3')
    world().fakes!.change((model) => {
      model['zfs'] = '2.1'
    })
    const old = await ask('attach', { device: 'raidz1-0', disk: '/dev/fake4' })
    world().fakes!.change((model) => {
      delete model['zfs']
      model.pools['tank']!['disabled'] = ['raidz_expansion']
    })
    const disabled = await ask('attach', { device: 'raidz1-0', disk: '/dev/fake4' })
    expect([old, disabled].map(({ status, json }) => [status, json.message])).toEqual([
      [409, 'The installed ZFS cannot expand a RAID-Z: OpenZFS 2.3 or later is needed'],
      [409, 'The pool’s features do not allow expanding a RAID-Z yet: upgrade the pool first'],
    ])
  })

  it('ZFS 2.1 is read as well: numbers, paths, progress, and the size of a new disk', async () => {
    world().fakes!.change((model) => {
      model['zfs'] = '2.1'
    })
    try {
      const made = await make('mirror', '/dev/fake1', '/dev/fake2')
      expect(made.vdevs[0].children[0]).toMatchObject({ guid: expect.stringMatching(/^[0-9]+$/), path: '/dev/fake1' })
      const small = makeFile(world(), 'old', 400 * 1024 ** 2)
      expect((await ask('replace', { device: 'fake1', disk: small })).json.message).toContain('too small')
      holdWork(world())
      const { json } = await ask('replace', { device: '/dev/fake1', disk: '/dev/fake3' })
      expect((await pool()).scan).toMatchObject({ kind: 'resilver', status: 'running' })
      holdWork(world(), false)
      expect(await world().job(json.job)).toMatchObject({ status: 'completed' })
    } finally {
      world().fakes!.change((model) => {
        delete model['zfs']
      })
    }
  })
})
