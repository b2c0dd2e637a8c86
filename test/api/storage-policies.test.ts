// Snapshot policies through the API, and their runs at a clock of the test's own. The pool's clock is the real one, so
// what is due goes by the names of the snapshots alone.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EMPTY, formatPolicy } from '../../src/features/snapshots/policy.ts'
import type { StartOptions } from '../../src/tasks/tasks.ts'
import type { InProcess } from './appliance.ts'
import { until } from './client.ts'
import { clearPool, everything, makePool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const POLICIES = '/snapshot-policies'
let clock = 0
let world: World<InProcess>
beforeAll(async () => {
  world = await startStorage({ now: () => clock })
  makePool(world)
})
afterAll(() => world?.close())
beforeEach(() => {
  clock = Date.UTC(2026, 10, 21, 9, 7, 3)
  clearPool(world)
  zfs('create', 'tank/data')
})

const zfs = (...args: string[]) => tool(world, 'zfs', ...args)
const post = (json: unknown) => world.ask('POST', POLICIES, { json })
const put = (json: unknown) => world.ask('PUT', `${POLICIES}/tank/data`, { json })
const tick = () => world.appliance.app.storage!().then(({ scheduler }) => scheduler.tick())
const labels = (dataset = 'tank/data') =>
  zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-d', '1', dataset)
    .split('\n')
    .filter(Boolean)
    .map((name) => name.slice(name.indexOf('@') + 1))
const MINUTES = 60_000
const whole = {
  dataset: 'tank/data',
  frequent: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  autosnap: true,
  autoprune: true,
}

describe('a policy', () => {
  it('is made, shown, changed and removed as the contract has it, and travels with its dataset', async () => {
    const { status, json, headers } = await post({ dataset: 'tank/data', hourly: 24, daily: 7, autoprune: false })
    const made = { ...whole, hourly: 24, daily: 7, autoprune: false }
    expect([status, json, headers.location]).toEqual([201, made, '/api/v1/snapshot-policies/tank/data'])
    for (const path of [`${POLICIES}/tank/data`, `${POLICIES}/tank%2Fdata`])
      expect((await world.ask('GET', path, { as: 'viewer' })).json).toEqual(made)
    expect((await world.ask('GET', POLICIES, { as: 'viewer' })).json).toEqual([made])

    const changed = { ...made, hourly: 12, autoprune: true }
    expect((await put({ hourly: 12, autoprune: true })).json).toEqual(changed)
    expect((await put({ ...changed })).json).toEqual(changed)

    // Its children do not have one, though ZFS inherits the property.
    zfs('create', 'tank/data/child')
    zfs('rename', 'tank/data', 'tank/moved')
    expect((await world.ask('GET', POLICIES)).json).toEqual([{ ...changed, dataset: 'tank/moved' }])
    expect((await world.ask('GET', `${POLICIES}/tank/moved/child`)).status).toBe(404)
    // It is not one of the options that everybody may set.
    expect((await world.ask('GET', '/datasets/tank/moved')).json.options).toEqual({})

    const gone = await world.ask('DELETE', `${POLICIES}/tank/moved`)
    expect([gone.status, gone.json]).toEqual([200, { message: 'snapshot policy deleted' }])
    expect((await world.ask('GET', POLICIES)).json).toEqual([])
  })

  it('is for a pool itself and for volumes as well', async () => {
    zfs('create', '-V', '16M', 'tank/v')
    for (const dataset of ['tank', 'tank/v']) expect((await post({ dataset, hourly: 1 })).status).toBe(201)
    expect((await world.ask('DELETE', `${POLICIES}/tank`)).status).toBe(200)
  })

  it('called preview is a dataset like any other', async () => {
    zfs('create', 'tank/preview')
    await post({ dataset: 'tank/preview', hourly: 1 })
    expect((await world.ask('GET', `${POLICIES}/tank%2Fpreview`)).json.dataset).toBe('tank/preview')
    expect((await world.ask('GET', `${POLICIES}/tank%2Fpreview/preview`)).json.take).toHaveLength(1)
  })

  it('called preview answers to its listed name in each method, and the pool above it is still previewed', async () => {
    zfs('create', 'tank/preview')
    const path = `${POLICIES}/tank/preview`
    const dataset = 'tank/preview'
    expect((await post({ dataset: 'tank', hourly: 1 })).status).toBe(201)
    expect((await world.ask('GET', path)).json).toMatchObject({ dataset: 'tank', take: [expect.any(String)] })
    expect((await world.ask('PUT', path, { json: { daily: 2 } })).status).toBe(404)
    const made = await post({ dataset, hourly: 1 })
    expect([made.status, made.headers.location]).toEqual([201, `/api/v1${path}`])
    const got = await world.ask('GET', path)
    expect([got.json, got.headers.etag]).toEqual([made.json, made.headers.etag])
    expect((await world.ask('GET', `${path}?autoprune=true`)).json).toMatchObject({ dataset: 'tank' })
    expect((await world.ask('PUT', path, { json: { daily: 2 } })).json).toMatchObject({ dataset, hourly: 1, daily: 2 })
    expect((await world.ask('POST', path, { json: {} })).status).toBe(405)
    expect((await world.ask('DELETE', path)).status).toBe(200)
    expect((await world.ask('GET', POLICIES)).json.map((one: { dataset: string }) => one.dataset)).toEqual(['tank'])
    expect((await world.ask('GET', path)).json).toMatchObject({ dataset: 'tank', take: [expect.any(String)] })
    expect((await world.ask('DELETE', `${POLICIES}/tank`)).status).toBe(200)
  })

  it('is refused when there is one, no dataset, or something wrong in it', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    const before = everything(world)
    const cases: [unknown, number, string | undefined][] = [
      [{ dataset: 'tank/data', hourly: 1 }, 409, 'tank/data'],
      [{ dataset: 'tank/none', hourly: 1 }, 404, 'tank/none'],
      [{ dataset: 'nopool', hourly: 1 }, 404, 'nopool'],
      [{ dataset: 'tank/x@y' }, 400, 'dataset'],
      [{ dataset: '-r' }, 400, 'dataset'],
      [{}, 400, 'dataset'],
      [{ dataset: 'tank/data', hourly: -1 }, 400, 'hourly'],
      [{ dataset: 'tank/data', hourly: 1.5 }, 400, 'hourly'],
      [{ dataset: 'tank/data', hourly: 1e6 }, 400, 'hourly'],
      [{ dataset: 'tank/data', hourly: '1' }, 400, 'hourly'],
      [{ dataset: 'tank/data', autosnap: 'yes' }, 400, 'autosnap'],
      [{ dataset: 'tank/data', minutely: 1 }, 400, 'minutely'],
    ]
    for (const [json, status, details] of cases) {
      const answer = await post(json)
      expect([json, answer.status, answer.json.details]).toEqual([json, status, details])
    }
    expect((await put({ dataset: 'tank/other' })).json).toMatchObject({ code: 'VALIDATION_ERROR', details: 'dataset' })
    expect(everything(world)).toBe(before)
    zfs('inherit', 'edge-admin:policy', 'tank/data')
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, json } = await world.ask(method, `${POLICIES}/tank/data`, method === 'PUT' ? { json: {} } : {})
      expect([method, status, json]).toEqual([
        method,
        404,
        { code: 'NOT_FOUND', message: 'snapshot policy not found', details: 'tank/data' },
      ])
    }
  })

  it('that could never take a snapshot, its name being too long, is refused', async () => {
    const named = async (length: number) => {
      const [one, two] = [`tank/${'a'.repeat(150)}`, length - 156]
      const name = `${one}/${'b'.repeat(two)}`
      zfs('create', '-p', '-o', 'mountpoint=none', name)
      return name
    }
    const [none, some] = [await named(241), await named(233)]
    const before = everything(world)
    const cases: [unknown, string][] = [
      [{ dataset: none, daily: 1 }, 'dataset'],
      [{ dataset: none, frequent: 4, hourly: 24, autoprune: false }, 'dataset'],
      [{ dataset: some, daily: 1, frequent: 1 }, 'frequent'],
      [{ dataset: some, yearly: 1 }, 'yearly'],
    ]
    for (const [json, details] of cases) {
      const answer = await post(json)
      expect([answer.status, answer.json.details]).toEqual([400, details])
      expect(answer.json.message).toMatch('255')
    }
    expect(everything(world)).toBe(before)
    // What fits is taken; and one that takes nothing has no name to be too long.
    expect((await post({ dataset: some, daily: 1 })).status).toBe(201)
    expect((await post({ dataset: none, hourly: 1, autosnap: false })).status).toBe(201)
    const change = async (dataset: string, json: unknown) => {
      const answer = await world.ask('PUT', `${POLICIES}/${dataset}`, { json })
      return [answer.status, answer.json.details]
    }
    expect(await change(some, { hourly: 1 })).toEqual([400, 'hourly'])
    expect(await change(none, { autosnap: true })).toEqual([400, 'dataset'])
    expect(await change(none, { hourly: 2 })).toEqual([200, undefined])
    await tick()
    expect(labels(some)).toEqual(['daily-20261121-090703'])
  })

  it('that somebody wrote by hand in another way is none', async () => {
    zfs('set', 'edge-admin:policy=hourly', 'tank/data')
    expect((await world.ask('GET', POLICIES)).json).toEqual([])
    expect((await world.ask('GET', `${POLICIES}/tank/data`)).status).toBe(404)
    await tick()
    expect(labels()).toEqual([])
    expect((await post({ dataset: 'tank/data', hourly: 1 })).status).toBe(201)
  })
})

