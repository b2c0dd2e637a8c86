// kill -9 of the server, and errors, at each persisted step of a change of a mount point's permissions.
// It is done wholly or not at all, and can be asked for again. A recursive one is a job: it says how far it came.
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type InProcess, installation, type Server, startAppliance, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { faultyInstallation, setFault } from './fault-file.ts'
import { makeAccounts, tool } from './storage-tools.ts'
import { makeWorld, REAL, type World } from './storage-world.ts'

const isRoot = process.getuid?.() === 0
const why = 'fakes only, and needs root; skipped: EDGE_REAL=1 or not root'
const PATH = '/datasets/tank/data/permissions'
const STEPS = ['noted', 'turned-on', 'owned', 'applied', 'done'].map((step) => `permissions-${step}`)
/** The dataset has no lists yet: a list turns them on. */
const CHANGE = {
  ...{ owner: 'alice', group: 'staff', mode: '2770', acltype: 'posixacl' },
  acl: { entries: [{ type: 'user', name: 'bob', permissions: 'r-x' }] },
}

function prepare(world: World): void {
  tool(world, 'zpool', 'create', '-O', `mountpoint=${world.files}/tank`, 'tank', ...world.disks(1))
  makeAccounts(world)
  lay(world)
}
const top = (world: World) => join(world.files, 'tank/data')
function lay(world: World): void {
  tool(world, 'zfs', 'create', 'tank/data')
  mkdirSync(top(world), { recursive: true })
  chmodSync(top(world), 0o755)
}
const state = (world: World) => {
  const { uid, gid, mode } = lstatSync(top(world))
  const lists = tool(world, 'getfacl', '--absolute-names', '--numeric', '--', top(world))
  const properties = tool(world, 'zfs', 'get', '-Hp', '-o', 'property,value,source', 'acltype,xattr', 'tank/data')
  return [`${uid}:${gid} ${(mode & 0o7777).toString(8)}`, lists, properties]
}
const again = (world: World) => {
  tool(world, 'zfs', 'destroy', '-r', 'tank/data')
  rmSync(top(world), { recursive: true, force: true })
  lay(world)
}

describe.skipIf(REAL || !isRoot)(`a change of permissions that fails (${why})`, () => {
  let world: World<InProcess>
  beforeAll(async () => {
    world = await makeWorld(startAppliance, { scripts: join(installation(), 'scripts') })
    prepare(world)
  })
  afterAll(() => world?.close())

  test.for(STEPS.filter((step) => !step.endsWith('-done')))('by an error at %s is not done at all', async (step) => {
    const before = state(world)
    process.env['EDGE_FAULT'] = `${step}=error`
    const { status, json } = await world.ask('PUT', PATH, { json: CHANGE })
    delete process.env['EDGE_FAULT']
    expect([status, json.code]).toEqual([500, 'INTERNAL_ERROR'])
    // The undoing met the same error, and is done before anybody reads.
    expect((await world.ask('GET', PATH)).status).toBe(200)
    expect(state(world)).toEqual(before)
    expect((await world.ask('PUT', PATH, { json: CHANGE })).status).toBe(200)
    expect(state(world)).not.toEqual(before)
    again(world)
  })
})

describe.skipIf(REAL || !isRoot)(`a change of permissions that is cut short by kill -9 (${why})`, () => {
  const environment: Record<string, string> = {}
  let world: World<Server>
  let server: Server
  beforeAll(async () => {
    world = await makeWorld(startServer, { environment })
    server = world.appliance
    prepare(world)
  })
  afterAll(() => world?.close())
  const restart = async (fault?: string) => {
    await server.kill('SIGKILL')
    if (fault === undefined) delete environment['EDGE_FAULT']
    else environment['EDGE_FAULT'] = fault
    server = await server.again()
    world.appliance = server
  }
  const send = (method: string, path: string, json?: unknown) =>
    ask(server.url, method, `/api/v1${path}`, { bearer: world.tokens.operator, ...(json !== undefined && { json }) })

  test.for(STEPS)('at %s is done wholly or not at all', async (step) => {
    const before = state(world)
    await restart(`${step}=kill`)
    await expect(send('PUT', PATH, CHANGE)).rejects.toThrow()
    await restart()
    const isDone = step.endsWith('-done')
    const left = isDone && state(world)
    if (!isDone) await until('it is undone', () => JSON.stringify(state(world)) === JSON.stringify(before))
    again(world)
    expect(await send('PUT', PATH, CHANGE)).toMatchObject({ status: 200, json: { owner: 'alice', mode: '2770' } })
    if (isDone) expect(left).toEqual(state(world))
    again(world)
  })
})

describe.skipIf(REAL || !isRoot)(`a recursive change of permissions that is cut short (${why})`, () => {
  const FILES = 450
  const names = Array.from({ length: FILES }, (_, i) => `f${i}`)
  const RECURSIVE = { ...CHANGE, recursive: true }
  /** How far it comes, the folder itself being one of the files and folders. */
  const reached: Record<string, number> = { 'dataset-permissions-started': 0, 'permissions-part': 200 }
  let world: World<InProcess>
  beforeAll(async () => {
    world = await makeWorld(startAppliance, { scripts: join(faultyInstallation(), 'scripts') })
    prepare(world)
  })
  afterAll(() => world?.close())
  const owned = () => ['', ...names].filter((name) => lstatSync(join(top(world), name)).uid === 1001).length
  const change = async () => {
    const answer = await world.ask('PUT', PATH, { json: RECURSIVE, headers: { Prefer: 'respond-async' } })
    expect(answer).toMatchObject({ status: 202, json: { id: expect.any(String) } })
    return world.job(answer.json.id)
  }

  test.for(Object.keys(reached).flatMap((step) => (['kill', 'error'] as const).map((fault) => ({ step, fault }))))(
    'by $fault at $step says how far it came, and can be asked for again',
    async ({ step, fault }) => {
      for (const name of names) writeFileSync(join(top(world), name), '')
      setFault(world.appliance.folders, `${step}=${fault}`)
      const { status, message } = await change()
      setFault(world.appliance.folders)
      const count = reached[step] ?? 0
      expect([status, owned()]).toEqual(['failed', count])
      expect(message).toMatch(
        count > 0 ? new RegExp(`after ${count} files and folders, the last of them f\\d+\\. `) : /^Script error$/,
      )
      const { status: end, message: said } = await change()
      expect([end, said, owned()]).toEqual(['completed', `${FILES + 1} files and folders done`, FILES + 1])
      again(world)
    },
  )
})
