// Pools through the API: made, looked at, scrubbed, exported, imported, destroyed. On the real programs there are real
// disks below these tests, so whatever a test makes is destroyed behind it.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { until } from './client.ts'
import { createPool, tool } from './storage-tools.ts'
import { FAKES_ONLY, makeFile, REAL, startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
})
afterAll(() => world?.close())
const MINE = ['tank', 'tank2', 'third', 'other', 'available', 'import']
afterEach(async () => {
  for (const { id } of (await world.ask('GET', '/jobs?status=running')).json)
    await world.ask('POST', `/jobs/${id}/cancel`)
  for (const { name, id } of (await world.ask('GET', '/pools/available')).json.pools)
    if (MINE.includes(name)) await world.ask('POST', '/pools/import', { json: { id, new_name: `left${id}` } })
  for (const { name } of (await world.ask('GET', '/pools')).json)
    if (MINE.includes(name) || name.startsWith('left'))
      expect((await world.ask('DELETE', `/pools/${name}`)).json).toEqual({ message: 'pool deleted' })
})

const make = (vdevs: unknown, more: object = {}) =>
  world.ask('POST', '/pools', { json: { name: 'tank', vdevs, ...more } })
const made = async (vdevs: string[], more: object = {}) => {
  const { status, json } = await make(vdevs, more)
  expect([status, json]).toEqual([201, expect.anything()])
  return json
}
/** The real program, by hand. */
const zpool = (...args: string[]) => execFileSync('zpool', args, { encoding: 'utf8' })
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)
const names = async () => (await world.ask('GET', '/pools')).json.map(({ name }: { name: string }) => name)
interface Device {
  name: string
  class: string
  type: string
  children?: Device[]
}

describe('a pool', () => {
  it('is made of a mirror, shown, listed and destroyed', async () => {
    const disks = world.disks(2)
    const options = { ashift: '12', comment: 'made by a test', 'fs.compression': 'lz4', 'fs.mountpoint': '/mnt/tank' }
    const { status, json, headers } = await make(['mirror', ...disks], { options })
    expect([status, json]).toEqual([
      201,
      expect.objectContaining({
        name: 'tank',
        status: 'ONLINE',
        health: 'ONLINE',
        options: { ashift: '12', comment: 'made by a test' },
      }),
    ])
    expect(headers.location).toBe('/api/v1/pools/tank')
    const [vdev] = json.vdevs
    expect(vdev).toMatchObject({ name: 'mirror-0', type: 'mirror', class: 'data', state: 'ONLINE' })
    expect(vdev.children.map(({ name }: Device) => name)).toEqual(disks.map(nameOf))
    expect(json.allocated + json.free).toBe(json.size)
    expect(Math.abs(Date.parse(json.created_at) - Date.now())).toBeLessThan(300_000)

    const got = await world.ask('GET', '/pools/tank', { as: 'viewer' })
    expect(got.json).toMatchObject({ name: 'tank', guid: json.guid, vdevs: json.vdevs })
    expect(await names()).toEqual(['tank'])
    const dataset = (await world.ask('GET', '/datasets/tank')).json
    expect(dataset).toMatchObject({ mountpoint: '/mnt/tank', options: { compression: 'lz4', mountpoint: '/mnt/tank' } })

    expect((await world.ask('DELETE', '/pools/tank')).json).toEqual({ message: 'pool deleted' })
    expect((await world.ask('GET', '/pools/tank')).status).toBe(404)
    expect(await names()).toEqual([])
  })

  it('is made of every kind of device that ZFS has words for', async () => {
    const files = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => makeFile(world, name, 128 * 1024 ** 2))
    const [disk] = world.disks(1)
    const [a, b, c, d, e, f, g] = files as [string, string, string, string, string, string, string]
    const { vdevs } = await made(['raidz', a, b, c, 'log', 'mirror', d, e, 'cache', disk!, 'spare', f, g])
    expect(
      vdevs.map((vdev: Device) => [vdev.class, vdev.type, vdev.children?.map(({ name }) => name) ?? vdev.name]),
    ).toEqual([
      ['data', 'raidz1', [a, b, c]],
      ['log', 'mirror', [d, e]],
      ['cache', 'disk', nameOf(disk!)],
      ['spare', 'file', f],
      ['spare', 'file', g],
    ])
  })

  it('has its name once, and each device one pool', async () => {
    const [one, two] = world.disks(2)
    await made([one!])
    const again = await make([two!])
    expect([again.status, again.json.code, again.json.details]).toEqual([409, 'CONFLICT', 'tank'])
    const other = await world.ask('POST', '/pools', { json: { name: 'other', vdevs: [one] } })
    expect([other.status, other.json]).toEqual([
      409,
      { code: 'CONFLICT', message: expect.stringContaining(`${one} is in use`), details: 'other' },
    ])
    expect(JSON.stringify(other.json)).not.toContain('-f')
    expect(await names()).toEqual(['tank'])
  })

  it('is made once by many who ask at once', async () => {
    const answers = await Promise.all(world.disks(4).map((disk) => make([disk])))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
    expect(await names()).toEqual(['tank'])
  })

  it('is not made of what ZFS would need force for, and says why', async () => {
    const [one, two, three] = world.disks(3)
    const mixed = await make(['mirror', one!, two!, three!])
    expect(mixed.status).toBe(201)
    await world.ask('DELETE', '/pools/tank')
    const wrong = await make(
      ['mirror', one!, two!, makeFile(world, 'alone')]
        .slice(0, 3)
        .concat('raidz2', ...['p', 'q', 'r'].map((name) => makeFile(world, name))),
    )
    expect([wrong.status, wrong.json.code]).toEqual([400, 'BAD_REQUEST'])
    expect(wrong.json.message).toMatch(/^mismatched replication level/)
    expect(JSON.stringify(wrong.json)).not.toContain('-f')
    const small = await make([makeFile(world, 'small', 1024 ** 2)])
    expect([small.status, small.json.message]).toEqual([400, expect.stringContaining('minimum size')])
    expect(await names()).toEqual([])
  })
})