describe('a value with tabs and line ends, as it may come with an imported pool', () => {
  const policy = formatPolicy({ ...EMPTY, hourly: 1 })
  // The second and the fourth are, after their line end, what `zfs get` prints of another dataset.
  const values = [
    'a\tb',
    `a\ntank/other\tedge-admin:policy\tlocal\t${policy}`,
    `${policy}\nmore`,
    `a\ntank/other\t${policy}\nc`,
    '\n',
  ]

  it.each(values)("%j is nobody's policy, and keeps no other from running", async (value) => {
    for (const name of ['tank/foreign', 'tank/other']) zfs('create', name)
    await post({ dataset: 'tank/data', hourly: 1 })
    zfs('set', `edge-admin:policy=${value}`, 'tank/foreign')
    expect((await world.ask('GET', POLICIES)).json).toEqual([{ ...whole, hourly: 1 }])
    for (const name of ['foreign', 'other'])
      expect((await world.ask('GET', `${POLICIES}/tank/${name}`)).status).toBe(404)
    expect(await tick()).toBe(true)
    expect([labels(), labels('tank/foreign'), labels('tank/other')]).toEqual([['hourly-20261121-090703'], [], []])
  })

  it("is nobody's mark, and makes no other snapshot one of a policy", async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    // What is said of another snapshot would keep this hour's from being taken, or have a person's destroyed.
    const rows = ['hourly-20200101-000000', 'hourly-20261121-090000'].flatMap((label) =>
      [
        ['createtxg', '-', '99999999'],
        ['userrefs', '-', '0'],
        ['clones', '-', '-'],
        ['edge-admin:snapshot', 'local', 'hourly'],
      ].map((fields) => [`tank/data@${label}`, ...fields].join('\t')),
    )
    const lines = ['hourly-20200101-000000', 'hourly-20261121-090000'].map((label) => `tank/data@${label}\thourly`)
    zfs('snapshot', 'tank/data@hourly-20200101-000000')
    for (const [i, value] of ['a\tb', `a\n${rows.join('\n')}`, `a\n${lines.join('\n')}\nb`].entries())
      zfs('snapshot', '-o', `edge-admin:snapshot=${value}`, `tank/data@foreign${i}`)
    const there = ['hourly-20200101-000000', 'foreign0', 'foreign1', 'foreign2']
    expect(await tick()).toBe(true)
    expect(labels()).toEqual([...there, 'hourly-20261121-090703'])
    clock += 60 * MINUTES
    expect(await tick()).toBe(true)
    expect(labels()).toEqual([...there, 'hourly-20261121-100703'])
  })
})

