// Properties of a pool that were half set when its pool went away: scripts/vdev.sh keeps how they were, and puts them back
// as soon as the pool is there, by a task of its own.
import { readdirSync } from 'node:fs'
import { ApiError } from '../../errors.ts'
import type { Pools } from './pools.ts'
import { type By, startChange } from './vdev-task.ts'

const NOTE = /^pool-set-([0-9]+)$/

/** Whether any are left: of a pool that is not there, or that a task is working on. `folder`: that of the state. */
export async function putPropertiesBack(pools: Pools, folder: string, by: (pool: string) => By): Promise<boolean> {
  const guids = readdirSync(folder).flatMap((name) => NOTE.exec(name)?.[1] ?? [])
  if (guids.length === 0) return false
  for (const { name, guid } of await pools.zpool.list()) {
    if (!guids.includes(guid)) continue
    try {
      await startChange(pools, { name, guid }, { kind: 'pool-set' }, by(name))
    } catch (error) {
      if (!(error instanceof ApiError && error.kind === 'locked')) throw error
    }
  }
  return true
}
