// Snapshots through the API: taken, listed, destroyed, rolled back to. A rollback loses data for good, so what it would
// take is always shown, and nothing newer goes unless it was asked for.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from './controller.ts'
import { clearPool, everything, makePool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
})
afterAll(() => world?.close())
beforeEach(() => {
  clearPool(world)
  zfs('create', 'tank/data')
})

const zfs = (...args: string[]) => tool(world, 'zfs', ...args)
const take = (name: string, dataset = 'tank/data') => world.ask('POST', '/snapshots', { json: { dataset, name } })
const labels = () =>
  zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-d', '1', 'tank/data')
    .split('\n')
    .filter(Boolean)
    .map((name) => name.replace('tank/data@', ''))

async function refused(work: () => Promise<{ status: number; json: unknown }>) {
  const before = everything(world)
  const { status, json } = await work()
  expect(everything(world)).toBe(before)
  return [status, json]
}

describe('a snapshot', () => {
  it('is taken, and shown under both spellings of its name', async () => {
    const { status, json, headers } = await take('one')
    const short = {
      name: 'tank/data@one',
      dataset: 'tank/data',
      size: expect.any(Number),
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    }
    const whole = {
      ...short,
      guid: expect.stringMatching(/^\d+$/),
      referenced: expect.any(Number),
      holds: [],
      clones: [],
    }
    expect([status, json]).toEqual([201, whole])
    expect(headers.location).toBe('/api/v1/snapshots/tank/data@one')
    for (const name of ['tank/data@one', 'tank%2Fdata@one', 'tank%2Fdata%40one', 'tank/data%40one'])
      expect((await world.ask('GET', `/snapshots/${name}`, { as: 'viewer' })).json).toEqual(whole)
    expect((await world.ask('GET', '/snapshots', { as: 'viewer' })).json).toEqual([short])
  })

  it('of a volume, and of a pool itself, is one like any other', async () => {
    zfs('create', '-V', '16M', 'tank/v')
    expect((await take('one', 'tank/v')).status).toBe(201)
    expect((await take('one', 'tank')).status).toBe(201)
    expect((await world.ask('DELETE', '/snapshots/tank@one')).status).toBe(200)
  })

  it('shows its holds and clones', async () => {
    await take('one')
    zfs('hold', 'backup', 'tank/data@one')
    zfs('clone', 'tank/data@one', 'tank/copy')
    const { holds, clones } = (await world.ask('GET', '/snapshots/tank/data@one')).json
    expect([holds, clones]).toEqual([['backup'], ['tank/copy']])
    expect((await world.ask('GET', '/datasets/tank/copy')).json.origin).toBe('tank/data@one')
  })

  it('is in a list filtered by dataset or pool, a part of it at a time', async () => {
    zfs('create', 'tank/data/child')
    for (const name of ['a', 'b', 'c']) zfs('snapshot', '-r', `tank/data@${name}`)
    const list = async (query: string) => {
      const { status, json } = await world.ask('GET', `/snapshots${query}`, { as: 'viewer' })
      return status === 200 ? json.map(({ name }: { name: string }) => name.replace('tank/data', '')) : json
    }
    const all = ['@a', '@b', '@c', '/child@a', '/child@b', '/child@c']
    expect(await list('')).toEqual(all)
    expect(await list('?pool=tank')).toEqual(all)
    expect(await list('?dataset=tank/data')).toEqual(['@a', '@b', '@c'])
    expect(await list('?dataset=tank%2Fdata%2Fchild&limit=2')).toEqual(['/child@a', '/child@b'])
    expect(await list('?offset=2&limit=2')).toEqual(['@c', '/child@a'])
    expect(await list('?dataset=tank/none')).toMatchObject({ code: 'NOT_FOUND', message: 'dataset not found' })
    expect(await list('?pool=none')).toMatchObject({ code: 'NOT_FOUND', message: 'pool not found' })
    for (const query of ['?dataset=tank/data@a', '?dataset=-r', '?limit=-1', '?limit=1e3', '?pool=tank&dataset=tank'])
      expect((await list(query)).code, query).toMatch(/^(?:VALIDATION_ERROR|BAD_REQUEST)$/)
  })

  it('is destroyed, and then not found', async () => {
    await take('one')
    expect((await world.ask('DELETE', '/snapshots/tank/data@one?dry_run=true')).json).toEqual({
      object: 'tank/data@one',
      destroys: ['tank/data@one'],
      depends: [],
      confirm: expect.any(String),
    })
    expect((await world.ask('DELETE', '/snapshots/tank%2Fdata@one')).json).toEqual({ message: 'snapshot deleted' })
    for (const method of ['GET', 'DELETE'])
      expect((await world.ask(method, '/snapshots/tank/data@one')).json).toEqual({
        code: 'NOT_FOUND',
        message: 'snapshot not found',
        details: 'tank/data@one',
      })
    // A dataset is no snapshot.
    expect((await world.ask('DELETE', '/snapshots/tank/data')).status).toBe(400)
  })
})