describe('a run', () => {
  it('takes what is due, each as a job of the system, and nothing twice', async () => {
    await post({ dataset: 'tank/data', frequent: 4, hourly: 24, yearly: 1 })
    expect(await tick()).toBe(true)
    const first = ['frequent-20261121-090703', 'hourly-20261121-090703', 'yearly-20261121-090703']
    expect(labels()).toEqual(first)
    const jobs = (await world.ask('GET', '/jobs?status=completed')).json
    expect(jobs.slice(0, 3).map(({ type, message }: { type: string; message: string }) => [type, message])).toEqual(
      first.toReversed().map((label) => ['snapshot.create', `tank/data@${label} was taken`]),
    )
    const entries = world.appliance.audit().filter((line) => line.includes('snapshots.create'))
    expect(entries.slice(-3)).toEqual(
      first.map((label) =>
        expect.stringMatching(`,web,system,snapshots\\.create,"snapshots/tank/data@${label}",local$`),
      ),
    )

    // Again at once, and by another server that knows nothing.
    await tick()
    clock += 3 * MINUTES
    await tick()
    expect(labels()).toEqual(first)
    clock += 5 * MINUTES
    await tick()
    expect(labels()).toEqual([...first, 'frequent-20261121-091503'])
  })

  it('prunes each type to its newest, and says what is held or cloned', async () => {
    await post({ dataset: 'tank/data', frequent: 2, hourly: 1 })
    const taken: string[] = []
    for (let i = 0; i < 4; i++) {
      await tick()
      taken.push(...labels().filter((label) => !taken.includes(label)))
      if (i === 0) zfs('hold', 'backup', `tank/data@${taken[0]}`)
      if (i === 1) zfs('clone', `tank/data@${taken.at(-1)}`, 'tank/copy')
      clock += 15 * MINUTES
    }
    // 9:07, held, and 9:22, cloned, are more than the newest two; so they are what is kept beyond them.
    expect(labels().filter((label) => label.startsWith('frequent'))).toEqual([
      'frequent-20261121-090703',
      'frequent-20261121-092203',
      'frequent-20261121-093703',
      'frequent-20261121-095203',
    ])
    await tick()
    expect(labels().filter((label) => label.startsWith('frequent'))).toEqual([
      'frequent-20261121-090703',
      'frequent-20261121-092203',
      'frequent-20261121-095203',
      'frequent-20261121-100703',
    ])
    const { type, message, status } = (await world.ask('GET', '/jobs')).json[0]
    expect([type, status]).toEqual(['snapshot.prune', 'completed'])
    expect(message).toBe(
      '2 destroyed; kept: frequent-20261121-092203 (cloned: tank/copy), frequent-20261121-090703 (held)',
    )
    expect(labels().filter((label) => label.startsWith('hourly'))).toEqual(['hourly-20261121-100703'])
    const before = everything(world)
    await tick()
    expect(everything(world)).toBe(before)
  })

  it('takes another where the one of this period goes, since a clock that was ahead has made a newer one', async () => {
    await post({ dataset: 'tank/data', daily: 1, autoprune: false })
    await tick()
    clock += 24 * 60 * MINUTES
    await tick()
    expect(labels()).toEqual(['daily-20261121-090703', 'daily-20261122-090703'])
    expect((await world.ask('PUT', '/snapshot-policies/tank/data', { json: { autoprune: true } })).status).toBe(200)
    clock -= (24 * 60 - 1) * MINUTES
    await tick()
    expect(labels()).toEqual(['daily-20261121-090803'])
  })

  it('leaves alone what no policy made, whatever its name', async () => {
    await post({ dataset: 'tank/data', hourly: 1, frequent: 0 })
    for (const label of ['hourly-20200101-000000', 'frequent-20200101-000000', 'manual'])
      zfs('snapshot', `tank/data@${label}`)
    // And its children and neighbors.
    zfs('create', 'tank/data/child')
    zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', 'tank/data/child@hourly-20200101-000000')
    await tick()
    expect(labels()).toEqual(['hourly-20200101-000000', 'frequent-20200101-000000', 'manual', 'hourly-20261121-090703'])
    expect(labels('tank/data/child')).toEqual(['hourly-20200101-000000'])
  })

  it('leaves alone what has only inherited its mark, and takes its own all the same', async () => {
    zfs('set', 'edge-admin:snapshot=hourly', 'tank/data')
    await post({ dataset: 'tank/data', hourly: 1 })
    // One a person took long ago, and one in this very hour.
    const persons = ['hourly-20200101-000000', 'hourly-20261121-090000']
    for (const name of persons)
      expect((await world.ask('POST', '/snapshots', { json: { dataset: 'tank/data', name } })).status).toBe(201)
    const preview = await world.ask('GET', `${POLICIES}/tank/data/preview`)
    expect([preview.json.take, preview.json.destroy]).toEqual([['tank/data@hourly-20261121-090703'], []])
    for (const label of ['hourly-20261121-090703', 'hourly-20261121-100703']) {
      expect(await tick()).toBe(true)
      expect(labels()).toEqual([...persons, label])
      clock += 60 * MINUTES
    }
  })

  it('does only what is switched on', async () => {
    await post({ dataset: 'tank/data', frequent: 1, autosnap: false })
    for (const label of ['frequent-20200101-000000', 'frequent-20200101-001500'])
      zfs('snapshot', '-o', 'edge-admin:snapshot=frequent', `tank/data@${label}`)
    await put({ autoprune: false })
    await tick()
    expect(labels()).toHaveLength(2)
    await put({ autoprune: true })
    await tick()
    expect(labels()).toEqual(['frequent-20200101-001500'])
    await put({ autosnap: true, autoprune: false })
    await tick()
    expect(labels()).toHaveLength(2)
  })

  it('goes on with the other datasets when one is gone', async () => {
    zfs('create', 'tank/z')
    await post({ dataset: 'tank/data', hourly: 1 })
    await post({ dataset: 'tank/z', hourly: 1 })
    zfs('destroy', 'tank/data')
    await tick()
    expect(labels('tank/z')).toEqual(['hourly-20261121-090703'])
  })

  it('takes four calls to find that there is nothing to do', async () => {
    if (!world.fakes) return
    for (const name of ['a', 'b', 'c']) {
      zfs('create', `tank/${name}`)
      await post({ dataset: `tank/${name}`, hourly: 1 })
    }
    await tick()
    const before = world.fakes.calls().length
    await tick()
    expect(
      world.fakes
        .calls()
        .slice(before)
        .map(({ args }) => args[0]),
    ).toEqual(['list', 'get', 'get', 'get'])
  })
})

