// A world for the storage tests: an appliance with the controller surface, callers of the three roles, disks, and ZFS:
// our fakes on a model, or with EDGE_REAL=1 (inside the virtual machine) the real programs. What only the fakes can do
// goes through `fakes`, which is undefined where the programs are real; everything else has to hold in both places.

import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../../src/auth/principal.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { type Appliance, type InProcess, type Options, startAppliance, temporaryFolder } from './appliance.ts'
import { type CallOptions, until } from './client.ts'
import { addCaller, ask, type JsonAnswer } from './controller.ts'
import { layFaultScripts } from './fault-file.ts'

export const REAL = process.env['EDGE_REAL'] === '1'
/** The name of a group of tests that only make sense on fakes; give its condition to `describe.skipIf`. */
export const FAKES_ONLY = '(fakes only; skipped: EDGE_REAL=1)'

const ROLES = ['viewer', 'operator', 'administrator'] as const
const DISK_BYTES = 512 * 1024 ** 2

export interface World<A extends Appliance = Appliance> {
  appliance: A
  url: string
  tokens: Record<Role, string>
  /** One call below /api/v1 as an operator, unless `as` names another role (or `nobody`). */
  ask: (
    method: string,
    path: string,
    options?: CallOptions & { as?: Role | 'nobody'; json?: unknown },
  ) => Promise<JsonAnswer>
  /** Paths of `n` disks that nobody uses, each time the same ones. */
  disks: (n: number) => string[]
  /** Folder of file-backed vdevs, as the configuration names it. */
  files: string
  /** The job once it ended. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
  job: (id: string) => Promise<any>
  fakes: Fakes | undefined
  close: () => Promise<void>
}

export interface WorldOptions extends Omit<Options, 'config'> {
  /** Members of `surfaces.controller` besides `enabled`. */
  controller?: Record<string, unknown>
  /** Members of `storage` besides the folders of this world. */
  storage?: Record<string, unknown>
  /** Other members of the configuration. */
  config?: Record<string, unknown>
  /** How many disks there are on the fakes. */
  disks?: number
}

/** An appliance in this process; `fault` lets its scripts fail at a checkpoint (`pool-begun=kill`), until it is called without one. */
export async function startStorage(
  options: WorldOptions = {},
): Promise<World<InProcess> & { fault: (name?: string) => void }> {
  const scripts = temporaryFolder()
  const file = join(scripts, 'fault')
  const fault = (name = '') => writeFileSync(file, name)
  fault()
  layFaultScripts(scripts, file)
  return Object.assign(await makeWorld(startAppliance, { scripts, ...options }), { fault })
}

/** A world on whatever `start` starts: the server in this process, or the real program (startServer). */
export async function makeWorld<A extends Appliance>(
  start: (options: Options) => Promise<A>,
  { controller, storage, config, disks = 12, ...options }: WorldOptions = {},
): Promise<World<A>> {
  const folder = temporaryFolder()
  // Not below /dev/shm, where the other files of a run are: a path below /dev names a device.
  const files = mkdtempSync(join('/var/tmp', 'edge-admin-vdevs-'))
  const fakes = REAL ? undefined : installFakes(folder)
  fakes?.change((model) => {
    for (let i = 1; i <= disks; i++)
      model.disks[`/dev/fake${i}`] = { size: DISK_BYTES, links: [`/dev/disk/by-id/fake-DISK${i}`] }
  })
  const others = fakes ? [] : pools()
  const appliance = await start({
    ...options,
    config: {
      ...config,
      surfaces: {
        controller: {
          enabled: true,
          'requests-per-minute': 0,
          // What is slow for being real is not answered with 202 for that.
          ...(!fakes && { 'apply-seconds': 300 }),
          ...controller,
        },
      },
      storage: {
        'file-vdevs': files,
        ...(fakes && { 'exports-folder': join(fakes.folder, 'exports.d') }),
        ...storage,
      },
    },
    ...(fakes && { programs: fakes.programs }),
  })
  const tokens = {} as Record<Role, string>
  for (const role of ROLES) tokens[role] = (await addCaller(appliance.folders, role)).token
  const world: World<A> = {
    appliance,
    url: appliance.url,
    tokens,
    files,
    fakes,
    ask: (method, path, { as = 'operator', ...more } = {}) =>
      ask(world.url, method, `/api/v1${path}`, { bearer: as === 'nobody' ? undefined : tokens[as], ...more }),
    disks: (n) => (fakes ? Object.keys(fakes.model().disks).slice(0, n) : realDisks(n)),
    job: (id) =>
      until(
        `job ${id} ends`,
        async () => {
          const { json } = await world.ask('GET', `/jobs/${id}`)
          return json.completed_at && json
        },
        60,
      ),
    async close() {
      try {
        if (!fakes) destroyPools(others)
      } finally {
        await world.appliance.close()
        rmSync(files, { recursive: true, force: true })
      }
    },
  }
  return world
}

/** The machine names the disks that may be wiped: EDGE_DISKS, paths parted by blanks. */
function realDisks(n: number): string[] {
  const all = (process.env['EDGE_DISKS'] ?? '').split(' ').filter(Boolean)
  if (all.length < n) throw new Error(`EDGE_DISKS names ${all.length} disks, the test needs ${n}`)
  return all.slice(0, n)
}

/** A sparse file for a vdev in the world's folder; its path. */
export function makeFile(world: World, name: string, bytes = DISK_BYTES): string {
  const path = join(world.files, name)
  const fd = openSync(path, 'w', 0o600)
  ftruncateSync(fd, bytes)
  closeSync(fd)
  return path
}

const pools = () =>
  spawnSync('zpool', ['list', '-H', '-o', 'name'], { encoding: 'utf8', timeout: 60_000 })
    .stdout.split('\n')
    .filter(Boolean)

/** All but those that were there before the test. One that udev still looks at is busy. */
function destroyPools(others: string[]): void {
  for (let tries = 20; ; tries--) {
    const left = pools().filter((name) => !others.includes(name))
    if (left.length === 0) return
    if (tries === 0) throw new Error(`these pools cannot be destroyed: ${left}`)
    for (const pool of left) spawnSync('zpool', ['destroy', '-f', pool], { timeout: 120_000 })
    spawnSync('udevadm', ['settle'], { timeout: 30_000 })
    spawnSync('sleep', ['1'])
  }
}
