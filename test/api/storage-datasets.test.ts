// Datasets through the API: made, listed, changed, destroyed, and every refusal with its reason. A refusal has to have
// changed nothing, so what zfs itself knows is compared before and after.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from './client.ts'
import { clearPool, everything, makePool, occupy, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
})
afterAll(() => world?.close())
beforeEach(() => {
  clearPool(world)
})

const MB = 1024 ** 2
const post = (json: unknown) => world.ask('POST', '/datasets', { json })
const put = (name: string, options: unknown) => world.ask('PUT', `/datasets/${name}`, { json: { options } })
const zfs = (...args: string[]) => tool(world, 'zfs', ...args)
const own = (name: string, property: string) => zfs('get', '-Hp', '-o', 'value', property, name).trim()

/** The refusal, which changed nothing. */
async function refused(work: () => Promise<{ status: number; json: unknown }>) {
  const before = everything(world)
  const { status, json } = await work()
  expect(everything(world)).toBe(before)
  return [status, json]
}

describe('a dataset', () => {
  it('is made as the contract has it, and shown under both spellings of its name', async () => {
    const { status, json, headers } = await post({ name: 'tank/data', options: { compression: 'lz4', quota: '100M' } })
    expect([status, json]).toEqual([
      201,
      {
        name: 'tank/data',
        pool: 'tank',
        type: 'filesystem',
        size: expect.any(Number),
        used: expect.any(Number),
        available: expect.any(Number),
        mountpoint: '/mnt/tank/data',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
        referenced: expect.any(Number),
        options: { compression: 'lz4', quota: String(100 * MB) },
      },
    ])
    expect(json.size).toBe(json.used + json.available)
    expect(json.size).toBeLessThanOrEqual(100 * MB)
    expect(headers.location).toBe('/api/v1/datasets/tank/data')
    for (const name of ['tank/data', 'tank%2Fdata', 'tank%2fdata']) {
      const found = await world.ask('GET', `/datasets/${name}`, { as: 'viewer' })
      expect([name, found.status, found.json.name]).toEqual([name, 200, 'tank/data'])
    }
  })

  it('whose place holds tabs and line ends is listed with it, and so are the others', async () => {
    await post({ name: 'tank/plain' })
    const place = '/mnt/odd\tplace\ntank/none\ttype\t-\tfilesystem'
    zfs('create', '-o', 'canmount=off', '-o', `mountpoint=${place}`, 'tank/odd')
    const { status, json } = await world.ask('GET', '/datasets')
    const found = json.map(({ name, mountpoint }: { name: string; mountpoint: string }) => [name, mountpoint])
    expect([status, found]).toEqual([
      200,
      [
        ['tank', '/mnt/tank'],
        ['tank/odd', place],
        ['tank/plain', '/mnt/tank/plain'],
      ],
    ])
  })

  it('is another thing when it is made again under its name: no tag and no plan of the old one destroys the new one', async () => {
    const remake = async (make: () => Promise<{ status: number }>, path: string) => {
      expect((await make()).status).toBe(201)
      const seen = [await world.ask('GET', path), await world.ask('DELETE', `${path}?dry_run=true`)]
      return { tag: seen[0]?.headers['etag'] ?? '', token: seen[1]?.json.confirm as string }
    }
    const dataset = () => post({ name: 'tank/again', options: { compression: 'lz4' } })
    const snapshot = () => world.ask('POST', '/snapshots', { json: { dataset: 'tank/again', name: 'one' } })
    const refuses = async (path: string, { tag, token }: { tag: string; token: string }) => {
      expect((await world.ask('DELETE', path, { headers: { 'if-match': tag } })).status).toBe(412)
      expect((await world.ask('DELETE', `${path}?confirm=${token}`)).status).toBe(409)
    }
    const old = await remake(dataset, '/datasets/tank/again')
    zfs('destroy', 'tank/again')
    const now = await remake(dataset, '/datasets/tank/again')
    await refuses('/datasets/tank/again', old)
    const before = await remake(snapshot, '/snapshots/tank/again@one')
    zfs('destroy', 'tank/again@one')
    await remake(snapshot, '/snapshots/tank/again@one')
    await refuses('/snapshots/tank/again@one', before)
    zfs('destroy', 'tank/again@one')
    const same = await world.ask('DELETE', `/datasets/tank/again?confirm=${now.token}`, {
      headers: { 'if-match': now.tag },
    })
    expect(same.status).toBe(200)
  })

  it('is in the list, with volumes, filtered by pool and type', async () => {
    await post({ name: 'tank/a' })
    await post({ name: 'tank/a/b' })
    await world.ask('POST', '/zvols', { json: { name: 'tank/v', size: '16M' } })
    const names = async (query: string) => {
      const { status, json } = await world.ask('GET', `/datasets${query}`, { as: 'viewer' })
      if (status !== 200) return json
      // The machine of the real programs may have other pools.
      const ours = json.filter(({ pool }: { pool: string }) => pool === 'tank')
      return ours.map(({ name, type }: { name: string; type: string }) => `${name} ${type}`)
    }
    const all = ['tank filesystem', 'tank/a filesystem', 'tank/a/b filesystem', 'tank/v volume']
    expect(await names('')).toEqual(all)
    expect(await names('?pool=tank')).toEqual(all)
    expect(await names('?type=volume')).toEqual(['tank/v volume'])
    expect(await names('?pool=nopool')).toEqual({ code: 'NOT_FOUND', message: 'pool not found', details: 'nopool' })
    for (const query of ['?pool=-x', '?pool=tank/a', '?type=snapshot', '?pools=tank'])
      expect((await names(query)).code, query).toMatch(/^(?:VALIDATION_ERROR|BAD_REQUEST)$/)
  })

  it('takes one call of zfs to list, however many there are', async () => {
    for (const name of ['tank/a', 'tank/b', 'tank/c']) zfs('create', name)
    if (!world.fakes) return
    const before = world.fakes.calls().length
    await world.ask('GET', '/datasets')
    expect(world.fakes.calls().slice(before)).toHaveLength(1)
  })

  it('keeps what a change leaves out, and goes back to what it inherits', async () => {
    await post({ name: 'tank/data', options: { compression: 'lz4' } })
    const options = { quota: '50M', atime: 'off', 'acme:owner': 'Ann Ü' }
    expect((await put('tank%2Fdata', options)).json.options).toEqual({
      compression: 'lz4',
      quota: String(50 * MB),
      atime: 'off',
      'acme:owner': 'Ann Ü',
    })
    expect((await put('tank/data', { quota: 'none', atime: 'inherit', 'acme:owner': 'inherit' })).json.options).toEqual(
      { compression: 'lz4', quota: '0' },
    )
    expect(own('tank/data', 'atime')).toBe(own('tank', 'atime'))
    // The pool's own dataset can be changed, too.
    expect((await put('tank', { atime: 'off' })).status).toBe(200)
    await put('tank', { atime: 'inherit' })
  })

  it('is destroyed, and then not found', async () => {
    await post({ name: 'tank/data' })
    const { status, json } = await world.ask('DELETE', '/datasets/tank/data')
    expect([status, json]).toEqual([200, { message: 'dataset deleted' }])
    for (const method of ['GET', 'DELETE'])
      expect((await world.ask(method, '/datasets/tank%2Fdata')).json).toEqual({
        code: 'NOT_FOUND',
        message: 'dataset not found',
        details: 'tank/data',
      })
    expect((await put('tank/data', { atime: 'off' })).status).toBe(404)
  })
})