describe('a mismatch of the layout', { timeout: 120_000 }, () => {
  const allow = ['layout-mismatch']

  it('is accepted where the request names it', async () => {
    const [one, two, three, four] = world.disks(4)
    const vdevs = ['mirror', one!, two!, three!, 'mirror', four!, makeFile(world, 'a')]
    expect((await make(vdevs, { allow: [] })).json.message).toMatch(/^mismatched replication level/)
    const { vdevs: groups } = await made(vdevs, { allow })
    expect(groups.map(({ type, children }: Device) => [type, children?.length])).toEqual([
      ['mirror', 3],
      ['mirror', 2],
    ])
  })

  it('is all that is accepted: a disk in use and a small one are refused as before', async () => {
    const [one, two, three, four] = world.disks(4)
    await made([four!])
    const other = (vdevs: string[]) => world.ask('POST', '/pools', { json: { name: 'other', vdevs, allow } })
    const used = await other(['mirror', one!, two!, three!, 'mirror', four!, makeFile(world, 'b')])
    expect([used.status, used.json.message]).toEqual([409, expect.stringContaining(`${four} is in use`)])
    // The words differ between versions of ZFS, and the real one reports a small disk of a mirror as unavailable.
    const small = await other(['mirror', one!, two!, makeFile(world, 'small', 1024 ** 2)])
    expect([small.status, small.json.message]).toEqual([
      expect.toSatisfy((status) => status === 400 || status === 409),
      expect.stringMatching(/minimum size|unavailable/),
    ])
    expect(await names()).toEqual(['tank'])
    for (const wrong of [['force'], [...allow, ...allow], 'layout-mismatch'])
      expect([wrong, (await make([one!], { name: 'other', allow: wrong })).status]).toEqual([wrong, 400])
  })
})

