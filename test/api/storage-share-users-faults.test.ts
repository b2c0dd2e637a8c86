// kill -9 of the server at each persisted step of a change of share users, between two programs, and errors there. What
// was never answered is undone at the restart; only the very last step may leave a change without an answer.
import { afterAll, describe, expect, test } from 'vitest'
import { type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { tool } from './storage-tools.ts'
import { FAKES_ONLY, makeWorld, REAL, startStorage, type World } from './storage-world.ts'

const USERS = '/share-users'
const GROUPS = '/share-groups'
const first = { name: 'first', password: 'a-good-one-1', groups: ['crew'] }
const second = { name: 'second one', password: 'a-good-one-2', groups: ['crew'] }
const state = (world: World) =>
  tool(world, 'getent', 'passwd') + tool(world, 'getent', 'group') + tool(world, 'pdbedit', '-L', '-w')

type Cut = { method: 'POST' | 'PUT' | 'DELETE'; step: string }
const CUTS: Cut[] = [
  ...['noted', 'made', 'password', 'brought', 'numbered', 'applied', 'done'].map((step) => ({
    method: 'POST' as const,
    step,
  })),
  { method: 'PUT', step: 'brought' },
  { method: 'DELETE', step: 'brought' },
]
const PROGRAMS = [
  { method: 'POST', program: 'useradd', match: '' },
  { method: 'DELETE', program: 'pdbedit', match: '^-x' },
] as const

describe.skipIf(REAL)(`a change of share users that is cut short ${FAKES_ONLY}`, () => {
  const worlds: { killed?: World<Server>; failed?: World } = {}
  const environment: Record<string, string> = {}
  let server: Server | undefined
  afterAll(async () => {
    delete process.env['EDGE_FAULT']
    await server?.close()
    await worlds.failed?.close()
  })
  const killed = async () => {
    if (!worlds.killed) {
      worlds.killed = await makeWorld<Server>(startServer, { environment })
      server = worlds.killed.appliance
      expect((await send('POST', GROUPS, { name: 'crew' })).status).toBe(201)
    }
    return worlds.killed
  }
  const send = (how: string, at: string, json?: object) =>
    ask(server?.url ?? '', how, `/api/v1${at}`, { bearer: worlds.killed!.tokens.operator, ...(json && { json }) })
  const restart = async (fault?: string) => {
    await server?.kill('SIGKILL')
    if (fault === undefined) delete environment['EDGE_FAULT']
    else environment['EDGE_FAULT'] = fault
    server = await server?.again()
  }
  const act = (method: Cut['method'], id: string) =>
    method === 'POST'
      ? send(method, USERS, second)
      : send(
          method,
          `${USERS}/${id}`,
          method === 'PUT' ? { password: 'another-1', full_name: 'F', groups: [] } : undefined,
        )

  test.for(CUTS)('by kill -9 at $step of a $method is done wholly or not at all', async ({ method, step }) => {
    const world = await killed()
    const { json: made } = await send('POST', USERS, first)
    const before = state(world)
    await restart(`share-account-${step}=kill`)
    await expect(act(method, made.id)).rejects.toThrow()
    await restart()
    const isDone = step === 'done'
    if (!isDone) await until('the change is undone', () => state(world) === before)
    const { json: left } = await send('GET', USERS)
    expect(left).toEqual(isDone ? [made, expect.objectContaining({ name: 'second one', groups: ['crew'] })] : [made])
    // And everything works again.
    for (const { id } of left) expect((await send('DELETE', `${USERS}/${id}`)).status).toBe(200)
    expect((await send('GET', GROUPS)).json.map(({ members }: { members: string[] }) => members)).toEqual([[], []])
  })

  test.for(PROGRAMS)(
    'by kill -9 after $program of a $method is not done at all',
    async ({ method, program, match }) => {
      const world = await killed()
      const { json: made } = await send('POST', USERS, first)
      const before = state(world)
      world.fakes?.faults({ program, match, nth: 1, when: 'after', kill: 'parent' })
      await expect(act(method, made.id)).rejects.toThrow()
      world.fakes?.faults()
      await restart()
      await until('the change is undone', () => state(world) === before)
      const { json: left } = await send('GET', USERS)
      expect(left).toEqual([made])
      for (const { id } of left) expect((await send('DELETE', `${USERS}/${id}`)).status).toBe(200)
    },
  )

  test('by kill -9 when a taken-over name is shut out has its sessions ended at the next start', async () => {
    const world = await killed()
    const { json: made } = await send('POST', USERS, first)
    const sessions = () => world.fakes?.model()['samba'].sessions.length
    world.fakes?.change((all) => {
      all['accounts'].users.first.uid = 1001
      all['samba'] ??= { registry: {}, include: true, smbd: true, told: [] }
      all['samba'].sessions = [{ id: '1', pid: 4701, uid: 1001, username: 'first', client: '10.0.0.5' }]
    })
    await restart('share-account-shut-out=kill')
    await expect(send('PUT', `${USERS}/${made.id}`, { full_name: 'F' })).rejects.toThrow()
    expect(sessions()).toBe(1)
    await restart()
    await until('its sessions are ended', () => sessions() === 0)
    expect((await send('GET', USERS)).json).toMatchObject([{ full_name: made.full_name, problem: expect.any(String) }])
    world.fakes?.change(({ accounts: { users } }) => void delete users.first)
    expect((await send('DELETE', `${USERS}/${made.id}`)).status).toBe(200)
  })

  test.for(CUTS.filter(({ step }) => step !== 'done'))(
    'by an error at $step of a $method is not done at all',
    async ({ method, step }) => {
      if (!worlds.failed) {
        worlds.failed = await startStorage()
        await worlds.failed.ask('POST', GROUPS, { json: { name: 'crew' } })
      }
      const world = worlds.failed
      const { json: made } = await world.ask('POST', USERS, { json: first })
      const before = state(world)
      process.env['EDGE_FAULT'] = `share-account-${step}=error`
      const answer = await (method === 'POST'
        ? world.ask(method, USERS, { json: second })
        : world.ask(
            method,
            `${USERS}/${made.id}`,
            method === 'PUT' ? { json: { password: 'another-1', groups: [] } } : {},
          ))
      delete process.env['EDGE_FAULT']
      expect([answer.status, answer.json.code]).toEqual([500, 'INTERNAL_ERROR'])
      expect((await world.ask('GET', USERS)).json).toEqual([made])
      expect(state(world)).toBe(before)
      expect((await world.ask('DELETE', `${USERS}/${made.id}`)).status).toBe(200)
    },
  )
})
