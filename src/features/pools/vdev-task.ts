// Starts a change of a pool's devices as a task. Each has a lock for what it does to which device, not one for the pool:
// a disk that resilvers for a day must not keep another from being replaced.
import { createHash } from 'node:crypto'
import type { PoolStatus } from '../../drivers/zpool-status.ts'
import { locked, raise } from '../../errors.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { StartOptions } from '../../tasks/tasks.ts'
import { withToolErrors } from '../tool-failure.ts'
import type { Place } from './devices.ts'
import { noPool, type Pools, poolLock } from './pools.ts'

export type By = StartOptions['by']

export interface VdevChange {
  kind: string
  /** What it is about, for the lock: a vdev's number, or nothing for the pool. */
  place?: Place | undefined
  options?: readonly string[]
  operands?: readonly string[]
  /** Further inputs of scripts/vdev.sh, each a line. */
  inputs?: Record<string, string | undefined>
  /** ZFS goes on working for hours. */
  endless?: boolean
}

/** The pool with the numbers of its devices, and its own. */
export function getLayout({ zpool }: Pools, name: string): Promise<{ status: PoolStatus; guid: string }> {
  return withToolErrors(name, async () => {
    const row = (await zpool.find(name)) ?? raise(noPool(name))
    return { status: (await zpool.layout(name)) ?? raise(noPool(name)), guid: row.guid }
  })
}

const lines = (words: readonly string[]) => ({ text: words.map((word) => `${word}\n`).join('') })

/** The lock of a change: the guid of the pool may be shared by nothing else. */
const lockOf = (kind: string, guid: string, place: Place | undefined) =>
  `vdev-${createHash('sha256')
    .update(`${kind} ${guid} ${place?.guid ?? ''}`)
    .digest('hex')
    .slice(0, 32)}`

export async function startChange(
  pools: Pools,
  pool: { name: string; guid: string },
  change: VdevChange,
  by: By,
): Promise<Task> {
  const { kind, place, options = [], operands = [], inputs = {}, endless = false } = change
  const { name, guid } = pool
  const details = { object: name }
  if (isAtWork(pools, name)) throw locked('Another job is working on this pool', { details })
  const lock = lockOf(kind, guid, place)
  const given = Object.entries({ device: place?.guid, label: place?.vdev.name, ...inputs })
  const task = await pools.tasks.startNext(kind, {
    lock,
    args: [lock, name],
    inputs: {
      name: lines([name]),
      guid: lines([guid]),
      options: lines(options),
      operands: lines(operands),
      ...Object.fromEntries(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, lines([value])]]))),
    },
    by,
    endless,
  })
  return task ?? raise(locked('The same job already runs', { details }))
}

/** Whether a job creates, imports, exports or destroys this pool. A scrub is no obstacle. */
const isAtWork = ({ tasks }: Pools, name: string) =>
  tasks.isRunning(poolLock(name)) &&
  !tasks
    .list({ kind: 'pool-scrub', limit: 100 })
    .some((task) => !isFinal(task) && tasks.lockOf(task) === poolLock(name))

/** The running job of this kind on this pool, if any. */
export const changeJob = ({ tasks }: Pools, kind: string, guid: string): Task | undefined => {
  const lock = lockOf(kind, guid, undefined)
  return tasks.isRunning(lock)
    ? tasks.list({ kind, limit: 100 }).find((task) => !isFinal(task) && tasks.lockOf(task) === lock)
    : undefined
}
