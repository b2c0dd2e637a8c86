// The disks of a pool through the API: replaced, attached, detached, added, removed, trimmed. On the real programs there
// are real disks below these tests.
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { until } from './client.ts'
import { FAKES_ONLY, makeFile, REAL, startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
})
afterAll(() => world?.close())
afterEach(async () => {
  world.fakes?.change((model) => {
    model.scrubStep = 34
  })
  for (const { id } of (await world.ask('GET', '/jobs?status=running')).json)
    await world.ask('POST', `/jobs/${id}/cancel`)
  await world.ask('DELETE', '/pools/tank')
})

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
type Json = any
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)
const ask = (verb: string, json: unknown = {}, query = '') => world.ask('POST', `/pools/tank/${verb}${query}`, { json })
const pool = async (): Promise<Json> => (await world.ask('GET', '/pools/tank')).json
async function make(...vdevs: string[]): Promise<Json> {
  const { status, json } = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs } })
  expect([status, json]).toEqual([201, expect.anything()])
  return json
}
/** The change, and the end of its job. */
async function done(verb: string, json: unknown = {}, query = ''): Promise<Json> {
  const answer = await ask(verb, json, query)
  expect([verb, answer.status, answer.json]).toEqual([verb, 200, expect.objectContaining({ job: expect.any(String) })])
  const job = await world.job(answer.json.job)
  expect([verb, job]).toEqual([verb, expect.objectContaining({ status: 'completed' })])
  return job
}
const shape = (vdevs: Json): unknown =>
  vdevs.map(({ name, children }: Json) => (children ? [name, shape(children)] : name))
const layout = async () => shape((await pool()).vdevs)
const hold = (percent = 0) =>
  world.fakes!.change((model) => {
    model.scrubStep = percent
  })

describe('a disk of a pool', () => {
  it('is replaced by a free one, and its job has the progress of the resilver', async () => {
    const [one, two, three] = world.disks(3) as [string, string, string]
    const made = await make('mirror', one, two)
    const [{ children }] = made.vdevs
    expect(children[0]).toMatchObject({ name: nameOf(one), guid: expect.stringMatching(/^[0-9]+$/), path: one })
    if (world.fakes) hold()
    const { status, json } = await ask('replace', { device: nameOf(one), disk: three })
    expect([status, json]).toEqual([200, { message: 'replacement started', job: expect.any(String) }])
    if (world.fakes) {
      const now = await pool()
      expect(now.scan).toMatchObject({ kind: 'resilver', status: 'running', progress: 0, bytes_done: 0 })
      expect(now.action).toBe('Wait for the resilver to complete.')
      expect(shape(now.vdevs)).toEqual([['mirror-0', [['replacing-0', [nameOf(one), nameOf(three)]], nameOf(two)]]])
      world.fakes.change((model) => {
        Object.assign(model.pools['tank']!['scan'] as object, { percent: 40 })
      })
      const job = async () => (await world.ask('GET', `/jobs/${json.job}`)).json
      await until('it shows', async () => (await job()).progress === 40)
      expect(await job()).toMatchObject({
        type: 'pool.replace',
        message: expect.stringMatching(/^resilvering: .*40\.00% done/),
      })
      hold(34)
    }
    expect(await world.job(json.job)).toMatchObject({
      status: 'completed',
      message: expect.stringMatching(/^resilvered /),
    })
    expect(await layout()).toEqual([['mirror-0', [nameOf(three), nameOf(two)]]])
    // The old one is free again.
    const { disks } = (await world.ask('GET', '/pools/available')).json
    if (world.fakes) expect(disks.map(({ path }: Json) => path)).toContain(one)
  })

  it('is named by its guid, its path or its name, and nothing else', async () => {
    const [one, two, three] = world.disks(3) as [string, string, string]
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
    const [one, two, three] = world.disks(3) as [string, string, string]
    await make('mirror', one, two, 'spare', three)
    const before = world.fakes?.calls().length
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
    const small = makeFile(world, 'small', 100 * 1024 ** 2)
    expect(await refused(small)).toEqual([
      400,
      'VALIDATION_ERROR',
      'disk',
      expect.stringMatching(/^The disk is too small: it has 100 MiB, and .* are needed$/),
    ])
    if (world.fakes) {
      world.fakes.change((model) => {
        model.disks['/dev/fake9']!.fstype = 'ext4'
      })
      expect(await refused('/dev/fake9')).toEqual([
        409,
        'CONFLICT',
        'disk',
        'This disk is not free: it holds filesystem',
      ])
      world.fakes.change((model) => {
        delete model.disks['/dev/fake9']!.fstype
      })
      const calls = world.fakes.calls().slice(before)
      expect(calls.filter(({ args }) => args[0] === 'replace')).toEqual([])
    }
  })

  it('goes offline and online, unless data would be lost', async () => {
    const [one, two] = world.disks(2) as [string, string]
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
    const [one, two, three, four] = world.disks(4) as [string, string, string, string]
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
    const [one, two, three] = world.disks(3) as [string, string, string]
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => makeFile(world, name)) as [
      string,
      string,
      string,
      string,
      string,
    ]
    await make(one)
    await done('attach', { device: nameOf(one), disk: two })
    await done('attach', { device: 'mirror-0', disk: three })
    expect(await layout()).toEqual([['mirror-0', [one, two, three].map(nameOf)]])
    const plan = (await ask('detach', { device: nameOf(two) }, '?dry_run=true')).json
    await done('detach', { device: nameOf(two) }, `?confirm=${plan.confirm}`)
    const stale = await ask('detach', { device: nameOf(three) }, `?confirm=${plan.confirm}`)
    expect([stale.status, stale.json.message]).toEqual([
      409,
      'The plan has changed since: ask with ?dry_run=true first',
    ])
    await done('add', { vdevs: ['log', a, 'cache', two, 'spare', b] })
    await done('add', { vdevs: ['mirror', c, d] })
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
    for (const device of [a, nameOf(two), b]) await done('remove', { device })
    const job = await done('remove', { device: (await pool()).vdevs[1].name })
    expect(job.type).toBe('pool.remove')
    const last = await pool()
    expect([shape(last.vdevs), last.removal?.status]).toEqual([[['mirror-0', [one, three].map(nameOf)]], 'finished'])
  })

  it('of a RAID-Z grows by a disk', async () => {
    const [a, b, c, d] = ['p', 'q', 'r', 's'].map((name) => makeFile(world, name)) as [string, string, string, string]
    await make('raidz', a, b, c)
    expect((await ask('attach', { device: a, disk: d })).json).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('can only attach to mirrors and top-level disks'),
    })
    const job = await done('attach', { device: 'raidz1-0', disk: d })
    expect(job.message).toMatch(/^expanded raidz1-0 copied /)
    expect((await pool()).expansion).toMatchObject({ status: 'finished', vdev: 'raidz1-0' })
    expect(await layout()).toEqual([['raidz1-0', [a, b, c, d]]])
  })

  test.for([
    [['-f'], 'vdevs.0'],
    [['/etc/passwd'], 'vdevs.0'],
    [['log'], 'vdevs.0'],
    [[], 'vdevs'],
    [['mirror', '/dev/fake3'], 'vdevs.0'],
  ] as const)('is not added to by %j', async ([vdevs, field]) => {
    await make(world.disks(1)[0]!)
    const { status, json } = await ask('add', { vdevs })
    expect([status, json.code, json.details]).toEqual([400, 'VALIDATION_ERROR', field])
  })
})