describe('what a pool is to be made of', () => {
  const [one, two] = ['/dev/fake1', '/dev/fake2']
  const wrong: [unknown, string][] = [
    [undefined, 'vdevs'],
    ['/dev/sda', 'vdevs'],
    [[], 'vdevs'],
    [[7], 'vdevs.0'],
    [Array(600).fill('a'), 'vdevs'],
    [['-f'], 'vdevs.0'],
    [['--', one], 'vdevs.0'],
    [['sda'], 'vdevs.0'],
    [['/etc/passwd'], 'vdevs.0'],
    [['/dev/../etc/passwd'], 'vdevs.0'],
    [['/dev/./fake1'], 'vdevs.0'],
    [['/dev//fake1'], 'vdevs.0'],
    [['/dev/fake1 '], 'vdevs.0'],
    [['/dev/fake1\n'], 'vdevs.0'],
    [['/dev/fake\u0000'], 'vdevs.0'],
    [['/dev/$(id)'], 'vdevs.0'],
    [[one, one], 'vdevs.1'],
    [['mirror'], 'vdevs.0'],
    [['mirror', one], 'vdevs.0'],
    [['raidz2', one, two], 'vdevs.0'],
    [['raidz9', one, two], 'vdevs.0'],
    [['log', one], 'vdevs.0'],
    [[one, 'log'], 'vdevs.1'],
    [[one, 'log', 'cache', two], 'vdevs.2'],
    [[one, 'log', two, 'log', '/dev/fake3'], 'vdevs.3'],
    [[one, 'spare', 'mirror', two, '/dev/fake3'], 'vdevs.2'],
  ]
  test.for(wrong.map(([vdevs, field]) => [JSON.stringify(vdevs)?.slice(0, 60), vdevs, field] as const))(
    'is refused by name: %s',
    async ([, vdevs, field]) => {
      const calls = world.fakes?.calls().length
      const { status, json } = await make(vdevs)
      expect([status, json]).toMatchObject([
        400,
        { code: 'VALIDATION_ERROR', message: expect.any(String), details: field, errors: [{ field }] },
      ])
      expect(world.fakes?.calls().length).toBe(calls)
    },
  )

  it('has to be there', async () => {
    const [disk] = world.disks(1)
    const { status, json } = await make(['mirror', disk, '/dev/no-such-disk'])
    expect([status, json]).toEqual([
      400,
      {
        code: 'VALIDATION_ERROR',
        message: 'There is no such block device',
        details: 'vdevs.2',
        errors: [{ field: 'vdevs.2', message: 'There is no such block device' }],
      },
    ])
    const both = await make(['mirror', '/dev/no-1', '/dev/no-2'])
    expect(both.json.errors.map((error: { field: string }) => error.field)).toEqual(['vdevs.1', 'vdevs.2'])
    const file = await make([`${world.files}/no-such-file`])
    expect([file.status, file.json.details]).toEqual([400, 'vdevs.0'])
  })

  it('may be a file only in the folder for that', async () => {
    for (const path of [`${world.files}/../x`, `${world.files}/a/b`, `${world.files}`, `${world.files}/`, '/tmp/x'])
      expect([path, (await make([path])).status]).toEqual([path, 400])
  })

  it('is refused before the body is read to its end when there is far too much of it', async () => {
    const { status } = await make(Array(10_000).fill('/dev/fake1'))
    expect([400, 413]).toContain(status)
  })
})