describe('a snapshot is refused', () => {
  it('when there is one of its name, or no dataset', async () => {
    await take('one')
    expect(await refused(() => take('one'))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: "cannot create snapshot 'tank/data@one': dataset already exists",
        details: 'tank/data@one',
      },
    ])
    expect(await refused(() => take('one', 'tank/none'))).toMatchObject([404, { code: 'NOT_FOUND' }])
    expect(await refused(() => take('one', 'nopool'))).toMatchObject([404, { code: 'NOT_FOUND' }])
  })

  it('with a name that is none, and no program is started', async () => {
    const before = world.fakes?.calls().length
    for (const name of ['', '-r', 'a b', 'a@b', 'a,b', 'a%b', '%', 'a/b', '..', 'a\0', 'a\n', '$(id)', 'x'.repeat(256)])
      expect([name, (await take(name)).json.details]).toEqual([name, 'name'])
    expect((await take('x'.repeat(250))).json).toMatchObject({ code: 'VALIDATION_ERROR', details: 'name' })
    for (const dataset of ['tank/data@x', '-r', ''])
      expect([dataset, (await take('one', dataset)).json.details]).toEqual([dataset, 'dataset'])
    expect(world.fakes?.calls().length).toBe(before)
  })
})

describe('a snapshot stays', () => {
  it('while it is held or cloned, and the refusal names by what', async () => {
    await take('one')
    zfs('hold', 'backup', 'tank/data@one')
    zfs('hold', 'audit', 'tank/data@one')
    const remove = () => world.ask('DELETE', '/snapshots/tank/data@one')
    const [status, json] = await refused(remove)
    expect([status, json]).toMatchObject([409, { code: 'CONFLICT', details: 'tank/data@one' }])
    expect((json as { message: string }).message).toMatch(/^tank\/data@one is held: (backup, audit|audit, backup)$/)
    for (const tag of ['backup', 'audit']) zfs('release', tag, 'tank/data@one')
    zfs('clone', 'tank/data@one', 'tank/copy')
    expect(await refused(remove)).toMatchObject([409, { message: 'tank/copy is a clone of tank/data@one' }])
  })
})

