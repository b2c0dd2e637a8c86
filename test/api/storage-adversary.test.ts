// What an operator could lose without having agreed to it, tried from outside. Each of these was lost once, or told
// wrongly; a test that goes green without its fix shows nothing.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, test } from 'vitest'
import { until } from './client.ts'
import { makePool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage } from './storage-world.ts'

let world: Awaited<ReturnType<typeof startStorage>>
let fault: (name?: string) => void
afterEach(() => world?.close())
const start = async (options?: Parameters<typeof startStorage>[0]) => {
  const started = await startStorage(options)
  world = started
  fault = started.fault
  return started.fakes!
}
const zfs = (...args: string[]) => tool(world, 'zfs', ...args)
const zpool = (...args: string[]) => tool(world, 'zpool', ...args)
const names = () => zfs('list', '-H', '-t', 'all', '-o', 'name').split('\n').filter(Boolean)
const mounted = () => zfs('list', '-H', '-t', 'filesystem', '-o', 'name,mounted').split('\n').filter(Boolean)

/** Lets the script of a call stop at a checkpoint, does `meanwhile`, and lets it go on; the call's answer. */
async function between(step: string, call: () => Promise<{ status: number; json: unknown }>, meanwhile: () => unknown) {
  fault(`${step}=pause`)
  const answer = call()
  const paused = await until('the script waits', async () => {
    const [job] = (await world.ask('GET', '/jobs')).json
    const file = job && join(world.appliance.folders.state, 'tasks', job.id, 'paused')
    return file && existsSync(file) && file
  })
  await meanwhile()
  fault()
  rmSync(paused)
  return answer
}

describe.skipIf(REAL)(`what nobody agreed to lose ${FAKES_ONLY}`, () => {
  test.for(['dataset-destroy-started', 'dataset-unmounted'])(
    'stays when it was made between the plan of a dataset and its end (%s)',
    async (step) => {
      await start()
      makePool(world)
      zfs('create', 'tank/a')
      zfs('snapshot', 'tank/a@agreed')
      const { status, json } = await between(
        step,
        () => world.ask('DELETE', '/datasets/tank/a?recursive=true'),
        () => zfs('snapshot', 'tank/a@new'),
      )
      expect([status, json]).toEqual([
        409,
        { code: 'CONFLICT', message: 'tank/a@new was made meanwhile: ask again', details: 'tank/a' },
      ])
      expect(names()).toEqual(['tank', 'tank/a', 'tank/a@agreed', 'tank/a@new'])
      expect(mounted()).toContain('tank/a\tyes')
      expect((await world.ask('DELETE', '/datasets/tank/a?recursive=true')).status).toBe(200)
    },
  )

  it('is not shared anew while what is above it goes', async () => {
    await start()
    makePool(world)
    for (const name of ['tank/a', 'tank/a/kid']) zfs('create', name)
    let share: Promise<{ status: number }> | undefined
    const { status } = await between(
      'dataset-destroy-started',
      () => world.ask('DELETE', '/datasets/tank/a?recursive=true'),
      () => {
        share = world.ask('POST', '/exports/nfs', { json: { dataset: 'tank/a/kid', clients: ['*'] } })
      },
    )
    expect(status).toBe(200)
    expect((await share)?.status).toBe(404)
    expect((await world.ask('GET', '/exports/nfs')).json).toEqual([])
  })

  it('stays when it was made between the plan of a pool and its end', async () => {
    await start()
    makePool(world)
    const { status, json } = await between(
      'pool-begun',
      () => world.ask('DELETE', '/pools/tank'),
      () => zfs('create', 'tank/new'),
    )
    expect([status, json]).toMatchObject([409, { message: 'tank/new was made meanwhile: ask again' }])
    expect(names()).toEqual(['tank', 'tank/new'])
    expect((await world.ask('DELETE', '/pools/tank')).status).toBe(200)
  })

  test.for(['zfs destroy', 'zpool destroy'])(
    'is not told to be gone when `%s` said yes and did nothing',
    async (line) => {
      const fakes = await start()
      makePool(world)
      zfs('create', 'tank/a')
      const [program = '', match = ''] = line.split(' ')
      fakes.faults({ program, match: `^${match}`, status: 0, stderr: 'internal error: cannot destroy' })
      const { status } = await world.ask('DELETE', program === 'zfs' ? '/datasets/tank/a' : '/pools/tank')
      expect(status).toBe(502)
      expect(names()).toEqual(['tank', 'tank/a'])
    },
  )

  test.for(['DELETE /pools/tank', 'POST /pools/tank/export'])(
    'is mounted again when %s finds one busy',
    async (call) => {
      const fakes = await start()
      makePool(world)
      for (const name of ['a', 'b', 'c']) zfs('create', `tank/${name}`)
      const before = mounted()
      fakes.change((model) => {
        model.datasets['tank/b']!['busy'] = true
      })
      const [method = '', path = ''] = call.split(' ')
      expect((await world.ask(method, path)).status).toBe(409)
      expect(mounted()).toEqual(before)
    },
  )
})

