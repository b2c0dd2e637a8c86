// The fault table of the scripts that work on datasets: each persisted step, failing by itself, killed, and with the
// server killed under it, on the real program. The steps are read from the scripts: a new one is a new row. Not every
// end is all or nothing, ZFS cannot give back what it destroyed; but the job must never say that something was done
// which was not, nor leave a file system unmounted.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Task } from '../../src/tasks/task.ts'
import { REPOSITORY, type Server, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { faultyInstallation, setFault } from './fault-file.ts'
import { clearPool, makePool, tool } from './storage-tools.ts'
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
const tasksOf = (server: Server) => readdirSync(folderOf(server)).sort()
const isFinal = ({ status }: Task) => !['pending', 'running'].includes(status)

/** Worlds that no row uses now: with a pool that is empty, and no policy. The tasks of older rows are still there, and have ended. */
const idle: World<Server>[] = []
afterAll(() => Promise.all(idle.map((world) => world.close())))
async function anyWorld(): Promise<World<Server>> {
  const free = idle.pop()
  if (free) return free
  const world = await makeWorld(startServer, { installed: faultyInstallation() })
  makePool(world)
  return world
}

beforeAll(() => {
  faultyInstallation()
})

describe.skipIf(REAL).concurrent(`each persisted step × each fault ${FAKES_ONLY}`, () => {
  test.for(rows)('$kind: $fault at $step', { timeout: 240_000 }, async ({ kind, step, fault }, { expect }) => {
    const { prepare, start, done, scheduled } = KINDS[kind] as Kind
    const world = await anyWorld()
    const call: Call = (method, path, json) =>
      ask(world.appliance.url, method, `/api/v1${path}`, {
        bearer: world.tokens.operator,
        ...(json !== undefined && { json }),
      })
    const again = async (signal: NodeJS.Signals) => {
      await world.appliance.kill(signal)
      setFault(world.appliance.folders)
      world.appliance = await world.appliance.again()
    }
    const isDone = () => done.test(names(world).join())
    try {
      tool(world, 'zfs', 'create', 'tank/data')
      prepare(world)
      const older = tasksOf(world.appliance)
      const ids = () => tasksOf(world.appliance).filter((id) => !older.includes(id))
      const tasks = (): Task[] =>
        ids()
          .map((id) => join(folderOf(world.appliance), id, 'status.json'))
          // A task is a folder before it is a task.
          .filter((file) => existsSync(file))
          .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Task)
      const before = { names: names(world), mounts: mounts(world) }
      setFault(world.appliance.folders, `${step}=${fault === 'server' ? 'pause' : fault}`)
      const request = start(call).catch(() => undefined)
      if (fault === 'server') {
        const pausing = () => {
          const [id = 'none'] = ids()
          const marker = join(folderOf(world.appliance), id, 'paused')
          return existsSync(marker) && marker
        }
        await until('the script is at its step', pausing, 90)
        await again('SIGKILL')
        await request
      }
      const ended = () => {
        // A step in a loop comes again, and pauses again.
        for (const id of ids()) rmSync(join(folderOf(world.appliance), id, 'paused'), { force: true })
        return tasks().find(isFinal)
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
      else if (scheduled) await again('SIGTERM')
      else {
        setFault(world.appliance.folders)
        if (!isDone()) await start(call)
      }
      await until('what was wanted is so', () => isDone() && tasks().every(isFinal), 90)
      if (names(world).includes('tank/data')) expect(mounts(world)).toMatch(/^tank\/data\tyes$/m)
      if (scheduled) await call('DELETE', '/snapshot-policies/tank/data')
      clearPool(world)
    } catch (error) {
      await world.close()
      throw error
    }
    idle.push(world)
  })
})