describe('several snapshots', () => {
  const remove = (names: unknown, query = '', as: 'viewer' | 'operator' = 'operator') =>
    world.ask('POST', `/snapshots/remove${query}`, { json: { names }, as })
  const full = (...of: string[]) => of.map((label) => `tank/data@${label}`)
  beforeEach(async () => {
    for (const label of ['a', 'ab', 'abc', 'kept']) expect((await take(label)).status).toBe(201)
  })

  it('go by one plan, and nothing else does', async () => {
    zfs('create', 'tank/other')
    expect((await take('a', 'tank/other')).status).toBe(201)
    const names = [...full('ab', 'a'), 'tank/other@a']
    const { json: plan } = await remove(names, '?dry_run=true')
    expect(plan).toMatchObject({ destroys: names, depends: [] })
    expect(labels()).toEqual(['a', 'ab', 'abc', 'kept'])
    const { status, json } = await remove(names, `?confirm=${plan.confirm}`)
    expect([status, json]).toEqual([200, { message: '3 snapshots deleted' }])
    expect(labels()).toEqual(['abc', 'kept'])
    const entries = (await world.ask('GET', '/audit?action=snapshots.delete&limit=4', { as: 'administrator' })).json
    expect(entries.map(({ resource }: { resource: string }) => resource)).toEqual([
      'snapshots',
      ...names.toReversed().map((name) => `snapshots/${name}`),
    ])
  })

  it.skipIf(REAL)('say how many are gone, and which one stopped the rest', async () => {
    const names = full('a', 'ab', 'abc')
    const { json: plan } = await remove(names, '?dry_run=true')
    world.fakes?.faults({ program: 'zfs', match: '^destroy', nth: 2, stderr: 'cannot destroy: dataset is busy' })
    try {
      expect(await remove(names, `?confirm=${plan.confirm}`)).toMatchObject({
        status: 409,
        json: {
          code: 'CONFLICT',
          message: '1 of 3 were deleted; tank/data@ab: cannot destroy: dataset is busy',
          details: 'tank/data@ab',
        },
      })
    } finally {
      world.fakes?.faults()
    }
    expect(labels()).toEqual(['ab', 'abc', 'kept'])
  })

  it('stay without the token of their plan, and with that of another', async () => {
    const { json: plan } = await remove(full('a', 'ab'), '?dry_run=true')
    expect((await refused(() => remove(full('a', 'ab'))))[0]).toBe(409)
    expect((await refused(() => remove(full('a', 'abc'), `?confirm=${plan.confirm}`)))[0]).toBe(409)
    // Another snapshot of the same name is not the one that was agreed to.
    zfs('destroy', 'tank/data@a')
    await take('a')
    expect((await refused(() => remove(full('a', 'ab'), `?confirm=${plan.confirm}`)))[0]).toBe(409)
  })

  it('all stay while one of them is held, or is not there', async () => {
    zfs('hold', 'keep', 'tank/data@ab')
    const { json: plan } = await remove(full('a', 'ab'), '?dry_run=true')
    expect(plan.depends).toEqual([{ object: 'tank/data@ab', reason: 'is held: keep' }])
    expect((await refused(() => remove(full('a', 'ab'), `?confirm=${plan.confirm}`)))[0]).toBe(409)
    zfs('release', 'keep', 'tank/data@ab')
    expect((await refused(() => remove(full('a', 'none'), '?dry_run=true')))[0]).toBe(404)
  })

  it('are names of snapshots, each once, at most two hundred, and an operator’s', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `tank/data@s${i}`)
    for (const names of [[], ['tank/data'], full('a', 'a'), ['tank/data@a,ab'], ['tank/data@a%ab'], many(201)])
      expect((await refused(() => remove(names, '?dry_run=true')))[0]).toBe(400)
    expect((await remove(many(200), '?dry_run=true')).status).toBe(404)
    expect((await refused(() => remove(full('a'), '?dry_run=true', 'viewer')))[0]).toBe(403)
  })
})

