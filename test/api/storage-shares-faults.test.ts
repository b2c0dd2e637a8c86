// kill -9 of the server, and errors, at each persisted step of a change of a share or an export, on the real program.
// What was never answered with success is undone at the restart; only the very last step, when everything is done, may
// leave a change without an answer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { HAS_SAMBA_TOOLS, useRealSamba } from './samba-world.ts'
import { tool } from './storage-tools.ts'
import { FAKES_ONLY, makeWorld, REAL, startStorage, type World } from './storage-world.ts'

interface Kind {
  path: string
  /** What is made first, and what the change that is cut adds. */
  first: object
  second: object
  change: object
  /** Everything that the program knows. */
  state: (world: World) => string
}

const KINDS: Record<'smb' | 'nfs', Kind> = {
  smb: {
    path: '/shares/smb',
    first: { name: 'first', dataset: 'tank/data' },
    second: { name: 'second', dataset: 'tank/data' },
    change: { read_only: true },
    state: (world) => tool(world, 'net', 'conf', 'list'),
  },
  nfs: {
    path: '/exports/nfs',
    first: { dataset: 'tank/data', clients: ['10.0.0.1'] },
    second: { dataset: 'tank/data', clients: ['10.0.0.2'] },
    change: { read_only: true },
    state: (world) =>
      tool(world, 'exportfs', '-s') +
      readFileSync(join(world.fakes?.folder ?? '', 'exports.d/edge-admin.exports'), 'utf8'),
  },
}
const STEPS = {
  smb: ['smb-noted', 'smb-imported', 'smb-applied', 'smb-done'],
  nfs: ['nfs-noted', 'nfs-written', 'nfs-applied', 'nfs-done'],
}
const METHODS = ['POST', 'PUT', 'DELETE'] as const
/** Everything with a POST, and the rest where the program has the change and the server does not know it yet. */
const cutsOf = (kind: 'smb' | 'nfs') =>
  STEPS[kind].flatMap((step, i) =>
    METHODS.filter((method) => method === 'POST' || i === 1).map((method) => ({ step, method })),
  )

async function prepare(world: World, kind: 'smb' | 'nfs'): Promise<void> {
  if (kind === 'smb' && HAS_SAMBA_TOOLS) useRealSamba(world)
  tool(world, 'zpool', 'create', '-f', 'tank', ...world.disks(1))
  tool(world, 'zfs', 'create', 'tank/data')
}

for (const kind of ['smb', 'nfs'] as const)
  describe.skipIf(REAL)(`a change of ${kind} that is cut short ${FAKES_ONLY}`, () => {
    const { path, first, second, change, state } = KINDS[kind]
    const worlds: { killed?: World<Server>; failed?: World } = {}
    afterAll(async () => {
      delete process.env['EDGE_FAULT']
      await server?.close()
      await worlds.failed?.close()
    })
    const environment: Record<string, string> = {}
    let server: Server | undefined

    test.for(cutsOf(kind))(
      'by kill -9 at $step of a $method is done wholly or not at all',
      async ({ step, method }) => {
        if (!worlds.killed) {
          worlds.killed = await makeWorld<Server>(startServer, { environment })
          server = worlds.killed.appliance
          await prepare(worlds.killed, kind)
        }
        const world = worlds.killed
        const send = (how: string, at: string, json?: object) =>
          ask(server?.url ?? '', how, `/api/v1${at}`, { bearer: world.tokens.operator, ...(json && { json }) })
        const restart = async (fault?: string) => {
          await server?.kill('SIGKILL')
          if (fault === undefined) delete environment['EDGE_FAULT']
          else environment['EDGE_FAULT'] = fault
          server = await server?.again()
        }
        const { json: made } = await send('POST', path, first)
        const before = state(world)
        await restart(`${step}=kill`)
        const act =
          method === 'POST'
            ? send(method, path, second)
            : send(method, `${path}/${made.id}`, method === 'PUT' ? change : undefined)
        await expect(act).rejects.toThrow()
        await restart()

        const isDone = step.endsWith('-done')
        // The server sees to it by itself when it starts.
        if (!isDone) await until('the change is undone', () => state(world) === before)
        const { json: left } = await send('GET', path)
        const done = {
          POST: [made, expect.objectContaining({ managed: true })],
          PUT: [{ ...made, ...change }],
          DELETE: [],
        }[method]
        expect(left).toEqual(isDone ? done : [made])
        // And everything works again.
        for (const { id } of left) expect((await send('DELETE', `${path}/${id}`)).status).toBe(200)
      },
    )

    const failing = cutsOf(kind).filter(({ step }) => !step.endsWith('-done'))
    test.for(failing)('by an error at $step of a $method is not done at all', async ({ step, method }) => {
      if (!worlds.failed) {
        worlds.failed = await startStorage()
        await prepare(worlds.failed, kind)
      }
      const world = worlds.failed
      const { json: made } = await world.ask('POST', path, { json: first })
      const before = state(world)
      process.env['EDGE_FAULT'] = `${step}=error`
      const answer = await (method === 'POST'
        ? world.ask(method, path, { json: second })
        : world.ask(method, `${path}/${made.id}`, method === 'PUT' ? { json: change } : {}))
      delete process.env['EDGE_FAULT']
      expect([answer.status, answer.json.code]).toEqual([500, 'INTERNAL_ERROR'])
      expect(JSON.stringify(answer.json)).not.toContain('fault at')
      expect((await world.ask('GET', path)).json).toEqual([made])
      expect(state(world)).toBe(before)
      expect((await world.ask('DELETE', `${path}/${made.id}`)).status).toBe(200)
    })
  })