describe('the options of a pool', () => {
  const wrong: [unknown, string][] = [
    [{ nonsense: '1' }, 'options.nonsense'],
    [{ cachefile: '/etc/passwd' }, 'options.cachefile'],
    [{ altroot: '/etc' }, 'options.altroot'],
    [{ 'feature@async_destroy': 'enabled' }, 'options.feature@async_destroy'],
    [{ size: '1' }, 'options.size'],
    [{ constructor: '1' }, 'options.constructor'],
    [{ ashift: '99' }, 'options.ashift'],
    [{ ashift: 12 }, 'options.ashift'],
    [{ autotrim: 'perhaps' }, 'options.autotrim'],
    [{ comment: 'a\nb' }, 'options.comment'],
    [{ 'fs.': 'x' }, 'options.fs.'],
    [{ 'fs.nonsense': 'x' }, 'options.fs.nonsense'],
    [{ 'fs.compression': 'rar' }, 'options.fs.compression'],
    [{ 'fs.mountpoint': '/etc' }, 'options.fs.mountpoint'],
    [{ 'fs.edge-admin:task': 'x' }, 'options.fs.edge-admin:task'],
    [['ashift'], 'options'],
  ]
  test.for(wrong)('are refused by name: %j', async ([options, field]) => {
    const calls = world.fakes?.calls().length
    const { status, json } = await make(world.disks(1), { options })
    expect([status, json]).toMatchObject([
      400,
      { code: 'VALIDATION_ERROR', message: expect.any(String), details: field, errors: [{ field }] },
    ])
    expect(world.fakes?.calls().length).toBe(calls)
  })
})

describe('the name of a pool', () => {
  test.for([
    '',
    '1tank',
    'tank/data',
    'tank@x',
    '-f',
    '--help',
    'mirror',
    'raidz9',
    'log',
    'spare1',
    'a b',
    'a'.repeat(300),
    'ä',
    'a\u0000',
    'import',
    'available',
  ])('is refused: %j', async (name) => {
    const { status, json } = await world.ask('POST', '/pools', { json: { name, vdevs: world.disks(1) } })
    expect([status, json.code, json.details]).toEqual([400, 'VALIDATION_ERROR', 'name'])
  })
  test.for([
    'GET /pools/nope',
    'DELETE /pools/nope',
    'POST /pools/nope/scrub',
    'GET /pools/nope/scrub',
    'POST /pools/nope/export',
  ])('is not found: %s', async (call) => {
    const [method = '', path = ''] = call.split(' ')
    const { status, json } = await world.ask(method, path)
    expect([status, json]).toEqual([404, { code: 'NOT_FOUND', message: 'pool not found', details: 'nope' }])
  })
  test.for(['-f', 'tank%2Fdata', 'tank%252Fdata', '%00', 'a%2Cb', 'tank@x', 'a'.repeat(300)])(
    'in a path is refused: %s',
    async (name) => {
      const calls = world.fakes?.calls().length
      expect([400, 404]).toContain((await world.ask('GET', `/pools/${name}`)).status)
      expect((await world.ask('DELETE', `/pools/${name}`)).status).toBeGreaterThanOrEqual(400)
      expect(world.fakes?.calls().length).toBe(calls)
    },
  )
})

describe('the destruction of a pool', () => {
  it('is planned before, and done with the token of that plan', async () => {
    await made(world.disks(1))
    for (const name of ['tank/data', 'tank/data/deep']) await world.ask('POST', '/datasets', { json: { name } })
    await world.ask('POST', '/snapshots', { json: { dataset: 'tank/data', name: 'one' } })
    const { json: plan } = await world.ask('DELETE', '/pools/tank?dry_run=true')
    expect(plan).toEqual({
      object: 'tank',
      destroys: expect.arrayContaining(['tank', 'tank/data', 'tank/data/deep', 'tank/data@one']),
      depends: [],
      confirm: expect.any(String),
    })
    expect(await names()).toEqual(['tank'])
    await world.ask('POST', '/datasets', { json: { name: 'tank/more' } })
    const stale = await world.ask('DELETE', `/pools/tank?confirm=${plan.confirm}`)
    expect([stale.status, stale.json.details]).toEqual([409, 'tank'])
    const fresh = (await world.ask('DELETE', '/pools/tank?dry_run=true')).json
    expect((await world.ask('DELETE', `/pools/tank?confirm=${fresh.confirm}`)).status).toBe(200)
    expect(await names()).toEqual([])
  })
})