describe('a pool of another machine', () => {
  it('is not mounted over the system, and stays as it was', async () => {
    const fakes = await start()
    if (!fakes) return
    makePool(world)
    zfs('create', 'tank/home')
    fakes.change((model) => {
      model.datasets['tank/home']!['properties'] = { mountpoint: '/usr/local' }
    })
    zpool('export', 'tank')
    const { status, json } = await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    expect([status, json]).toEqual([
      409,
      { code: 'CONFLICT', message: 'The pool would be mounted over the system: /usr/local', details: 'tank' },
    ])
    expect((await world.ask('GET', '/pools')).json).toEqual([])
    expect((await world.ask('GET', '/pools/available')).json.pools.map((pool: { name: string }) => pool.name)).toEqual([
      'tank',
    ])
  })

  it('is not left half imported by a script that dies while it looks', async () => {
    if (!(await start())) return
    makePool(world)
    zpool('export', 'tank')
    fault('pool-looking=kill')
    expect((await world.ask('POST', '/pools/import', { json: { name: 'tank' } })).status).toBe(502)
    fault()
    expect((await world.ask('GET', '/pools')).json).toEqual([])
    expect((await world.ask('POST', '/pools/import', { json: { name: 'tank' } })).status).toBe(200)
    expect(mounted()).toEqual(['tank\tyes'])
  })

  test.for(['etc', 'usr', 'home', 'mnt', 'lib64'])('cannot be called %s, which ZFS would mount there', async (name) => {
    await start()
    const disks = world.disks(1)
    for (const [path, json] of [
      ['/pools', { name, vdevs: disks }],
      ['/pools/import', { name: 'tank', new_name: name }],
    ] as const)
      expect((await world.ask('POST', path, { json })).json).toMatchObject({ message: 'This name is reserved' })
  })
})

describe.skipIf(REAL)(`the snapshot policies ${FAKES_ONLY}`, () => {
  const tick = () => world.appliance.app.storage!().then(({ scheduler }) => scheduler.tick())
  const labels = (dataset: string) => names().filter((name) => name.startsWith(`${dataset}@`))

  it('take nothing when it cannot be told what was taken', async () => {
    const fakes = await start()
    makePool(world)
    await world.ask('POST', '/snapshot-policies', { json: { dataset: 'tank', hourly: 5 } })
    fakes.faults({ program: 'zfs', match: '^get -H -t snapshot -d 1 ', stderr: 'internal error: broken' })
    await tick()
    expect(labels('tank')).toEqual([])
    expect((await world.ask('GET', '/jobs')).json[0]).toMatchObject({
      status: 'failed',
      error: 'internal error: broken',
    })
  })
})

describe.skipIf(REAL)(`a request that waits for its job ${FAKES_ONLY}`, () => {
  it('is told of a conflict when somebody cancels the job', async () => {
    const fakes = await start()
    fakes.faults({ program: 'zpool', match: '^create', hang: true })
    const answer = world.ask('POST', '/pools', { json: { name: 'tank', vdevs: world.disks(1) } })
    await until('it hangs', () => fakes.calls().some(({ args }) => args[0] === 'create'))
    const [{ id }] = (await world.ask('GET', '/jobs?status=running')).json
    fakes.faults()
    await world.ask('POST', `/jobs/${id}/cancel`)
    expect(await answer).toMatchObject({ status: 409, json: { code: 'CONFLICT', message: 'Cancelled' } })
  })

  it('shows no secret that a program has said', async () => {
    const fakes = await start()
    const stderr = 'cannot create: password=hunter22 token=abcdef constructor'
    fakes.faults({ program: 'zpool', match: '^create', stderr })
    const { status, json } = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs: world.disks(1) } })
    const masked = 'cannot create: password=[redacted] token=[redacted] constructor'
    expect([status, json.message]).toEqual([502, masked])
    expect((await world.ask('GET', '/jobs')).json[0]).toMatchObject({ message: masked, error: masked })
  })

  it('finds no pool that only JavaScript has', async () => {
    await start()
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      expect((await world.ask('GET', `/pools/${name}`)).status).toBe(404)
  })

  it('whose account has no requests left can still end its token', async () => {
    await start({ controller: { 'requests-per-minute': 2 } })
    for (const status of [200, 200, 429]) expect((await world.ask('GET', '/jobs')).status).toBe(status)
    expect((await world.ask('POST', '/auth/logout')).status).toBe(200)
    expect((await world.ask('GET', '/jobs')).status).toBe(401)
  })
})

