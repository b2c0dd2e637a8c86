// The fault table of the scripts that work on datasets: each persisted step, failing by itself, killed, and with the
// server killed under it, on the real program. The steps are read from the scripts: a new one is a new row. Not every
// end is all or nothing, ZFS cannot give back what it destroyed; but the job must never say that something was done
// which was not, nor leave a file system unmounted.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, test } from 'vitest'
import type { Task } from '../../src/tasks/task.ts'
import { installation, REPOSITORY, type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { makePool, tool } from './storage-tools.ts'
import { FAKES_ONLY, makeWorld, REAL, type World } from './storage-world.ts'

type Call = (method: string, path: string, json?: unknown) => Promise<unknown>

interface Kind {
  prepare: (world: World) => void
  start: (call: Call) => Promise<unknown>
  /** What there has to be in the end, and whenever the job says that it is done. */
  done: RegExp
  /** The server's own scheduler starts it, and does so again. */
  scheduled?: true
}

const names = (world: World) =>
  tool(world, 'zfs', 'list', '-H', '-t', 'all', '-o', 'name', '-r', 'tank')
    .split('\n')
    .filter((name) => name.startsWith('tank/'))
const mounts = (world: World) => tool(world, 'zfs', 'list', '-H', '-t', 'filesystem', '-o', 'name,mounted')
const snapshots = (world: World, mark: string, ...labels: string[]) => {
  for (const label of labels) tool(world, 'zfs', 'snapshot', '-o', `edge-admin:snapshot=${mark}`, `tank/data@${label}`)
}
const HOURS = ['00', '01', '02'].map((hour) => `hourly-20200101-${hour}0000`)

const KINDS: Record<string, Kind> = {
  'dataset-destroy': {
    prepare(world) {
      tool(world, 'zfs', 'create', 'tank/data/child')
      snapshots(world, '', 'one')
    },
    start: (call) => call('DELETE', '/datasets/tank/data?recursive=true'),
    done: /^$/,
  },
  'snapshot-rollback': {
    prepare: (world) => snapshots(world, '', 'one', 'two', 'three'),
    start: (call) => call('POST', '/snapshots/tank/data@one/rollback?recursive=true'),
    done: /^tank\/data,tank\/data@one$/,
  },
  'snapshot-create': {
    prepare() {},
    start: (call) => call('POST', '/snapshot-policies', { dataset: 'tank/data', yearly: 1 }),
    done: /^tank\/data,tank\/data@yearly-\d{8}-\d{6}$/,
    scheduled: true,
  },
  'snapshot-prune': {
    prepare: (world) => snapshots(world, 'hourly', ...HOURS),
    start: (call) => call('POST', '/snapshot-policies', { dataset: 'tank/data', hourly: 1, autosnap: false }),
    done: new RegExp(`^tank/data,tank/data@${HOURS[2]}$`),
    scheduled: true,
  },
}

/** kind → its checkpoints, out of the scripts themselves. */
const steps = (kind: string) =>
  [...readFileSync(join(REPOSITORY, 'scripts', `${kind}.sh`), 'utf8').matchAll(/^\s*checkpoint ([a-z-]+)/gm)].map(
    ([, name]) => name as string,
  )
const rows = Object.keys(KINDS).flatMap((kind) =>
  steps(kind).flatMap((step) => (['error', 'kill', 'server'] as const).map((fault) => ({ kind, step, fault }))),
)

const folderOf = ({ folders }: Server) => join(folders.state, 'tasks')
const tasks = (server: Server): Task[] =>
  readdirSync(folderOf(server))
    .sort()
    .map((id) => join(folderOf(server), id, 'status.json'))
    // A task is a folder before it is a task.
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Task)
const isFinal = ({ status }: Task) => !['pending', 'running'].includes(status)

beforeAll(() => {
  installation()
})

describe.skipIf(REAL).concurrent(`each persisted step × each fault ${FAKES_ONLY}`, () => {
  test.for(rows)('$kind: $fault at $step', { timeout: 240_000 }, async ({ kind, step, fault }, { expect }) => {
    const { prepare, start, done, scheduled } = KINDS[kind] as Kind
    const environment: Record<string, string> = { EDGE_FAULT: `${step}=${fault === 'server' ? 'pause' : fault}` }
    const world = await makeWorld(startServer, { environment })
    let server = world.appliance
    const call: Call = (method, path, json) =>
      ask(server.url, method, `/api/v1${path}`, { bearer: world.tokens.operator, ...(json !== undefined && { json }) })
    const isDone = () => done.test(names(world).join())
    try {
      makePool(world)
      tool(world, 'zfs', 'create', 'tank/data')
      prepare(world)
      const before = { names: names(world), mounts: mounts(world) }
      const request = start(call).catch(() => undefined)
      if (fault === 'server') {
        const pausing = () => {
          const [id = 'none'] = readdirSync(folderOf(server))
          const marker = join(folderOf(server), id, 'paused')
          return existsSync(marker) && marker
        }
        await until('the script is at its step', pausing, 90)
        await server.kill('SIGKILL')
        await request
        delete environment['EDGE_FAULT']
        server = await server.again()
      }
      const ended = () => {
        // A step in a loop comes again, and pauses again.
        for (const id of readdirSync(folderOf(server))) rmSync(join(folderOf(server), id, 'paused'), { force: true })
        return tasks(server).find(isFinal)
      }
      const { status, message } = await until('the task ended', ended, 90)
      await request
      const after = names(world)
      if (status === 'completed') expect(after.join()).toMatch(done)
      else {
        expect(status).toBe(fault === 'error' ? 'failed' : 'interrupted')
        expect(after.filter((name) => !before.names.includes(name) && !name.includes('@yearly-'))).toEqual([])
        // What is gone cannot be given back; but then the job says so, unless it went on its own account.
        if (after.length < before.names.length && fault === 'kill' && kind !== 'snapshot-prune')
          expect(message).toMatch(/may be destroyed in part|may be gone|is not certain/)
        if (after.includes('tank/data/child')) expect(mounts(world)).toBe(before.mounts)
      }
      // A server that dies takes no task with it.
      if (fault === 'server') expect(status).toBe('completed')
      else {
        await server.kill('SIGTERM')
        delete environment['EDGE_FAULT']
        server = await server.again()
        if (!scheduled && !isDone()) await start(call)
      }
      await until('what was wanted is so', () => isDone() && tasks(server).every(isFinal), 90)
      if (names(world).includes('tank/data')) expect(mounts(world)).toMatch(/^tank\/data\tyes$/m)
    } finally {
      await server.close()
    }
  })
})