describe('a scrub', () => {
  const scrub = async () => (await world.ask('GET', '/pools/tank/scrub', { as: 'viewer' })).json
  /** How far a look at it lets the fakes go on, in percent. */
  const pace = (percent: number) =>
    world.fakes?.change((model) => {
      model.scrubStep = percent
    })
  /** Holds every scrub where it is, so that a test can look at it; the kernel has a switch for that. */
  const hold = (held: boolean) => {
    if (REAL) writeFileSync('/sys/module/zfs/parameters/zfs_scan_suspend_progress', held ? '1' : '0')
    else pace(held ? 0 : 50)
  }
  /** How far `zpool status` says that it is. */
  const told = (percent: number) => {
    if (REAL) return Math.floor(Number(/([0-9.]+)% done/.exec(zpool('status', '-p', 'tank'))?.[1]))
    world.fakes?.change((model) => {
      model.pools['tank']!['scan'] = { ...(model.pools['tank']!['scan'] as object), percent }
    })
    return percent
  }
  afterEach(() => hold(false))

  it('is started, followed by a job to its end, and remembered', async () => {
    await made(world.disks(2))
    expect(await scrub()).toEqual({ status: 'none', progress: 0 })
    pace(50)
    const { status, json } = await world.ask('POST', '/pools/tank/scrub')
    expect([status, json]).toEqual([200, { message: 'scrub started', job: expect.any(String) }])
    const job = await world.job(json.job)
    expect(job).toMatchObject({
      type: 'pool.scrub',
      status: 'completed',
      progress: 100,
      message: expect.stringMatching(/^scrub repaired 0B in [0-9:]{8} with 0 errors$/),
    })
    const { last, ...rest } = await scrub()
    expect(rest).toMatchObject({ status: 'finished', progress: 100, errors: 0, repaired: 0 })
    expect(Math.abs(Date.parse(last) - Date.now())).toBeLessThan(300_000)
    expect((await world.ask('GET', '/pools/tank')).json.scan).toMatchObject({ kind: 'scrub', status: 'finished' })
  })

  it.skipIf(REAL)(`is not known, instead of never, once a resilver has taken its place ${FAKES_ONLY}`, async () => {
    await made(world.disks(2))
    const end = { state: 'finished', start: 1_700_000_000, end: 1_700_000_900, percent: 100, repaired: 1024 }
    for (const kind of ['scrub', 'resilver']) {
      world.fakes!.change((model) => {
        model.pools['tank']!['scan'] = { kind, ...end }
      })
      const { status } = await scrub()
      expect(status).toBe(kind === 'scrub' ? 'finished' : 'unknown')
    }
    const { scan } = (await world.ask('GET', '/pools/tank')).json
    expect(scan).toMatchObject({ kind: 'resilver', status: 'finished', last: '2023-11-14T22:28:20.000Z' })
  })

  it('shows its percentage, is there only once, and stops when its job is cancelled', async () => {
    await made(world.disks(2))
    hold(true)
    const { json } = await world.ask('POST', '/pools/tank/scrub')
    await until('it runs', async () => (await scrub()).status === 'running')
    const progress = told(42)
    expect(progress).toBeLessThan(100)
    await until(
      'the job shows it',
      async () => (await world.ask('GET', `/jobs/${json.job}`)).json.progress === progress,
    )
    expect(await scrub()).toMatchObject({ status: 'running', progress, job: json.job })
    const again = await world.ask('POST', '/pools/tank/scrub')
    expect([again.status, again.json.code, again.json.details]).toEqual([409, 'CONFLICT', 'tank'])
    expect((await world.ask('DELETE', '/pools/tank')).status).toBe(409)
    expect((await world.ask('POST', `/jobs/${json.job}/cancel`)).json).toMatchObject({ status: 'cancelled' })
    expect(await scrub()).toMatchObject({ status: 'cancelled' })
    if (REAL) expect(zpool('status', 'tank')).toContain('scrub canceled')
  })

  it('that somebody else started is refused in ZFS’s own words', async () => {
    await made(world.disks(2))
    hold(true)
    if (REAL) zpool('scrub', 'tank')
    world.fakes?.change((model) => {
      model.pools['tank']!['scan'] = { kind: 'scrub', state: 'scanning', start: 1_700_000_000, percent: 5 }
    })
    const { status, json } = await world.ask('POST', '/pools/tank/scrub')
    expect([status, json]).toEqual([
      409,
      { code: 'CONFLICT', message: expect.stringContaining('currently scrubbing'), details: 'tank' },
    ])
    if (REAL) zpool('scrub', '-s', 'tank')
    world.fakes?.change((model) => {
      delete model.pools['tank']!['scan']
    })
  })
})