describe.skipIf(REAL)(`an export whose line was edited by hand ${FAKES_ONLY}`, () => {
  test.for([
    ['rw,sync,no_subtree_check,mp', 'without root_squash, which is the default'],
    ['sync,root_squash,no_subtree_check,mp', 'without rw'],
    ['rw,sync,all_squash,root_squash,no_subtree_check,mp', 'with an option of his own'],
  ])('to %s (%s) is not opened any wider by the next change', async ([options]) => {
    const fakes = await start()
    const top = join(world.files, 'tank')
    zpool('create', '-m', top, 'tank', world.disks(1)[0]!)
    for (const name of ['a', 'b']) {
      zfs('create', `tank/${name}`)
      mkdirSync(join(top, name), { recursive: true })
    }
    await world.ask('POST', '/exports/nfs', { json: { dataset: 'tank/a', clients: ['10.0.0.1'] } })
    const file = join(fakes.folder, 'exports.d/edge-admin.exports')
    const text = readFileSync(file, 'utf8').replace(/\([^()]*\)/, `(${options})`)
    writeFileSync(file, text)
    expect((await world.ask('POST', '/exports/nfs', { json: { dataset: 'tank/b' } })).status).toBe(201)
    expect(readFileSync(file, 'utf8')).toContain(`/tank/a 10.0.0.1(${options})\n`)
  })
})

describe.skipIf(REAL)(`what is exported ${FAKES_ONLY}`, () => {
  /** tank at the world's own folder, `tank/a` exported by us, `tank/a/b` mounted elsewhere. */
  async function exported() {
    const fakes = await start()
    const top = join(world.files, 'tank')
    zpool('create', '-m', top, 'tank', world.disks(1)[0]!)
    for (const name of ['a', 'a/b']) {
      zfs('create', `tank/${name}`)
      mkdirSync(join(top, name), { recursive: true })
    }
    return { fakes, top }
  }

  it('is not moved away or unmounted under its export', async () => {
    const { top } = await exported()
    await world.ask('POST', '/exports/nfs', { json: { dataset: 'tank/a/b' } })
    for (const options of [{ mountpoint: '/mnt/x' }, { mountpoint: 'none' }, { canmount: 'off' }])
      for (const name of ['tank/a', 'tank/a/b']) {
        const { status, json } = await world.ask('PUT', `/datasets/${name}`, { json: { options } })
        expect([status, json.code, json.details]).toEqual([409, 'CONFLICT', name])
        expect(json.message).toContain(`is the NFS export of ${top}/a/b`)
      }
    expect((await world.ask('PUT', '/datasets/tank/a/b', { json: { options: { canmount: 'on' } } })).status).toBe(200)
  })

  it('stands in the way of its dataset’s end also after that was renamed by hand', async () => {
    const { fakes, top } = await exported()
    zfs('set', `mountpoint=${top}/a/b`, 'tank/a/b')
    await world.ask('POST', '/exports/nfs', { json: { dataset: 'tank/a/b' } })
    zfs('rename', 'tank/a/b', 'tank/other')
    expect((await world.ask('DELETE', '/datasets/tank/other')).json).toMatchObject({ code: 'CONFLICT' })
    expect(fakes.calls().filter(({ args }) => args[0] === 'destroy')).toEqual([])
  })

  it('by hand stands in the way of a parent’s end, wherever the child is mounted', async () => {
    const { fakes } = await exported()
    const place = join(world.files, 'elsewhere')
    mkdirSync(place)
    zfs('set', `mountpoint=${place}`, 'tank/a/b')
    mkdirSync(join(fakes.folder, 'exports.d'), { recursive: true })
    writeFileSync(join(fakes.folder, 'exports.d/hand.exports'), `${place} *(rw,sync)\n`)
    try {
      tool(world, 'exportfs', '-ra')
    } catch {} // there is no /etc/exports
    const { json } = await world.ask('DELETE', '/datasets/tank/a?recursive=true')
    expect(json.message).toContain(`is the NFS export of ${place}`)
  })
})

describe.skipIf(REAL)(`a volume that an initiator has open ${FAKES_ONLY}`, () => {
  it('is not rolled back under him', async () => {
    const fakes = await start()
    makePool(world)
    zfs('create', '-V', '16M', 'tank/disk')
    zfs('snapshot', 'tank/disk@before')
    const [iqn, client] = ['iqn.2024-12.com.example:t', 'iqn.2024-12.com.example:client']
    const { json } = await world.ask('POST', '/iscsi/targets', { json: { iqn, initiators: [client] } })
    await world.ask('POST', `/iscsi/targets/${json.id}/luns`, { json: { zvol: 'tank/disk' } })
    const loggedIn = (sessions: object) =>
      fakes.change((model) => {
        model['lio'].sessions = sessions
      })
    loggedIn({ [iqn]: [client] })
    const rollback = () => world.ask('POST', '/snapshots/tank/disk@before/rollback')
    const answer = await rollback()
    expect([answer.status, answer.json.code]).toEqual([409, 'CONFLICT'])
    expect(answer.json.message).toContain(`shows tank/disk to ${client}`)
    expect(fakes.calls().filter(({ args }) => args[0] === 'rollback')).toEqual([])
    loggedIn({})
    expect((await rollback()).status).toBe(200)
  })
})