describe('a dataset is refused', () => {
  it('when there is one of that name', async () => {
    await post({ name: 'tank/data' })
    expect(await refused(() => post({ name: 'tank/data' }))).toEqual([
      409,
      { code: 'CONFLICT', message: "cannot create 'tank/data': dataset already exists", details: 'tank/data' },
    ])
  })

  it('when its parent or its pool is missing', async () => {
    for (const name of ['tank/no/child', 'nopool/data']) {
      const [status, json] = await refused(() => post({ name }))
      expect([status, json]).toMatchObject([404, { code: 'NOT_FOUND', details: name }])
    }
  })

  it('when there is no room for what it reserves', async () => {
    const [status, json] = await refused(() => post({ name: 'tank/big', options: { reservation: '100T' } }))
    expect([status, json]).toMatchObject([409, { code: 'CONFLICT', details: 'tank/big' }])
    expect((json as { message: string }).message).toMatch(/out of space/)
  })

  it('with an option that is none, is not for it, or is not to be had that way', async () => {
    const before = everything(world)
    for (const [key, value] of [
      ['nonsense', '1'],
      ['sharenfs', 'on'],
      ['sharesmb', 'on'],
      ['keylocation', 'file:///etc/shadow'],
      ['encryption', 'on'],
      ['used', '1'],
      ['volblocksize', '4K'],
      ['constructor', 'x'],
      ['toString', 'x'],
      ['Upper:case', 'x'],
      ['edge-admin:policy', 'x'],
      ['-o', 'x'],
      ['compression', 'fast'],
      ['compression', '-o'],
      ['compression', 'lz4\n'],
      ['quota', '10Q'],
      ['quota', '-1'],
      ['quota', '1e30'],
      ['atime', 'maybe'],
      ['recordsize', '64'],
      ['mountpoint', '/etc'],
      ['mountpoint', '/mnt'],
      ['mountpoint', '/mnt/../etc/x'],
      ['mountpoint', '/home/x'],
      ['mountpoint', 'relative'],
      ['mountpoint', 'legacy'],
      ['acme:x', 'a\tb'],
      ['acme:x', 'x'.repeat(1025)],
    ] as const) {
      const { status, json } = await post({ name: 'tank/data', options: { [key]: value } })
      expect([key, value, status, json]).toMatchObject([
        key,
        value,
        400,
        { code: 'VALIDATION_ERROR', details: `options.${key}` },
      ])
    }
    expect(everything(world)).toBe(before)
  })

  it('with a value that only ZFS knows to be wrong, in its words', async () => {
    expect(await refused(() => post({ name: 'tank/data', options: { recordsize: '3000' } }))).toEqual([
      400,
      {
        code: 'VALIDATION_ERROR',
        message: "cannot create 'tank/data': 'recordsize' must be power of 2 from 512B to 16M",
        details: 'options.recordsize',
        errors: [expect.objectContaining({ field: 'options.recordsize' })],
      },
    ])
  })

  it('with a name that is none, and no program is started', async () => {
    for (const name of [
      'tank',
      '',
      '-x',
      'tank/-x',
      'tank/a b',
      'tank//a',
      'tank/a/',
      '/tank/a',
      'tank/../a',
      'tank/a@b',
      'tank/a\0b',
      `tank/${'x'.repeat(300)}`,
      'tank%2Fa',
      'mirror/a',
      'tank/ä',
    ]) {
      const before = world.fakes?.calls().length
      const [status, json] = [await post({ name })].flatMap((answer) => [answer.status, answer.json])
      expect([name, status, json]).toMatchObject([name, 400, { code: 'VALIDATION_ERROR', details: 'name' }])
      expect(world.fakes?.calls().length).toBe(before)
    }
    for (const json of [{}, { name: 1 }, { name: 'tank/a', extra: 1 }, { name: 'tank/a', options: { quota: 1 } }, []])
      expect((await post(json)).status).toBe(400)
  })
})

