// Trims a pool, upgrades it, and sets its properties.

import { toolMessage } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import type { Trim } from '../../drivers/zpool-trim.ts'
import { ApiError, failedPrecondition, raise } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import type { Task } from '../../tasks/task.ts'
import { toolFailure, withToolErrors } from '../tool-failure.ts'
import { planLayout } from './layout-plan.ts'
import { CHANGEABLE, type PoolOptions, readPoolOptions } from './options.ts'
import { noPool, type Pools } from './pools.ts'
import type { Ready } from './replace.ts'
import { type By, changeJob, getLayout, startChange } from './vdev-task.ts'

export interface TrimState {
  status: 'none' | 'running' | 'paused' | 'finished' | 'unsupported'
  percent: number
  disks: Trim[]
  job: string | undefined
}

export async function getTrim(pools: Pools, name: string): Promise<TrimState> {
  const row = (await withToolErrors(name, () => pools.zpool.find(name))) ?? raise(noPool(name))
  const disks = (await withToolErrors(name, () => pools.zpool.trims(name))) ?? raise(noPool(name))
  return { ...summary(disks), disks, job: changeJob(pools, 'pool-trim', row.guid)?.id }
}

/** Of all disks together: what runs says how far it is, else what was trimmed last says how that ended. */
function summary(disks: readonly Trim[]): Pick<TrimState, 'status' | 'percent'> {
  const able = disks.filter(({ state }) => state !== 'unsupported')
  if (able.length === 0) return { status: disks.length > 0 ? 'unsupported' : 'none', percent: 0 }
  const mean = (all: readonly Trim[]) => all.reduce((sum, { percent }) => sum + percent, 0) / all.length
  const active = able.filter(({ state }) => state === 'running' || state === 'suspended')
  if (active.length > 0)
    return { status: active.some(({ state }) => state === 'running') ? 'running' : 'paused', percent: mean(active) }
  // A trim that was cancelled on some disks only has not finished.
  return { status: able.every(({ state }) => state === 'finished') ? 'finished' : 'none', percent: mean(able) }
}

/** Starts a trim, or continues one that is suspended: its job still follows it. */
export async function startTrim(
  pools: Pools,
  name: string,
  { rate, secure }: { rate?: string | undefined; secure?: boolean | undefined },
  by: By,
): Promise<{ job: string; task: Task | undefined }> {
  const { guid } = (await withToolErrors(name, () => pools.zpool.find(name))) ?? raise(noPool(name))
  const running = changeJob(pools, 'pool-trim', guid)
  if (running) {
    await directly(name, () => pools.zpool.trim(name))
    return { job: running.id, task: undefined }
  }
  const options = [...(secure ? ['-d'] : []), ...(rate === undefined ? [] : [`-r${rate}`])]
  const task = await startChange(pools, { name, guid }, { kind: 'pool-trim', options, endless: true }, by)
  return { job: task.id, task }
}

/** Suspends or cancels the trim, also one that was started outside this API. */
export async function stopTrim(pools: Pools, name: string, how: 'suspend' | 'cancel'): Promise<void> {
  if (!(await withToolErrors(name, () => pools.zpool.find(name)))) throw noPool(name)
  await directly(name, () => pools.zpool.trim(name, how === 'suspend' ? '-s' : '-c'))
}

async function directly(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof CommandError) || error.reason !== 'status') throw toolFailure(error, name)
    throw new ApiError('failed-precondition', toolMessage(error), { details: { object: name }, cause: error })
  }
}

export async function upgradePool(pools: Pools, name: string): Promise<Ready> {
  const { status, guid } = await getLayout(pools, name)
  const features = await withToolErrors(name, () => pools.zpool.disabledFeatures(name))
  if (features.length === 0)
    throw failedPrecondition('All features that the installed ZFS has are enabled already', {
      details: { object: name },
    })
  const plan = planLayout({
    pool: name,
    guid,
    does: [
      ...features.map((feature) => `Enables ${feature}`),
      'Systems with an older ZFS may not be able to import the pool any more',
    ],
    before: status.vdevs,
    after: status.vdevs,
  })
  const start = (by: By) => startChange(pools, { name, guid }, { kind: 'pool-upgrade' }, by)
  return { plan, isFinal: true, start }
}

export async function setPoolOptions(pools: Pools, name: string, options: PoolOptions, by: By): Promise<Task> {
  const { words, errors } = readPoolOptions(options, name, CHANGEABLE)
  if (errors.length > 0) throw invalidFields(errors)
  if (words.length === 0) throw invalidFields([{ field: 'options', message: 'No option is named' }])
  const { guid } = (await withToolErrors(name, () => pools.zpool.find(name))) ?? raise(noPool(name))
  return startChange(pools, { name, guid }, { kind: 'pool-set', options: words.filter((word) => word !== '-o') }, by)
}