describe('export and import', () => {
  const available = async () => (await world.ask('GET', '/pools/available', { as: 'viewer' })).json

  it('take a pool away and bring it back, by its name, by its id and under another name', async () => {
    const disks = world.disks(2)
    const { guid } = await made(['mirror', ...disks])
    await world.ask('POST', '/datasets', { json: { name: 'tank/data' } })
    // udev looks at it as often as the pool comes.
    await world.ask('POST', '/zvols', { json: { name: 'tank/volume', size: '16M' } })
    expect((await world.ask('POST', '/pools/tank/export')).json).toEqual({ message: 'pool exported' })
    expect(await names()).toEqual([])
    expect((await available()).pools).toEqual([expect.objectContaining({ name: 'tank', id: guid, state: 'ONLINE' })])

    const back = await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    expect([back.status, back.json]).toEqual([200, expect.objectContaining({ name: 'tank', guid })])
    expect((await world.ask('GET', '/datasets/tank/data')).status).toBe(200)
    await world.ask('POST', '/pools/tank/export')

    const renamed = await world.ask('POST', '/pools/import', { json: { id: guid, new_name: 'tank2' } })
    expect([renamed.status, renamed.json.name]).toEqual([200, 'tank2'])
    expect((await available()).pools).toEqual([])
  })

  it('find pools of files in the folder for those', async () => {
    await made([makeFile(world, 'vdev')])
    await world.ask('POST', '/pools/tank/export')
    const back = await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    expect([back.status, back.json.name]).toEqual([200, 'tank'])
  })

  it('refuse what is not there, and a name that is taken', async () => {
    const missing = await world.ask('POST', '/pools/import', { json: { name: 'nope' } })
    expect([missing.status, missing.json.details]).toEqual([404, 'nope'])
    expect((await world.ask('POST', '/pools/import', { json: {} })).status).toBe(400)
    const [one, two] = world.disks(2)
    await made([one!])
    await world.ask('POST', '/pools/tank/export')
    await made([two!])
    const taken = await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    expect([taken.status, taken.json.details]).toEqual([409, 'tank'])
    // Its device is somebody's: without force it stays so.
    const over = await world.ask('POST', '/pools', { json: { name: 'other', vdevs: [one] } })
    expect([over.status, over.json.message]).toEqual([409, expect.stringContaining("is part of exported pool 'tank'")])
    expect((await world.ask('POST', '/pools/import', { json: { name: 'tank', new_name: 'third' } })).status).toBe(200)
  })

  test.for(['available', 'import'])('refuse the own name of a pool that could not be asked for: %s', async (name) => {
    createPool(world, '-O', 'mountpoint=none', name)
    const guid = tool(world, 'zpool', 'get', '-H', '-o', 'value', 'guid', name).trim()
    tool(world, 'zpool', 'export', name)
    for (const json of [{ name }, { id: guid }, { id: guid, force: true }]) {
      const refused = await world.ask('POST', '/pools/import', { json })
      expect([refused.status, refused.json]).toEqual([
        400,
        {
          code: 'VALIDATION_ERROR',
          message: 'The name of this pool is reserved: give a new name',
          details: 'new_name',
          errors: [{ field: 'new_name', message: 'The name of this pool is reserved: give a new name' }],
        },
      ])
    }
    expect(await names()).not.toContain(name)
    const renamed = await world.ask('POST', '/pools/import', { json: { name, new_name: 'other' } })
    expect([renamed.status, renamed.json.name]).toEqual([200, 'other'])
  })

  it('leave the disks that nobody uses to be found', async () => {
    const [one, two] = world.disks(2)
    await made([one!])
    const paths = (await available()).disks.map(({ path }: { path: string }) => path)
    if (!REAL) expect(paths).toContain(two)
    expect(paths).not.toContain(one)
  })
})