describe('a rollback', () => {
  const rollback = (name: string, query = '', options = {}) =>
    world.ask('POST', `/snapshots/tank%2Fdata@${name}/rollback${query}`, options)

  it('takes the data back', async () => {
    await take('one')
    const referenced = () => zfs('get', '-Hp', '-o', 'value', 'referenced', 'tank/data').trim()
    const then = referenced()
    world.fakes?.change((model) => {
      model.datasets['tank/data']!['own'] = 5_000_000
    })
    expect((await rollback('one')).json).toEqual({ message: 'rolled back' })
    if (!REAL) expect(referenced()).toBe(then)
    expect(labels()).toEqual(['one'])
  })

  it('names what is newer, and takes it only when that was agreed to', async () => {
    for (const name of ['one', 'two', 'three']) await take(name)
    expect(await refused(() => rollback('one'))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: 'This would destroy tank/data@two, tank/data@three as well: ask with ?recursive=true to agree',
        details: 'tank/data@one',
      },
    ])
    expect((await rollback('one', '?dry_run=true')).json).toMatchObject({
      destroys: ['tank/data@two', 'tank/data@three'],
      depends: [],
    })
    expect(labels()).toEqual(['one', 'two', 'three'])
    expect((await rollback('two', '?recursive=true')).status).toBe(200)
    expect(labels()).toEqual(['one', 'two'])
  })

  it('is refused when something newer is held or cloned, and nothing is gone', async () => {
    for (const name of ['one', 'two', 'three']) await take(name)
    zfs('hold', 'backup', 'tank/data@three')
    expect(await refused(() => rollback('one', '?recursive=true'))).toMatchObject([
      409,
      { message: 'tank/data@three is held: backup' },
    ])
    zfs('release', 'backup', 'tank/data@three')
    zfs('clone', 'tank/data@two', 'tank/copy')
    expect(await refused(() => rollback('one', '?recursive=true'))).toMatchObject([
      409,
      { message: 'tank/copy is a clone of tank/data@two' },
    ])
  })

  it('is a job, which a client may follow', async () => {
    await take('one')
    const { status, json } = await rollback('one', '', { headers: { prefer: 'respond-async' } })
    expect([status, json.type]).toEqual([202, 'snapshot.rollback'])
    expect(await world.job(json.id)).toMatchObject({ status: 'completed', message: 'rolled back to tank/data@one' })
  })

  it('of what is not there is 404, and only an operator may', async () => {
    expect(await refused(() => rollback('none'))).toMatchObject([404, { message: 'snapshot not found' }])
    expect((await world.ask('POST', '/snapshots/tank%2Fnone@one/rollback')).status).toBe(404)
    await take('one')
    expect(await refused(() => rollback('one', '', { as: 'viewer' }))).toMatchObject([403, { code: 'FORBIDDEN' }])
  })
})

describe('a demanded consent', () => {
  it('is asked for with each destruction and each rollback', async () => {
    const strict = REAL ? undefined : await startStorage({ storage: { 'confirm-destroy': true } })
    if (!strict) return
    try {
      makePool(strict)
      tool(strict, 'zfs', 'create', 'tank/data')
      tool(strict, 'zfs', 'snapshot', 'tank/data@one')
      for (const [method, path] of [
        ['POST', '/snapshots/tank/data@one/rollback'],
        ['DELETE', '/snapshots/tank/data@one'],
        ['DELETE', '/datasets/tank/data'],
      ] as const) {
        const before = everything(strict)
        const without = await strict.ask(method, path)
        expect([path, without.status, without.json.message]).toEqual([
          path,
          409,
          'This needs the confirm token of its plan: ask with ?dry_run=true first',
        ])
        expect(everything(strict)).toBe(before)
        const { confirm } = (await strict.ask(method, `${path}?dry_run=true`)).json
        expect((await strict.ask(method, `${path}?confirm=${confirm}`)).status).toBe(200)
      }
    } finally {
      await strict.close()
    }
  })
})

describe.skipIf(REAL)(`a rollback that zfs fails ${FAKES_ONLY}`, () => {
  it('takes nothing newer along that was made meanwhile', async () => {
    for (const name of ['one', 'two']) await take(name)
    // What the script sees has one more than what the caller saw.
    const list = zfs('list', '-Hp', '-t', 'snapshot,bookmark', '-d', '1', '-o', 'createtxg,name', 'tank/data')
    world.fakes?.faults({
      program: 'zfs',
      match: 'createtxg,name',
      stdout: `${list}99999\ttank/data@three\n`,
      status: 0,
    })
    const { status, json } = await world.ask('POST', '/snapshots/tank/data@one/rollback?recursive=true')
    expect([status, json]).toEqual([
      409,
      { code: 'CONFLICT', message: 'tank/data@three was made meanwhile: ask again', details: 'tank/data@one' },
    ])
    expect(labels()).toEqual(['one', 'two'])
  })

  it('tells its words, and destroys nothing when the snapshots between cannot go', async () => {
    for (const name of ['one', 'two', 'three']) await take(name)
    for (const [match, fault, status] of [
      ['^destroy', { stderr: "cannot destroy snapshot tank/data@three: it's being held." }, 409],
      ['^destroy', { kill: 'self' }, 502],
    ] as const) {
      world.fakes?.faults({ program: 'zfs', match, ...fault })
      const answer = await world.ask('POST', '/snapshots/tank/data@one/rollback?recursive=true')
      expect([match, answer.status]).toEqual([match, status])
      expect(labels()).toEqual(['one', 'two', 'three'])
    }
  })
})