// These have not been run on a real ZFS yet.
describe.skipIf(REAL)(`a spare ${FAKES_ONLY}`, () => {
  it('stands for a disk, says so, and is given back or kept', async () => {
    const [one, two, three, four] = world.disks(4) as [string, string, string, string]
    await make('mirror', one, two, 'spare', three)
    await done('offline', { device: nameOf(one) })
    await done('replace', { device: nameOf(one), disk: nameOf(three) })
    const used = await pool()
    expect(used.spares_in_use).toMatchObject([
      { spare: nameOf(three), replaces: nameOf(one), state: 'OFFLINE', group: 'mirror-0' },
    ])
    expect((await ask('replace', { device: nameOf(two), disk: three })).json.message).toBe('This spare is INUSE')
    await done('detach', { device: used.spares_in_use[0].spare_guid })
    expect((await pool()).spares_in_use).toEqual([])
    await done('replace', { device: nameOf(one), disk: three })
    await done('detach', { device: nameOf(one) })
    expect(await layout()).toEqual([['mirror-0', [nameOf(three), nameOf(two)]]])
    expect(four).toBeDefined()
  })
})

describe.skipIf(REAL)(`the upkeep of a pool ${FAKES_ONLY}`, () => {
  it('trims it, with the state of each disk', async () => {
    const [one, two] = world.disks(2) as [string, string]
    await make('mirror', one, two)
    expect((await world.ask('GET', '/pools/tank/trim')).json).toMatchObject({ status: 'none', progress: 0 })
    expect((await ask('trim', { action: 'suspend' })).status).toBe(409)
    if (world.fakes) {
      hold()
      const { json } = await ask('trim')
      expect((await world.ask('GET', '/pools/tank/trim')).json).toMatchObject({ status: 'running', job: json.job })
      expect((await ask('trim', { action: 'suspend' })).json).toEqual({ message: 'trim suspended' })
      expect((await world.ask('GET', '/pools/tank/trim')).json.status).toBe('paused')
      expect((await ask('trim')).json).toEqual({ message: 'trim continued', job: json.job })
      expect((await ask('trim', { action: 'cancel' })).json).toEqual({ message: 'trim cancelled' })
      expect(await world.job(json.job)).toMatchObject({ status: 'cancelled' })
      hold(34)
    }
    await done('trim')
    expect((await world.ask('GET', '/pools/tank/trim')).json).toMatchObject({
      status: 'finished',
      progress: 100,
      disks: [
        { name: nameOf(one), status: 'finished' },
        { name: nameOf(two), status: 'finished' },
      ],
    })
  })

  it('sets its properties, and no others', async () => {
    await make(world.disks(1)[0]!)
    const patch = (options: unknown) => world.ask('PATCH', '/pools/tank', { json: { options } })
    const { status, json } = await patch({ autotrim: 'on', autoreplace: 'on', autoexpand: 'on' })
    expect([status, json.options]).toEqual([200, { autotrim: 'on', autoreplace: 'on', autoexpand: 'on' }])
    for (const [options, field] of [
      [{ ashift: '12' }, 'options.ashift'],
      [{ cachefile: '/etc/passwd' }, 'options.cachefile'],
      [{ autotrim: 'perhaps' }, 'options.autotrim'],
      [{ 'fs.quota': '1G' }, 'options.fs.quota'],
      [{}, 'options'],
    ] as const)
      expect([field, (await patch(options)).json]).toMatchObject([field, { code: 'VALIDATION_ERROR', details: field }])
  })
})

