// Creating, destroying, importing, exporting and scrubbing pools: checks, then a task. What the caller named is checked before any program
// starts, and is passed to the script in files, one word a line.
import { setTimeout } from 'node:timers/promises'
import { ApiError, exists, failedPrecondition, invalid, locked, notFound, raise } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { StartOptions } from '../../tasks/tasks.ts'
import { planDestruction } from '../datasets/destroy.ts'
import { assertNoDependents } from '../destruction/agreement.ts'
import { dependentsOf } from '../destruction/dependents.ts'
import { MEMBERS, makePlan, type Plan } from '../destruction/plan.ts'
import { FIRST_UPKEEP, formatUpkeep, UPKEEP } from '../snapshots/upkeep.ts'
import { withToolErrors } from '../tool-failure.ts'
import { listImportable } from './available.ts'
import { type PoolOptions, readPoolOptions } from './options.ts'
import { isPathWord, noPool, type Pools, poolLock } from './pools.ts'
import { type Allowed, checkDevices, isFileIn, readVdevs } from './vdevs.ts'

type By = StartOptions['by']

export interface NewPool {
  name: string
  vdevs: string[]
  allow?: Allowed | undefined
  options?: PoolOptions | undefined
}

export async function createPool(
  pools: Pools,
  { name, vdevs, allow = [], options = {} }: NewPool,
  by: By,
): Promise<Task> {
  const { words, errors } = readPoolOptions(options, name)
  const { devices, errors: wrongWords } = readVdevs(vdevs, isFileIn(pools.files))
  if (errors.length + wrongWords.length > 0) throw invalidFields([...errors, ...wrongWords])
  await withToolErrors(name, async () => {
    await checkDevices(vdevs, devices, pools.lsblk)
    if (await pools.zpool.find(name))
      throw exists('A pool with this name already exists', { details: { object: name } })
  })
  // In the same transaction: a new pool has its schedule from the beginning.
  const all = [...words, '-O', `${UPKEEP}=${formatUpkeep(FIRST_UPKEEP)}`]
  const inputs = { options: lines(all), vdevs: lines(vdevs), ...(allow.length > 0 && { allow: lines([...allow]) }) }
  return start(pools, 'pool-create', name, inputs, by)
}

/** Everything in the pool, and what uses it. */
export async function planPool({ zpool, zfs, dependents }: Pools, name: string): Promise<Plan> {
  const { guid } = (await withToolErrors(name, () => zpool.find(name))) ?? raise(noPool(name))
  // Root datasets are made in the same transaction, whatever the pool.
  const which = [`pool ${guid}`]
  try {
    return await planDestruction(zfs, dependents, name, which)
  } catch (error) {
    // A pool that cannot be opened shows none of its datasets.
    if (error instanceof ApiError && error.kind === 'not-found') return makePlan(name, [name], [], which)
    throw error
  }
}

/** The script looks again, and destroys no pool that holds more than the plan says. */
export const destroyPool = (pools: Pools, { object, [MEMBERS]: members = [] }: Plan, by: By) =>
  startOn(pools, 'pool-destroy', object, by, { planned: lines(members) })

export async function exportPool(pools: Pools, name: string, by: By): Promise<Task> {
  const members = (await withToolErrors(name, () => pools.zfs.tree(name))) ?? []
  const names = members.map((member) => member.name)
  assertNoDependents({ object: name, depends: await dependentsOf(pools.dependents, names) })
  return startOn(pools, 'pool-export', name, by)
}

export interface Import {
  /** By its name or by its id. */
  name?: string | undefined
  id?: string | undefined
  /** What it is called from now on. */
  newName?: string | undefined
  /** Also when another system may be using it. */
  force?: boolean | undefined
}

/** The task, and the name that the pool will have. */
export async function importPool(pools: Pools, wanted: Import, by: By): Promise<{ task: Task; name: string }> {
  const { name, id, newName, force } = wanted
  if (name === undefined && id === undefined) throw invalid('A name or an id is needed', { details: { field: 'name' } })
  const object = name ?? id ?? ''
  const look = async () =>
    (await listImportable(pools)).filter(
      (pool) => (id === undefined || pool.id === id) && (name === undefined || pool.name === name),
    )
  let fitting = await look()
  if (fitting.length === 0) {
    // One that was exported a moment ago: udev may not have heard of it when it was asked.
    await setTimeout(1000)
    fitting = await look()
  }
  const [pool] = fitting
  if (!pool) throw notFound('There is no such pool to import', { details: { object } })
  if (fitting.length > 1)
    throw failedPrecondition('Several pools have this name: give the id of one', { details: { object } })
  const as = newName ?? pool.name
  if (isPathWord(as))
    throw invalid('The name of this pool is reserved: give a new name', { details: { field: 'new_name' } })
  if (await withToolErrors(as, () => pools.zpool.find(as)))
    throw exists('A pool with this name already exists: give a new name', { details: { object: as } })
  const inputs = {
    guid: lines([pool.id ?? '']),
    ...(pool.folder !== undefined && { folder: lines([pool.folder]) }),
    ...(force && { force: lines(['yes']) }),
  }
  return { task: await start(pools, 'pool-import', as, inputs, by), name: as }
}

export async function scrubPool(pools: Pools, name: string, by: By): Promise<Task> {
  if (!(await withToolErrors(name, () => pools.zpool.find(name)))) throw noPool(name)
  return start(pools, 'pool-scrub', name, {}, by, true)
}

/** The script asks again whether it is still the pool of this guid. */
async function startOn(
  pools: Pools,
  kind: string,
  name: string,
  by: By,
  inputs: Record<string, { text: string }> = {},
): Promise<Task> {
  const { guid } = (await withToolErrors(name, () => pools.zpool.find(name))) ?? raise(noPool(name))
  return start(pools, kind, name, { ...inputs, guid: lines([guid]) }, by)
}

const lines = (words: readonly string[]) => ({ text: words.map((word) => `${word}\n`).join('') })

async function start(
  { tasks }: Pools,
  kind: string,
  name: string,
  inputs: Record<string, { text: string }>,
  by: By,
  endless = false,
): Promise<Task> {
  const lock = poolLock(name)
  const task = await tasks.startNext(kind, {
    lock,
    args: [lock],
    inputs: { ...inputs, name: lines([name]) },
    by,
    endless,
  })
  return task ?? raise(locked('Another job is working on this pool', { details: { object: name } }))
}

/** The running job that scrubs this pool, if any. */
export const scrubJob = ({ tasks }: Pools, name: string): Task | undefined =>
  tasks.isRunning(poolLock(name))
    ? tasks
        .list({ kind: 'pool-scrub', limit: 100 })
        .find((task) => !isFinal(task) && tasks.lockOf(task) === poolLock(name))
    : undefined