describe('a change is refused', () => {
  it('when a later part of it fails, and the first part is taken back', async () => {
    await post({ name: 'tank/data', options: { quota: '40M' } })
    expect(await refused(() => put('tank/data', { atime: 'off', quota: '50M', reservation: '100T' }))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: "cannot set property for 'tank/data': size is greater than available space",
        details: 'tank/data',
      },
    ])
  })

  it('when a quota is less than what is used', async () => {
    await post({ name: 'tank/data' })
    expect(await refused(() => put('tank/data', { quota: '1K' }))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: "cannot set property for 'tank/data': size is less than current used or reserved space",
        details: 'tank/data',
      },
    ])
  })

  it('when its mount point would hide another filesystem', async () => {
    for (const name of ['tank/data', 'tank/data/deep', 'tank/other']) await post({ name })
    const hide = async (mountpoint: string) => {
      const [made, moved] = [
        await refused(() => post({ name: 'tank/new', options: { mountpoint } })),
        await refused(() => put('tank/other', { mountpoint })),
      ]
      expect(made).toEqual(moved)
      return made
    }
    expect(await hide('/mnt/tank/data')).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: 'tank/data, at /mnt/tank/data, would be out of sight below /mnt/tank/data',
        details: 'tank/data',
      },
    ])
    expect(await hide('/mnt/tank')).toMatchObject([409, { details: expect.stringMatching(/^tank/) }])
    // What goes with it may lie below it, and what it has already hides nothing.
    expect((await put('tank/data', { mountpoint: '/mnt/tank/moved' })).status).toBe(200)
    expect((await put('tank/data', { mountpoint: '/mnt/tank/moved' })).status).toBe(200)
    expect((await put('tank/data', { mountpoint: 'inherit' })).status).toBe(200)
  })

  it('when what was chosen at the making is to change, or a quota is to be inherited', async () => {
    await post({ name: 'tank/data' })
    expect(await refused(() => put('tank/data', { casesensitivity: 'mixed' }))).toMatchObject([
      400,
      { code: 'VALIDATION_ERROR', details: 'options.casesensitivity' },
    ])
    const [status, json] = await refused(() => put('tank/data', { atime: 'off', quota: 'inherit' }))
    expect([status, json]).toMatchObject([400, { message: "'quota' property cannot be inherited" }])
  })
})