describe.skipIf(REAL)(`while a rollback works on its dataset ${FAKES_ONLY}`, () => {
  it('no snapshot of it is deleted, alone or among several', async () => {
    zfs('create', 'tank/other')
    for (const name of ['one', 'two']) await take(name)
    await take('one', 'tank/other')
    const several = (query: string) =>
      world.ask('POST', `/snapshots/remove${query}`, { json: { names: ['tank/other@one', 'tank/data@one'] } })
    const { json: plan } = await several('?dry_run=true')
    world.fakes?.faults({ program: 'zfs', match: 'createtxg,name', hang: true })
    const headers = { prefer: 'respond-async' }
    const { json: job } = await world.ask('POST', '/snapshots/tank/data@one/rollback?recursive=true', { headers })
    try {
      const refusal = {
        code: 'CONFLICT',
        message: 'Another job is working on this dataset: try again when it has ended',
        details: 'tank/data',
      }
      expect(await refused(() => world.ask('DELETE', '/snapshots/tank/data@one'))).toEqual([409, refusal])
      expect(await refused(() => several(`?confirm=${plan.confirm}`))).toEqual([409, refusal])
    } finally {
      world.fakes?.faults()
      await world.ask('POST', `/jobs/${job.id}/cancel`)
    }
    expect((await several(`?confirm=${plan.confirm}`)).json).toEqual({ message: '2 snapshots deleted' })
  })
})

describe.skipIf(REAL)(`a rollback that zfs fails late ${FAKES_ONLY}`, () => {
  it('says that what is newer is gone all the same', async () => {
    for (const name of ['one', 'two']) await take(name)
    world.fakes?.faults({ program: 'zfs', match: '^rollback', stderr: "cannot rollback 'tank/data': dataset is busy" })
    const { status, json } = await world.ask('POST', '/snapshots/tank/data@one/rollback?recursive=true')
    expect([status, json.message]).toEqual([
      409,
      "Nothing was rolled back, but what is newer than tank/data@one may be gone: cannot rollback 'tank/data': dataset is busy",
    ])
    expect(labels()).toEqual(['one'])
  })
})

describe.skipIf(REAL)(`SEC-02 ten thousand strings ${FAKES_ONLY}`, () => {
  it('as a snapshot, or a part of its name, are no argument', async () => {
    const { DatasetName, SnapshotLabel, SnapshotName } = await import('../../src/features/zfs/names.ts')
    const hostile = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('-r', '--', 'a,b', 'a%b', '%', '..', 'a b', ';id', '$(id)', 'a\n', '\0'),
    )
    fc.assert(
      fc.property(hostile, fc.constantFrom('', 'tank@', 'tank/a@', 'tank/a@b', '@'), (text, head) => {
        if (SnapshotLabel.safeParse(text).success) expect(text).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/)
        for (const schema of [SnapshotName, DatasetName])
          if (schema.safeParse(head + text).success) expect(head + text).toMatch(/^[A-Za-z][A-Za-z0-9_.:/@-]*$/)
      }),
      { numRuns: 10_000 },
    )
  })

  it('in the path are a clear refusal, and start nothing', async () => {
    const begun = world.fakes?.calls().length
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('GET', 'DELETE'), async (name, method) => {
        const path = `/api/v1/snapshots/${encodeURIComponent(`tank/a@,${name.replace(/\p{Cs}/gu, '?')}`)}`
        const { status, json } = await ask(world.url, method, path, { bearer: world.tokens.operator })
        expect([name, status, typeof json.code]).toEqual([name, 400, 'string'])
      }),
      { numRuns: 300 },
    )
    expect(world.fakes?.calls().length).toBe(begun)
  })
})