describe('the plan of a pool', () => {
  it('is of that pool alone: its token does not destroy one that is made again under the name', async () => {
    const plan = async () => (await world.ask('DELETE', '/pools/tank?dry_run=true')).json
    // A real root dataset is always made in the same transaction, one of the fakes never is.
    const again = async () => {
      const pool = await made(world.disks(1))
      world.fakes?.change((model) => {
        model.datasets['tank']!['createtxg'] = 1
      })
      return pool
    }
    await again()
    const first = await plan()
    expect((await plan()).confirm).toBe(first.confirm)
    tool(world, 'zpool', 'destroy', '-f', 'tank')
    const { guid } = await again()
    const second = await plan()
    expect(second).toEqual({ ...first, confirm: expect.not.stringContaining(first.confirm) })
    expect((await world.ask('DELETE', `/pools/tank?confirm=${first.confirm}`)).status).toBe(409)
    expect((await world.ask('GET', '/pools/tank')).json.guid).toBe(guid)
    expect((await world.ask('DELETE', `/pools/tank?confirm=${second.confirm}`)).status).toBe(200)
  })
})

describe('the plan of a dataset and of a rollback', () => {
  it('are of that pool alone: their tokens do nothing in one that is made again under the name', async () => {
    const paths = [
      ['DELETE', '/datasets/tank/data?recursive=true'],
      ['POST', '/snapshots/tank/data@one/rollback?recursive=true'],
    ] as const
    // The same commands at the same time come to the same transactions.
    const again = async () => {
      await made(world.disks(1))
      await world.ask('POST', '/datasets', { json: { name: 'tank/data' } })
      for (const name of ['one', 'two']) await world.ask('POST', '/snapshots', { json: { dataset: 'tank/data', name } })
      world.fakes?.change((model) => {
        for (const [at, name] of ['tank', 'tank/data', 'tank/data@one', 'tank/data@two'].entries())
          model.datasets[name]!['createtxg'] = at + 1
      })
      const plans = []
      for (const [method, path] of paths) plans.push((await world.ask(method, `${path}&dry_run=true`)).json)
      return plans
    }
    const first = await again()
    tool(world, 'zpool', 'destroy', '-f', 'tank')
    const second = await again()
    for (const [i, [method, path]] of paths.entries()) {
      expect([path, first[i].destroys]).toEqual([path, second[i].destroys])
      expect((await world.ask(method, `${path}&confirm=${first[i].confirm}`)).status).toBe(409)
    }
    expect((await world.ask('DELETE', `${paths[0][1]}&confirm=${second[0].confirm}`)).status).toBe(200)
  })
})

describe('the version of a pool', () => {
  it('guards it from being destroyed as another than the caller saw', async () => {
    await made(world.disks(1))
    const { etag } = (await world.ask('GET', '/pools/tank')).headers
    expect(etag).toMatch(/^"/)
    expect((await world.ask('DELETE', '/pools/tank', { headers: { 'if-match': '"other"' } })).status).toBe(412)
    expect((await world.ask('GET', '/pools/tank', { headers: { 'if-none-match': etag! } })).status).toBe(304)
    await world.ask('DELETE', '/pools/tank')
    await made(world.disks(1))
    expect((await world.ask('DELETE', '/pools/tank', { headers: { 'if-match': etag! } })).status).toBe(412)
    const now = (await world.ask('GET', '/pools/tank')).headers.etag
    expect((await world.ask('DELETE', '/pools/tank', { headers: { 'if-match': now! } })).status).toBe(200)
  })
})