describe('a preview', () => {
  it('tells what the next run does, and does nothing', async () => {
    await post({ dataset: 'tank/data', frequent: 2, hourly: 1 })
    for (let i = 0; i < 2; i++) {
      await tick()
      clock += 15 * MINUTES
    }
    zfs('hold', 'backup', 'tank/data@frequent-20261121-090703')
    clock += 60 * MINUTES
    const before = everything(world)
    const { status, json } = await world.ask('GET', `${POLICIES}/tank/data/preview`, { as: 'viewer' })
    expect([status, json]).toEqual([
      200,
      {
        dataset: 'tank/data',
        take: ['tank/data@frequent-20261121-103703', 'tank/data@hourly-20261121-103703'],
        destroy: ['tank/data@hourly-20261121-090703'],
        keep: [
          { name: 'tank/data@frequent-20261121-092203', reason: 'one of the newest 2' },
          { name: 'tank/data@frequent-20261121-090703', reason: 'held: backup' },
        ],
      },
    ])
    expect(everything(world)).toBe(before)
    await tick()
    expect(labels()).toEqual([
      'frequent-20261121-090703',
      'frequent-20261121-092203',
      'frequent-20261121-103703',
      'hourly-20261121-103703',
    ])
    expect((await world.ask('GET', `${POLICIES}/tank/none/preview`)).status).toBe(404)
    expect((await world.ask('GET', `${POLICIES}/tank/preview`)).status).toBe(404)
  })

  it('tells what counts would do that are not saved yet', async () => {
    const preview = async (query: string) => (await world.ask('GET', `${POLICIES}/tank/data/preview?${query}`)).json
    expect(await preview('hourly=3&daily=0')).toEqual({
      dataset: 'tank/data',
      take: ['tank/data@hourly-20261121-090703'],
      destroy: [],
      keep: [],
    })
    await post({ dataset: 'tank/data', frequent: 3 })
    for (let i = 0; i < 3; i++) {
      await tick()
      clock += 15 * MINUTES
    }
    const before = everything(world)
    const kept = 'tank/data@frequent-20261121-090703'
    expect((await preview('daily=0')).destroy).toEqual([kept])
    expect((await preview('frequent=9')).destroy).toEqual([])
    expect((await preview('frequent=1')).destroy).toHaveLength(3)
    expect((await preview('frequent=1&autoprune=false')).destroy).toEqual([])
    expect((await preview('frequent=4&autosnap=false')).take).toEqual([])
    expect(everything(world)).toBe(before)
    for (const wrong of ['frequent=-1', 'frequent=10001', 'frequent=x', 'autosnap=yes'])
      expect([wrong, (await preview(wrong)).code]).toEqual([wrong, 'VALIDATION_ERROR'])
  })
})

