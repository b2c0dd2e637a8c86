// kill -9 of the server in the middle of iSCSI changes, and what it finds at its next start, on the real program and
// the fakes. What a kill leaves is put in order in the background of the start, so it is waited for, never assumed.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseLio } from '../../src/drivers/lio.ts'
import { targetId } from '../../src/features/iscsi/names.ts'
import { type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { FAKES_ONLY, makeWorld, REAL, type World } from './storage-world.ts'

const IQN = 'iqn.2024-12.com.example:edge.faults'
const CLIENT = 'iqn.2024-12.com.client:initiator1'
const TARGETS = '/api/v1/iscsi/targets'
const ONE = `${TARGETS}/${targetId(IQN)}`
const POOL = 'iscsitank'

describe.skipIf(REAL)(`an iSCSI change that is cut short ${FAKES_ONLY}`, { timeout: 240_000 }, () => {
  const environment: Record<string, string> = {}
  let world: World<Server>
  let server: Server
  const program = (name: string) => join(world.fakes?.programs ?? '', name)
  const run = (name: string, ...args: string[]) => execFileSync(program(name), args, { encoding: 'utf8' })
  const live = () => parseLio(run('lio', 'read'))
  const saved = () => readFileSync(join(server.folders.state, 'saveconfig.json'), 'utf8')
  const marks = () => readdirSync(join(server.folders.state, 'iscsi'))
  const send = (method: string, path: string, json?: object) =>
    ask(server.url, method, path, { bearer: world.tokens.operator, ...(json && { json }) })
  const addLun = () => send('POST', `${ONE}/luns`, { zvol: `${POOL}/v2` })
  const setMutual = () => send('PUT', ONE, { mutual_chap: { username: 'target', password: 'canary-mutual-secret' } })
  const CHANGES = { 'a new LUN': addLun, 'a mutual secret': setMutual }
  const CUTS = (['a new LUN', 'a mutual secret'] as const).flatMap((what) =>
    ['iscsi-marked', 'iscsi-applied'].map((step) => ({ what, step })),
  )
  /** Starts the server again, with a fault or without, and waits until it has put everything in order. */
  async function again(fault?: string): Promise<void> {
    await server.kill('SIGKILL')
    delete environment['EDGE_FAULT']
    if (fault) environment['EDGE_FAULT'] = fault
    server = await server.again()
    await until('everything is in order', () => marks().length === 0)
  }

  beforeAll(async () => {
    world = await makeWorld(startServer, { environment })
    server = world.appliance
    run('zpool', 'create', POOL, ...world.disks(1))
    for (const name of ['v1', 'v2']) run('zfs', 'create', '-s', '-V', '64M', `${POOL}/${name}`)
    const chap = { username: 'user', password: 'canary-chap-secret' }
    expect((await send('POST', TARGETS, { iqn: IQN, initiators: [CLIENT], chap })).status).toBe(201)
    expect((await send('POST', `${ONE}/luns`, { zvol: `${POOL}/v1` })).status).toBe(201)
  }, 120_000)
  afterAll(async () => {
    await server?.kill('SIGKILL')
    await world?.close()
  })

  it.for(CUTS)('by kill -9 at $step of $what is as if it had not been asked for', async ({ what, step }) => {
    const before = [live(), saved()]
    await again(`${step}=kill`)
    await expect(CHANGES[what]()).rejects.toThrow()
    expect(marks()).toEqual([targetId(IQN)])
    await again()
    expect([live(), saved()]).toEqual(before)
  })

  it.for(CUTS)('by an error at $step of $what is as if it had not been asked for', async ({ what, step }) => {
    const before = [live(), saved()]
    await again(`${step}=error`)
    const { status, json } = await CHANGES[what]()
    expect([status, json.code]).toEqual([500, 'INTERNAL_ERROR'])
    expect([live(), saved(), marks()]).toEqual([...before, []])
    await again()
  })

  it.for([2, 4, 7, 9, 11, 12])('by kill -9 after %i of its steps is as if it had not been asked for', async (after) => {
    const before = [live(), saved()]
    world.fakes?.change((model) => {
      model['lio'].stop = { after, kill: 'parent' }
    })
    await expect(addLun()).rejects.toThrow()
    expect([after, live()]).not.toEqual([after, before[0]])
    await again()
    expect([live(), saved()]).toEqual(before)
  })

  it('by kill -9 once it is saved is made', async () => {
    await again('iscsi-saved=kill')
    await expect(addLun()).rejects.toThrow()
    await again()
    expect((await send('GET', ONE)).json.luns.map(({ id }: { id: number }) => id)).toEqual([0, 1])
    const { status } = await send('POST', `${ONE}/luns/remove`, { lun_id: 1 })
    expect(status).toBe(200)
  })

  it('by a power cut comes back at the start, where no targetctl brought it back', async () => {
    const { json } = await send('GET', ONE)
    const said = saved()
    await server.kill('SIGKILL')
    world.fakes?.change((model) => delete model['lio'])
    server = await server.again()
    await until('the target is back', async () => (await send('GET', ONE)).json.note === undefined)
    expect((await send('GET', ONE)).json).toEqual(json)
    expect(saved()).toBe(said)
  })

  it('SEC-13 leaves no password in what the server printed', () => {
    expect(server.output()).not.toContain('canary')
    const found = spawnSync('grep', ['-rl', 'canary-chap-secret', server.folders.root], { encoding: 'utf8' }).stdout
    expect(found.split('\n').filter(Boolean)).toEqual([join(server.folders.state, 'saveconfig.json')])
  })
})