describe('a destruction', () => {
  const remove = (name: string, query = '') => world.ask('DELETE', `/datasets/${name}${query}`)

  it('shows its plan first, and does nothing', async () => {
    await post({ name: 'tank/data' })
    await post({ name: 'tank/data/child' })
    zfs('snapshot', '-r', 'tank/data@one')
    const before = everything(world)
    const { status, json } = await remove('tank/data', '?dry_run=true')
    expect([status, json]).toEqual([
      200,
      {
        object: 'tank/data',
        destroys: ['tank/data', 'tank/data@one', 'tank/data/child', 'tank/data/child@one'],
        depends: [],
        confirm: expect.stringMatching(/^[\w-]{22}$/),
      },
    ])
    expect(everything(world)).toBe(before)
  })

  it('takes what is below it only when that was agreed to', async () => {
    await post({ name: 'tank/data' })
    await post({ name: 'tank/data/child' })
    zfs('snapshot', 'tank/data@one')
    expect(await refused(() => remove('tank/data'))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: 'This would destroy tank/data@one, tank/data/child as well: ask with ?recursive=true to agree',
        details: 'tank/data',
      },
    ])
    const { status } = await remove('tank/data', '?recursive=true')
    expect([status, zfs('list', '-H', '-r', '-o', 'name', 'tank')]).toEqual([200, 'tank\n'])
  })

  it('holds with the token of its plan, and not with that of an older one', async () => {
    await post({ name: 'tank/data' })
    const { confirm } = (await remove('tank/data', '?dry_run=true')).json
    zfs('snapshot', 'tank/data@since')
    expect(await refused(() => remove('tank/data', `?recursive=true&confirm=${confirm}`))).toMatchObject([
      409,
      { message: 'The plan has changed since: ask with ?dry_run=true first' },
    ])
    const now = (await remove('tank/data', '?dry_run=true')).json.confirm
    expect((await remove('tank/data', `?recursive=true&confirm=${now}`)).status).toBe(200)
  })

  it('is refused for clones and holds, and names them', async () => {
    await post({ name: 'tank/data' })
    zfs('snapshot', 'tank/data@held')
    zfs('hold', 'backup', 'tank/data@held')
    zfs('snapshot', 'tank/data@cloned')
    zfs('clone', 'tank/data@cloned', 'tank/copy')
    const depends = [
      { object: 'tank/copy', reason: 'is a clone of tank/data@cloned' },
      { object: 'tank/data@held', reason: 'is held: backup' },
    ]
    expect((await remove('tank/data', '?dry_run=true')).json.depends).toEqual(depends)
    expect(await refused(() => remove('tank/data', '?recursive=true'))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: 'tank/copy is a clone of tank/data@cloned, tank/data@held is held: backup',
        details: 'tank/data',
      },
    ])
    // A clone below it goes with it.
    zfs('release', 'backup', 'tank/data@held')
    zfs('destroy', 'tank/copy')
    zfs('clone', 'tank/data@cloned', 'tank/data/copy')
    expect((await remove('tank/data', '?recursive=true')).status).toBe(200)
  })

  it('is not for pools', async () => {
    expect(await refused(() => remove('tank', '?recursive=true'))).toMatchObject([400, { details: 'name' }])
  })

  it('is a job, which a client may follow', async () => {
    await post({ name: 'tank/data' })
    const { status, json, headers } = await world.ask('DELETE', '/datasets/tank/data', {
      headers: { prefer: 'respond-async' },
    })
    expect([status, json.type, headers.location]).toEqual([202, 'dataset.destroy', `/api/v1/jobs/${json.id}`])
    expect(await world.job(json.id)).toMatchObject({ status: 'completed', message: 'tank/data is destroyed' })
  })
})