describe.skipIf(REAL)(`a run that goes wrong ${FAKES_ONLY}`, () => {
  const lockOf = async (dataset: string) => {
    const { datasetLock } = await import('../../src/features/zfs/lock.ts')
    return datasetLock(dataset)
  }

  /** A task of the script's own, once the job of the test before has let go of the dataset. */
  const start = async (kind: string, options: Pick<StartOptions, 'args' | 'inputs'>) => {
    const lock = await lockOf('tank/data')
    const by = { name: 'system', address: 'local' }
    return until('the dataset is free', () => world.appliance.app.tasks.start(kind, { lock, by, ...options }))
  }

  it('leaves a busy dataset for later, and takes its snapshot then', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    zfs('snapshot', 'tank/data@one')
    world.fakes?.faults({ program: 'zfs', match: '^rollback', hang: true })
    const { json } = await world.ask('POST', '/snapshots/tank/data@one/rollback', {
      headers: { prefer: 'respond-async' },
    })
    expect(await tick()).toBe(false)
    expect(labels()).toEqual(['one'])
    await world.ask('POST', `/jobs/${json.id}/cancel`)
    expect(await tick()).toBe(true)
    expect(labels()).toEqual(['one', 'hourly-20261121-090703'])
  })

  it('enters a snapshot that could not be taken, and takes it in the next run', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    world.fakes?.faults({ program: 'zfs', match: '^snapshot', stderr: 'cannot create snapshot: out of space' })
    expect(await tick()).toBe(true)
    expect(world.appliance.audit().at(-1)).toMatch(/,system,snapshots\.create\.failed,"snapshots\/tank\/data@hourly-/)
    expect((await world.ask('GET', '/jobs')).json[0]).toMatchObject({
      type: 'snapshot.create',
      status: 'failed',
      error: 'cannot create snapshot: out of space',
    })
    world.fakes?.faults()
    await tick()
    expect(labels()).toEqual(['hourly-20261121-090703'])
  })

  it('takes none twice when another server was quicker', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    // This server has looked, and then the other one takes its own.
    const args = ['tank/data', 'hourly-20261121-090703', '20261121-090000', '20261121-100000']
    zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', 'tank/data@hourly-20261121-090708')
    const task = await start('snapshot-create', { args })
    expect(await world.job(task.id)).toMatchObject({
      status: 'completed',
      message: 'tank/data@hourly-20261121-090708 is there already',
    })
    expect(labels()).toEqual(['hourly-20261121-090708'])
  })

  it('destroys nothing that the plan names and no policy made', async () => {
    zfs('snapshot', 'tank/data@hourly-20200101-000000')
    zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', 'tank/data@daily-20200101-000000')
    zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', 'tank/data@hourly-20200102-000000')
    const all = [...labels(), 'hourly-20200103-000000', '-r', 'x,y%z']
    const text = all.map((label) => `delete ${label}\n`).join('')
    const task = await start('snapshot-prune', { args: ['tank/data'], inputs: { plan: { text } } })
    expect(await world.job(task.id)).toMatchObject({ status: 'completed', message: '1 destroyed' })
    expect(labels()).toEqual(['hourly-20200101-000000', 'daily-20200101-000000'])
  })

  it('destroys nothing that has only inherited its mark, though the plan names it', async () => {
    zfs('set', 'edge-admin:snapshot=hourly', 'tank/data')
    zfs('snapshot', 'tank/data@hourly-20200101-000000')
    zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', 'tank/data@hourly-20200102-000000')
    const text = labels()
      .map((label) => `delete ${label}\n`)
      .join('')
    const task = await start('snapshot-prune', { args: ['tank/data'], inputs: { plan: { text } } })
    expect(await world.job(task.id)).toMatchObject({ status: 'completed', message: '1 destroyed' })
    expect(labels()).toEqual(['hourly-20200101-000000'])
  })

  it('keeps what was held after the plan was made, and says so', async () => {
    for (const hour of ['00', '01', '02'])
      zfs('snapshot', '-o', 'edge-admin:snapshot=hourly', `tank/data@hourly-20200101-${hour}0000`)
    zfs('hold', 'backup', 'tank/data@hourly-20200101-000000')
    zfs('clone', 'tank/data@hourly-20200101-010000', 'tank/copy')
    const text = labels()
      .map((label) => `delete ${label}\n`)
      .join('')
    const task = await start('snapshot-prune', { args: ['tank/data'], inputs: { plan: { text } } })
    expect(await world.job(task.id)).toMatchObject({
      status: 'completed',
      message: '1 destroyed; kept: hourly-20200101-000000 (held), hourly-20200101-010000 (cloned)',
    })
    expect(labels()).toEqual(['hourly-20200101-000000', 'hourly-20200101-010000'])
  })

  it('does not keep the other datasets waiting when one hangs', async () => {
    zfs('create', 'tank/z')
    for (const dataset of ['tank/data', 'tank/z']) await post({ dataset, hourly: 1 })
    world.fakes?.faults({ program: 'zfs', match: '^snapshot .*tank/data@', hang: true })
    const { Scheduler } = await import('../../src/features/snapshots/scheduler.ts')
    const { createZfs } = await import('../../src/drivers/zfs.ts')
    const { createZpool } = await import('../../src/drivers/zpool.ts')
    const { createTool } = await import('../../src/drivers/programs.ts')
    const entered: string[] = []
    const { tasks } = world.appliance.app
    const scheduler = new Scheduler({
      zfs: createZfs(createTool(world.fakes?.programs)),
      zpool: createZpool(createTool(world.fakes?.programs)),
      tasks,
      now: () => clock,
      audit: (event) => entered.push(event),
      warn: () => {},
      patience: 3000,
    })
    expect(await scheduler.tick()).toBe(false)
    expect(labels('tank/z')).toHaveLength(1)
    expect(entered).toEqual(['snapshots.create.late', 'snapshots.create'])
    world.fakes?.faults()
    const hanging = (await world.ask('GET', '/jobs?status=running')).json[0]
    expect((await world.ask('POST', `/jobs/${hanging.id}/cancel`)).status).toBe(200)
    expect(await scheduler.tick()).toBe(true)
    expect(labels()).toHaveLength(1)
  })

  it('of a pool that hangs does not keep the other pools waiting', async () => {
    tool(world, 'zpool', 'create', '-f', '-O', 'mountpoint=/mnt/apart', 'apart', world.disks(2)[1] ?? '')
    await post({ dataset: 'tank/data', hourly: 1 })
    await post({ dataset: 'apart', hourly: 1 })
    world.fakes?.faults({ program: 'zfs', match: '^get .* apart$', hang: true })
    const { Scheduler } = await import('../../src/features/snapshots/scheduler.ts')
    const { createZfs } = await import('../../src/drivers/zfs.ts')
    const { createZpool } = await import('../../src/drivers/zpool.ts')
    const { createTool } = await import('../../src/drivers/programs.ts')
    const tool_ = createTool(world.fakes?.programs)
    const end = new AbortController()
    const warned: string[] = []
    const scheduler = new Scheduler({
      zfs: createZfs((name, args, options) => tool_(name, args, { ...options, signal: end.signal })),
      zpool: createZpool(tool_),
      tasks: world.appliance.app.tasks,
      now: () => clock,
      audit: () => {},
      warn: (text) => warned.push(text),
    })
    try {
      scheduler.start()
      await expect.poll(labels, { timeout: 60_000 }).toEqual(['hourly-20261121-090703'])
      // An hour later it still hangs.
      clock += 60 * MINUTES
      scheduler.wake()
      await expect.poll(labels, { timeout: 60_000 }).toEqual(['hourly-20261121-100703'])
      expect([labels('apart'), warned]).toEqual([[], []])
    } finally {
      scheduler.stop()
      end.abort()
      await expect.poll(() => warned, { timeout: 60_000 }).toEqual(['the snapshot policies of apart could not be run'])
      world.fakes?.faults()
      tool(world, 'zpool', 'destroy', '-f', 'apart')
    }
  })

  it('is done by the server itself, at its start and not again', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    const { scheduler } = await world.appliance.app.storage!()
    scheduler.start()
    await expect.poll(labels, { timeout: 90_000 }).toEqual(['hourly-20261121-090703'])
    scheduler.stop()
    await tick()
    expect(labels()).toHaveLength(1)
  })

  it('has its jobs in the log of tasks with who asked', async () => {
    await post({ dataset: 'tank/data', hourly: 1 })
    await tick()
    const { id } = (await world.ask('GET', '/jobs')).json[0]
    const file = join(world.appliance.folders.state, 'tasks', id, 'request.json')
    expect(existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).by).toEqual({ name: 'system', address: 'local' })
  })
})
