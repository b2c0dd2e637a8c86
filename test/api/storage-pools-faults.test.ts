// Pools when things go wrong: programs that are missing, hang, lie or are killed; scripts and servers that are killed
// at each persisted step. All of it needs the fakes; what a real power cut does is shown in the virtual machine.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, test } from 'vitest'
import { type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { FAKES_ONLY, makeWorld, REAL, startStorage, type World, type WorldOptions } from './storage-world.ts'

let world: World
let fault: (name?: string) => void
afterEach(() => world?.close())
const start = async (options?: WorldOptions) => {
  const started = await startStorage(options)
  world = started
  fault = started.fault
  return started.fakes!
}
const make = (name = 'tank', vdevs = world.disks(2)) => world.ask('POST', '/pools', { json: { name, vdevs } })
const names = async () => (await world.ask('GET', '/pools')).json.map(({ name }: { name: string }) => name)
const LEAKS = /zpool list|zpool create|\/tmp\/|node:internal|at Object|test\/fakes|programs\//

describe.skipIf(REAL)(`a storage program ${FAKES_ONLY}`, () => {
  it('that is missing makes a clear 503 of every call', async () => {
    const { programs } = await start()
    await make()
    for (const name of ['zpool', 'zfs', 'lsblk']) rmSync(join(programs, name))
    for (const [method, path, json] of [
      ['GET', '/pools'],
      ['GET', '/pools/tank'],
      ['GET', '/pools/available'],
      ['POST', '/pools', { name: 'other', vdevs: ['/dev/fake3'] }],
      ['DELETE', '/pools/tank'],
      ['POST', '/pools/tank/scrub'],
      ['POST', '/pools/import', { name: 'tank' }],
    ] as const) {
      const answer = await world.ask(method, path, { json })
      expect([path, answer.status, answer.json.code]).toEqual([path, 503, 'SERVICE_UNAVAILABLE'])
      expect(answer.json.message).toMatch(/^(zpool|lsblk) is not installed/)
    }
  })

  it('that is missing only for the script is told so by the job', async () => {
    const fakes = await start()
    fakes.faults({ program: 'zpool', match: '^create', stderr: 'sh: zpool: not found', status: 127 })
    expect((await make()).json).toEqual({
      code: 'SERVICE_UNAVAILABLE',
      message: 'zpool is not installed',
      details: 'tank',
    })
  })

  it('that hangs is ended by the time limit', async () => {
    const fakes = await start()
    fakes.faults({ program: 'zpool', match: '^list', hang: true })
    const { status, json } = await world.ask('GET', '/pools')
    expect([status, json.message]).toEqual([503, 'zpool did not answer in time'])
  })

  it('that hangs while it makes a pool leaves a job that can be cancelled, and nothing else', async () => {
    const fakes = await start({ controller: { 'apply-seconds': 1 } })
    fakes.faults({ program: 'zpool', match: '^create', hang: true })
    const { status, json, headers } = await make()
    expect([status, json.type]).toEqual([202, 'pool.create'])
    expect(headers.location).toBe(`/api/v1/jobs/${json.id}`)
    fakes.faults()
    expect((await make()).json).toMatchObject({ code: 'CONFLICT', details: 'tank' })
    expect((await world.ask('POST', `/jobs/${json.id}/cancel`)).json.status).toBe('cancelled')
    expect(await names()).toEqual([])
    expect([201, 202]).toContain((await make()).status)
  })

  const garbage = ['', '<html>', 'tank\tx\ty\tz\tONLINE\t1\n', '\u0000\ufffd'.repeat(500)]
  test.for(garbage.map((text) => [text.slice(0, 12), text]))(
    'that prints garbage (%j) is no answer',
    async ([, text]) => {
      const fakes = await start()
      await make()
      for (const match of ['^list', '^status', '^get', '^import$']) {
        fakes.faults({ program: 'zpool', match, status: 0, stdout: text })
        for (const path of ['/pools', '/pools/tank', '/pools/available', '/pools/tank/scrub']) {
          const answer = await world.ask('GET', path)
          expect([path, match, [200, 404, 502].includes(answer.status)]).toEqual([path, match, true])
          if (answer.status === 502) expect(answer.json.code).toBe('COMMAND_FAILED')
          expect(JSON.stringify(answer.json)).not.toMatch(LEAKS)
        }
      }
      fakes.faults({ program: 'lsblk', status: 0, stdout: text })
      expect((await world.ask('GET', '/pools/available')).status).toBe(502)
    },
  )

  it('that is killed or fails without a word is told so, and nothing leaks', async () => {
    const fakes = await start()
    for (const how of [
      { kill: 'self' as const },
      { status: 7 },
      { status: 1, stderr: 'internal error: /tmp/secret at 0x7f' },
    ]) {
      fakes.faults({ program: 'zpool', match: '^list', ...how })
      const { status, json } = await world.ask('GET', '/pools')
      expect([status, json.code]).toEqual([502, 'COMMAND_FAILED'])
      expect(json.message).not.toMatch(/zpool list|node/)
      fakes.faults({ program: 'zpool', match: '^create', ...how })
      const made = await make()
      expect([made.status, made.json.code, made.json.details]).toEqual([502, 'COMMAND_FAILED', 'tank'])
    }
    fakes.faults()
    expect(await names()).toEqual([])
  })

  it('that says a pool is busy, or suspended, is a conflict in its own words', async () => {
    const fakes = await start()
    await make()
    for (const words of [
      "cannot unmount '/tank': pool or dataset is busy",
      "cannot destroy 'tank': pool I/O is currently suspended",
    ]) {
      fakes.faults({ program: 'zpool', match: '^destroy', stderr: words })
      expect((await world.ask('DELETE', '/pools/tank')).json).toEqual({
        code: 'CONFLICT',
        message: words,
        details: 'tank',
      })
    }
    fakes.faults()
    fakes.change((model) => {
      model.datasets['tank']!['busy'] = true
    })
    for (const call of ['DELETE /pools/tank', 'POST /pools/tank/export'])
      expect((await world.ask(call.split(' ')[0]!, call.split(' ')[1]!)).json.code).toBe('CONFLICT')
    expect(await names()).toEqual(['tank'])
  })
})

describe.skipIf(REAL)(`a pool that cannot be opened ${FAKES_ONLY}`, () => {
  it('is listed as it is, shown with what is missing, and can be destroyed', async () => {
    const fakes = await start()
    await make()
    fakes.change((model) => {
      for (const vdev of model.pools['tank']!['vdevs'] as Record<string, string>[]) vdev['state'] = 'UNAVAIL'
    })
    const [pool] = (await world.ask('GET', '/pools')).json
    expect([pool.status, pool.health]).toEqual(['FAULTED', 'UNAVAIL'])
    const { json } = await world.ask('GET', '/pools/tank')
    expect(json.vdevs[0]).toMatchObject({ state: 'UNAVAIL', note: 'cannot open' })
    expect(json.problem).toContain('could not be opened')
    expect((await world.ask('POST', '/pools/tank/scrub')).status).toBe(409)
    expect((await world.ask('DELETE', '/pools/tank')).status).toBe(200)
  })
})

/** What each kind of task has done by its checkpoint. */
const CREATE = { before: ['pool-started', 'pool-begun'], after: ['pool-done'] }

describe.skipIf(REAL)(`a script that dies ${FAKES_ONLY}`, () => {
  const faults = ['kill', 'error']
  const jobs = async () => (await world.ask('GET', '/jobs')).json
  /** The world with a fault in its scripts, and what the job of `act` became. */
  async function cut(name: string, act: () => Promise<unknown>) {
    fault(name)
    await act()
    fault()
    return until('the job has ended', async () => (await jobs())[0]?.completed_at && (await jobs())[0])
  }

  for (const how of faults) {
    test.for(CREATE.before)(`by ${how} at %s leaves no pool, and the next try makes one`, async (step) => {
      await start()
      const job = await cut(`${step}=${how}`, make)
      expect([job.status, job.type]).toEqual(['failed', 'pool.create'])
      if (how === 'kill') expect(job.error).toMatch(/^interrupted/)
      expect(await names()).toEqual([])
      expect((await make()).status).toBe(201)
    })

    test.for(CREATE.after)(`by ${how} at %s leaves a whole pool, and the job says so`, async (step) => {
      const fakes = await start()
      const job = await cut(`${step}=${how}`, make)
      expect([job.status, job.error]).toEqual(['completed', undefined])
      expect(await names()).toEqual(['tank'])
      expect(fakes.model().datasets['tank']!['properties']).toEqual({ 'edge-admin:upkeep': 'scrub=monthly,trim=never' })
      expect((await make()).status).toBe(409)
    })

    test.for([
      ['pool-begun', 'DELETE /pools/tank', true],
      ['pool-done', 'DELETE /pools/tank', false],
      ['pool-begun', 'POST /pools/tank/export', true],
      ['pool-done', 'POST /pools/tank/export', false],
    ] as const)(`by ${how} at %s of %s leaves the pool or not, and the job says which`, async ([step, call, there]) => {
      await start()
      await make()
      const [method = '', path = ''] = call.split(' ')
      const job = await cut(`${step}=${how}`, () => world.ask(method, path))
      expect(job.status).toBe(there ? 'failed' : 'completed')
      expect(await names()).toEqual(there ? ['tank'] : [])
      if (there) expect((await world.ask(method, path)).status).toBe(200)
    })

    test.for([
      ['pool-begun', false],
      ['pool-done', true],
    ] as const)(
      `by ${how} at %s of an import leaves the pool imported or not, and the job says which`,
      async ([step, there]) => {
        await start()
        await make()
        await world.ask('POST', '/pools/tank/export')
        const act = () => world.ask('POST', '/pools/import', { json: { name: 'tank' } })
        const job = await cut(`${step}=${how}`, act)
        expect(job.status).toBe(there ? 'completed' : 'failed')
        expect(await names()).toEqual(there ? ['tank'] : [])
        if (!there) expect((await act()).status).toBe(200)
      },
    )
  }

  it('with zpool, in the middle of making a pool, ends as the pool did', async () => {
    for (const [when, status] of [
      ['before', 'failed'],
      ['after', 'completed'],
    ] as const) {
      const fakes = await start()
      fakes.faults({ program: 'zpool', match: '^create', when, kill: 'parent' })
      await make()
      fakes.faults()
      const job = await until('it ended', async () => (await jobs())[0]?.completed_at && (await jobs())[0])
      expect([when, job.status]).toEqual([when, status])
      expect(await names()).toEqual(when === 'after' ? ['tank'] : [])
      await world.close()
    }
    await start()
  })

  it('leaves somebody else’s pool of the same name alone', async () => {
    const fakes = await start()
    fakes.faults({ program: 'zpool', match: '^create', kill: 'parent' })
    const act = async () => {
      const answer = make()
      await until('zpool was called', () => fakes.calls().some(({ args }) => args[0] === 'create'))
      // By hand, in the instant of the death.
      fakes.faults()
      fakes.change((model) => {
        model.pools['tank'] = { name: 'tank', guid: '77', vdevs: [], properties: {} }
        model.datasets['tank'] = { type: 'filesystem', guid: '78', createtxg: 1, creation: 1, properties: {}, own: 0 }
      })
      return answer
    }
    const job = await cut('', act)
    expect(job.status).toBe('failed')
    expect(fakes.model().pools['tank']).toMatchObject({ guid: '77' })
  })
})

describe.skipIf(REAL)(`properties that are half set of a pool that is away ${FAKES_ONLY}`, () => {
  it('are put back once it is imported, and the audit log says so', async () => {
    const fakes = await start()
    const patch = () => world.ask('PATCH', '/pools/tank', { json: { options: { autotrim: 'on', comment: 'new' } } })
    const values = () => fakes.model().pools['tank']?.['properties'] as Record<string, string> | undefined
    await make()
    await world.ask('POST', '/pools/tank/export')
    await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    // The script dies with its pool out of reach, as in a power cut.
    fakes.faults({ program: 'zpool', match: '^list -H -o guid,name', stderr: 'no pools' })
    fault('vdev-set=kill')
    await patch()
    fault()
    await until('it was given up', async () => (await world.ask('GET', '/jobs')).json[0]?.completed_at)
    fakes.faults()
    expect(values()).toMatchObject({ autotrim: 'on' })
    await world.ask('POST', '/pools/tank/export')
    await world.ask('POST', '/pools/import', { json: { name: 'tank' } })
    await until('they are put back', () => values()?.['autotrim'] === 'off')
    const entries = async () =>
      (await world.ask('GET', '/audit?resource=pools/tank&limit=1', { as: 'administrator' })).json as Record<
        string,
        unknown
      >[]
    await until('it is in the audit log', async () => (await entries())[0]?.['actor'] === 'system')
    expect(await entries()).toMatchObject([{ action: 'pools.update', result: 'success' }])
  })
})

describe.skipIf(REAL)(`a scrub whose script or server dies ${FAKES_ONLY}`, () => {
  const percentOf = (percent: number) =>
    world.fakes!.change((model) => {
      model.pools['tank']!['scan'] = { ...(model.pools['tank']!['scan'] as object), percent }
    })
  const stop = () =>
    world.fakes!.change((model) => {
      model.scrubStep = 0
    })
  const job = async (id: string) => (await world.ask('GET', `/jobs/${id}`)).json
  const pidOf = (id: string) => {
    const { folders, read } = world.appliance
    return Number(read(join(folders.state, 'tasks', id, 'pid')).split(' ')[0])
  }

  it('goes on, and is followed again to its end', async () => {
    await start()
    await make()
    stop()
    const { json } = await world.ask('POST', '/pools/tank/scrub')
    percentOf(20)
    await until('it shows', async () => (await job(json.job)).progress === 20)
    process.kill(-pidOf(json.job), 'SIGKILL')
    percentOf(60)
    await until('it is followed again', async () => (await job(json.job)).progress === 60)
    expect(await job(json.job)).toMatchObject({ status: 'running', message: 'scrubbing' })
    // Killed once more: the one that follows is found and replaced as the first was.
    process.kill(-pidOf(json.job), 'SIGKILL')
    percentOf(70)
    await until('it is followed once more', async () => (await job(json.job)).progress === 70)
    world.fakes!.change((model) => {
      model.scrubStep = 50
    })
    expect(await world.job(json.job)).toMatchObject({ status: 'completed', progress: 100 })
  })

  it('is stopped by its job after it was taken up again', async () => {
    await start()
    await make()
    stop()
    const { json } = await world.ask('POST', '/pools/tank/scrub')
    process.kill(-pidOf(json.job), 'SIGKILL')
    percentOf(30)
    await until('it is followed again', async () => (await job(json.job)).progress === 30)
    expect((await world.ask('POST', `/jobs/${json.job}/cancel`)).json.status).toBe('cancelled')
    expect((await world.ask('GET', '/pools/tank/scrub')).json.status).toBe('cancelled')
  })

  it('that ended while nobody followed is reported as completed', async () => {
    await start()
    await make()
    stop()
    const { json } = await world.ask('POST', '/pools/tank/scrub')
    // It ends in the very look that recover takes.
    world.fakes!.change((model) => {
      model.pools['tank']!['scan'] = { kind: 'scrub', state: 'finished', start: 1, end: 3, percent: 100, repaired: 0 }
    })
    process.kill(-pidOf(json.job), 'SIGKILL')
    expect(await world.job(json.job)).toMatchObject({ status: 'completed' })
  })

  test.for(['scrub-started', 'scrub-begun'])('at %s was not started, and says so', async (step) => {
    await start()
    await make()
    fault(`${step}=kill`)
    const { status } = await world.ask('POST', '/pools/tank/scrub')
    fault()
    expect(status).toBe(502)
    expect((await world.ask('GET', '/pools/tank/scrub')).json.status).toBe('none')
    expect((await world.ask('POST', '/pools/tank/scrub')).status).toBe(200)
  })

  it('at scrub-running goes on, and is followed', async () => {
    await start()
    await make()
    stop()
    fault('scrub-running=kill')
    const { status, json } = await world.ask('POST', '/pools/tank/scrub')
    fault()
    expect([status, json]).toEqual([200, { message: 'scrub started', job: expect.any(String) }])
    percentOf(50)
    await until('it is followed', async () => (await job(json.job)).progress === 50)
    expect((await world.ask('POST', `/jobs/${json.job}/cancel`)).json.status).toBe('cancelled')
  })

  it('that was stopped by hand ends its job as cancelled', async () => {
    const fakes = await start()
    await make()
    stop()
    const { json } = await world.ask('POST', '/pools/tank/scrub')
    fakes.change((model) => {
      model.pools['tank']!['scan'] = { kind: 'scrub', state: 'canceled', start: 1, end: 2, percent: 10 }
    })
    expect(await world.job(json.job)).toMatchObject({ status: 'cancelled', message: 'The scrub was stopped' })
  })

  it('survives kill -9 of the server, which shows it running when it is back', async () => {
    let server: Server
    const served = await makeWorld(startServer)
    world = served
    try {
      await make()
      stop()
      const { json } = await world.ask('POST', '/pools/tank/scrub')
      percentOf(10)
      await until('it shows', async () => (await job(json.job)).progress === 10)
      await served.appliance.kill('SIGKILL')
      server = await served.appliance.again()
      served.url = server.url
      served.appliance = server
      percentOf(40)
      await until('it goes on', async () => (await job(json.job)).progress === 40)
      expect(await job(json.job)).toMatchObject({ status: 'running' })
      world.fakes!.change((model) => {
        model.scrubStep = 50
      })
      expect(await world.job(json.job)).toMatchObject({ status: 'completed' })
    } finally {
      writeFileSync(join(world.files, 'done'), '')
    }
  })
})

describe.skipIf(REAL)(`a pool and kill -9 of the server ${FAKES_ONLY}`, () => {
  test.for(['pool-started', 'pool-begun', 'pool-done'])(
    'at %s: the script goes on, and the pool is there when the server is back',
    async (step) => {
      const environment = { EDGE_FAULT: `${step}=pause` }
      const served = await makeWorld(startServer, { environment })
      world = served
      const answer = make().catch(() => 'no answer')
      const id = await until('the script waits', async () => {
        const [job] = (await world.ask('GET', '/jobs')).json
        return (
          job?.status === 'running' &&
          world.appliance.read(join(world.appliance.folders.state, 'tasks', job.id, 'paused')) !== undefined &&
          job.id
        )
      })
      await served.appliance.kill('SIGKILL')
      expect(await answer).toBe('no answer')
      const server = await served.appliance.again()
      served.url = server.url
      served.appliance = server
      await until('the script goes on', async () => {
        rmSync(join(server.folders.state, 'tasks', id, 'paused'), { force: true })
        return (await world.ask('GET', `/jobs/${id}`)).json.completed_at
      })
      expect((await world.ask('GET', `/jobs/${id}`)).json.status).toBe('completed')
      expect(await names()).toEqual(['tank'])
      // Who asked for it is known, though the request that would have entered it is gone.
      const entries = async () => (await world.ask('GET', '/audit?resource=pools/tank', { as: 'administrator' })).json

      await until('the end is entered', async () => (await entries()).length > 0)
      expect(await entries()).toMatchObject([{ action: 'pools.create', result: 'success', actor_name: 'operator' }])
    },
  )

  test('one that ended while no server was there is entered at the next start, once', async () => {
    const served = await makeWorld(startServer, { environment: { EDGE_FAULT: 'pool-begun=pause' } })
    world = served
    const answer = make().catch(() => 'no answer')
    const tasks = join(served.appliance.folders.state, 'tasks')
    const id = await until('the script waits', async () => {
      const [job] = (await world.ask('GET', '/jobs')).json
      return job?.status === 'running' && existsSync(join(tasks, job.id, 'paused')) && job.id
    })
    await served.appliance.kill('SIGKILL')
    await answer
    rmSync(join(tasks, id, 'paused'))
    await until('it has ended', async () => readFileSync(join(tasks, id, 'status.json'), 'utf8').includes('completed'))
    for (let starts = 0; starts < 2; starts++) {
      if (starts > 0) await served.appliance.kill('SIGKILL')
      const server = await served.appliance.again()
      served.url = server.url
      served.appliance = server
      const entries = async () => (await world.ask('GET', '/audit?resource=pools/tank', { as: 'administrator' })).json

      await until('the end is entered', async () => (await entries()).length > 0)
      expect(await entries()).toMatchObject([{ action: 'pools.create', result: 'success', actor_name: 'operator' }])
    }
  })
})