describe('a filesystem in use', () => {
  it('keeps everything, its snapshots and its neighbors mounted', async () => {
    // The last is unmounted first, and has to be mounted again.
    for (const name of ['tank/data', 'tank/data/busy', 'tank/data/z']) await post({ name })
    zfs('snapshot', '-r', 'tank/data@one')
    const leave = await occupy(world, 'tank/data/busy')
    const mounts = () => zfs('list', '-H', '-r', '-o', 'name,mounted', 'tank')
    const before = mounts()
    expect(await refused(() => world.ask('DELETE', '/datasets/tank/data?recursive=true'))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: "cannot unmount '/mnt/tank/data/busy': pool or dataset is busy",
        details: 'tank/data',
      },
    ])
    expect(mounts()).toBe(before)
    await leave()
    expect((await world.ask('DELETE', '/datasets/tank/data?recursive=true')).status).toBe(200)
  })
})

describe.skipIf(REAL)(`a dataset that a job works on ${FAKES_ONLY}`, () => {
  it('is found busy by a second request while the first one works', async () => {
    await post({ name: 'tank/data' })
    world.fakes?.faults({ program: 'zfs', match: '^unmount', hang: true })
    const first = await world.ask('DELETE', '/datasets/tank/data', { headers: { prefer: 'respond-async' } })
    const second = await world.ask('DELETE', '/datasets/tank/data')
    expect([second.status, second.json.details]).toEqual([409, 'tank/data'])
    const cancelled = await until('the job can be cancelled', async () => {
      const { status, json } = await world.ask('POST', `/jobs/${first.json.id}/cancel`)
      return status === 200 && json
    })
    expect(cancelled.status).toBe('cancelled')
    expect((await world.ask('GET', '/datasets/tank/data')).status).toBe(200)
    const entered = async () =>
      (await world.ask('GET', '/audit?resource=datasets/tank/data', { as: 'administrator' })).json
        .map(({ action, result, message }: Record<string, string>) => [action, result, message])
        .reverse()
    const wanted = [
      ['datasets.create', 'success', undefined],
      ['datasets.delete.accepted', 'success', undefined],
      ['datasets.delete', 'failure', expect.stringMatching(/^409 /)],
      ['datasets.delete', 'failure', 'cancelled: Cancelled'],
    ]
    await until('the end is entered', async () => String((await entered()).at(-1)?.[2]).startsWith('cancelled'))
    expect((await entered()).slice(-wanted.length)).toEqual(wanted)
  })
})