describe.skipIf(REAL)(`what only fakes can show ${FAKES_ONLY}`, () => {
  it('an upgrade needs the token of its plan', async () => {
    await make(world.disks(1)[0]!)
    expect((await ask('upgrade')).json.message).toBe('All features that the installed ZFS has are enabled already')
    world.fakes!.change((model) => {
      model.pools['tank']!['disabled'] = ['raidz_expansion']
    })
    const plan = (await ask('upgrade', undefined, '?dry_run=true')).json
    expect(plan.does[0]).toBe('Enables raidz_expansion')
    expect((await ask('upgrade', undefined)).status).toBe(409)
    await done('upgrade', undefined, `?confirm=${plan.confirm}`)
    expect((await ask('upgrade', undefined)).status).toBe(409)
  })

  it('two disks are replaced at the same time, and a replacement that is cancelled leaves the old disk', async () => {
    await make('mirror', '/dev/fake1', '/dev/fake2', 'mirror', '/dev/fake3', '/dev/fake4')
    hold()
    const first = (await ask('replace', { device: 'fake1', disk: '/dev/fake5' })).json
    const second = (await ask('replace', { device: 'fake3', disk: '/dev/disk/by-id/fake-DISK6' })).json
    expect((await ask('replace', { device: 'fake1', disk: '/dev/fake7' })).status).toBe(409)
    expect((await world.ask('POST', `/jobs/${first.job}/cancel`)).json.status).toBe('cancelled')
    expect(((await layout()) as unknown[])[0]).toEqual(['mirror-0', ['fake1', 'fake2']])
    hold(34)
    expect(await world.job(second.job)).toMatchObject({ status: 'completed' })
    expect(((await layout()) as unknown[])[1]).toEqual(['mirror-1', ['fake-DISK6', 'fake4']])
  })

  it('a disk is replaced by the new one at its port, which has another name', async () => {
    const port = '/dev/disk/by-path/pci-0000:00:02.0-ata-1'
    world.fakes!.change(({ disks }) => disks['/dev/fake1']!.links!.push(port))
    await make('mirror', '/dev/fake1', '/dev/fake2')
    world.fakes!.change(({ disks }) => {
      disks['/dev/fake20'] = { ...disks['/dev/fake1']!, links: ['/dev/disk/by-id/fake-DISK20', port] }
      delete disks['/dev/fake20'].fstype
      delete disks['/dev/fake1']
    })
    await done('replace', { device: 'fake1' })
    expect(await layout()).toEqual([['mirror-0', ['fake-DISK20', 'fake2']]])
    world.fakes!.change(({ disks }) => {
      disks['/dev/fake1'] = { ...disks['/dev/fake2']!, links: ['/dev/disk/by-id/fake-DISK1'] }
      delete disks['/dev/fake1'].fstype
      delete disks['/dev/fake20']
    })
  })

  it('a RAID-Z is not expanded where ZFS or the pool cannot', async () => {
    await make('raidz', '/dev/fake1', '/dev/fake2', '/dev/fake3')
    world.fakes!.change((model) => {
      model['zfs'] = '2.1'
    })
    const old = await ask('attach', { device: 'raidz1-0', disk: '/dev/fake4' })
    world.fakes!.change((model) => {
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
    world.fakes!.change((model) => {
      model['zfs'] = '2.1'
    })
    try {
      const made = await make('mirror', '/dev/fake1', '/dev/fake2')
      expect(made.vdevs[0].children[0]).toMatchObject({ guid: expect.stringMatching(/^[0-9]+$/), path: '/dev/fake1' })
      const small = makeFile(world, 'old', 400 * 1024 ** 2)
      expect((await ask('replace', { device: 'fake1', disk: small })).json.message).toContain('too small')
      hold()
      const { json } = await ask('replace', { device: '/dev/fake1', disk: '/dev/fake3' })
      expect((await pool()).scan).toMatchObject({ kind: 'resilver', status: 'running' })
      hold(34)
      expect(await world.job(json.job)).toMatchObject({ status: 'completed' })
    } finally {
      world.fakes!.change((model) => {
        delete model['zfs']
      })
    }
  })
})