describe.skipIf(REAL)(`zfs that fails ${FAKES_ONLY}`, () => {
  const requests = {
    list: ['GET', '/datasets', undefined, '^get'],
    show: ['GET', '/datasets/tank/there', undefined, '^get'],
    make: ['POST', '/datasets', { name: 'tank/new' }, '^create'],
    change: ['PUT', '/datasets/tank/there', { options: { atime: 'off' } }, '^set'],
    plan: ['DELETE', '/datasets/tank/there', undefined, '^list -Hp'],
    destroy: ['DELETE', '/datasets/tank/there', undefined, '^destroy'],
  } as const
  const words = /^zfs (?:ended unexpectedly|gave no answer that can be read|did not answer in time)$/

  for (const [name, [method, path, json, match]] of Object.entries(requests)) {
    it(`says so and changes nothing: ${name}`, async () => {
      zfs('create', 'tank/there')
      for (const fault of [
        { kill: 'self' },
        { stdout: 'garbage\u0000\n', status: 0 },
        { stderr: 'internal error: Bad exchange descriptor', status: 134 },
      ] as const) {
        // A change says nothing when it went well: garbage on its output is no failure.
        if ('stdout' in fault && !['list', 'show', 'plan'].includes(name)) continue
        const before = everything(world)
        world.fakes?.faults({ program: 'zfs', match, ...fault })
        const answer = await world.ask(method, path, json ? { json } : {})
        world.fakes?.faults()
        expect([name, fault, answer.status]).toEqual([name, fault, 502])
        expect(answer.json.code).toBe('COMMAND_FAILED')
        expect(answer.json.message).toMatch('stderr' in fault ? /^internal error: Bad exchange descriptor$/ : words)
        expect(everything(world)).toBe(before)
      }
    })
  }

  it('or hangs: it is ended in time, and the caller hears of it', async () => {
    const { createTool } = await import('../../src/drivers/programs.ts')
    const { createZfs } = await import('../../src/drivers/zfs.ts')
    const { createDataset, listDatasets } = await import('../../src/features/datasets/datasets.ts')
    const tool = createTool(world.fakes?.programs)
    // The driver's own limits are half a minute and more.
    const limits: (number | undefined)[] = []
    const driver = createZfs((name, args, options) => {
      limits.push(options?.timeout)
      return tool(name, args, { ...options, timeout: 300 })
    })
    world.fakes?.faults({ program: 'zfs', hang: true })
    const told = { kind: 'unavailable', message: 'zfs did not answer in time' }
    await expect(createDataset(driver, 'tank/new')).rejects.toMatchObject(told)
    await expect(listDatasets(driver, {})).rejects.toMatchObject(told)
    expect(limits.every((limit) => limit !== undefined && limit >= 30_000)).toBe(true)
  })

  it('or destroys a part and then fails: the part is named as gone', async () => {
    for (const name of ['tank/data', 'tank/data/child']) zfs('create', name)
    zfs('create', '-V', '16M', 'tank/data/volume')
    world.fakes?.change((model) => {
      model.datasets['tank/data/volume']!['busy'] = true
    })
    const { status, json } = await world.ask('DELETE', '/datasets/tank/data?recursive=true')
    expect([status, json.message]).toEqual([
      409,
      "tank/data may be destroyed in part: cannot destroy 'tank/data/volume': dataset is busy",
    ])
    expect(zfs('list', '-H', '-o', 'name,mounted', '-r', 'tank/data')).toBe('tank/data\tyes\ntank/data/volume\t-\n')
    world.fakes?.change((model) => {
      model.datasets['tank/data/volume']!['busy'] = false
    })
  })

  it('or is not installed: 503', async () => {
    const { rename } = await import('node:fs/promises')
    const program = `${world.fakes?.programs}/zfs`
    await rename(program, `${program}.away`)
    try {
      for (const [method, path, json] of [
        ['GET', '/datasets'],
        ['GET', '/datasets/tank/x'],
        ['POST', '/datasets', { name: 'tank/x' }],
        ['DELETE', '/datasets/tank/x'],
      ] as const) {
        const answer = await world.ask(method, path, json ? { json } : {})
        expect([method, path, answer.status, answer.json.code]).toEqual([method, path, 503, 'SERVICE_UNAVAILABLE'])
      }
    } finally {
      await rename(`${program}.away`, program)
    }
  })
})

describe.skipIf(REAL)(`SEC-02 ten thousand strings ${FAKES_ONLY}`, () => {
  it('start no program, or reach its arguments as they are', async () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '-oProxyCommand=x',
        ';id',
        '$(id)',
        '`id`',
        'a\nb',
        'a\0b',
        '-r',
        '--',
        'tank@a,b',
        'tank@%',
        '..',
      ),
    )
    const { checkOptions } = await import('../../src/features/zfs/options.ts')
    const { createZfs } = await import('../../src/drivers/zfs.ts')
    const seen: string[][] = []
    const driver = createZfs(async (_name, args) => {
      seen.push(args)
      return { stdout: '', stderr: '', status: 0 }
    })
    const keys = fc.oneof(hostile, fc.constantFrom('quota', 'compression', 'mountpoint', 'acme:x', 'edge-admin:x'))
    await fc.assert(
      fc.asyncProperty(keys, hostile, fc.constantFrom('create', 'update'), async (key, value, when) => {
        seen.length = 0
        try {
          checkOptions({ [key]: value }, 'filesystem', 'tank/a', when as 'create')
        } catch {
          return
        }
        await driver.set('tank/a', { [key]: value })
        expect(seen).toEqual([['set', `${key}=${value}`, 'tank/a']])
        expect(key).toMatch(/^[a-z0-9]/)
        expect(key.startsWith('edge-admin:')).toBe(false)
        expect(value).not.toMatch(/\p{Cc}/u)
      }),
      { numRuns: 10_000 },
    )
  })

  it('get a clear refusal through the whole server', async () => {
    const hostile = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }))
    const begun = world.fakes?.calls().length ?? 0
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const { status, json } = await post({ name: `tank/${text}/x/-`, options: {} })
        expect([status, json.code]).toEqual([400, 'VALIDATION_ERROR'])
      }),
      { numRuns: 300 },
    )
    expect(world.fakes?.calls().length).toBe(begun)
  })
})
