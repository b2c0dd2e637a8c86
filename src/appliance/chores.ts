// Puts the scheduled scrubs, trims and self-tests together.
import { CommandError } from '../drivers/run.ts'
import { ApiError } from '../errors.ts'
import type { Disks } from '../features/disks/parts.ts'
import { DiskTests } from '../features/disks/test-schedule.ts'
import { scrubPool } from '../features/pools/change.ts'
import type { Pools } from '../features/pools/pools.ts'
import { Chores } from '../features/snapshots/chores.ts'
import type { Folders } from '../folders.ts'

export interface ChoreParts {
  pools: Pools
  disks: Disks
  folders: Folders
  now: () => number
  audit: (event: string, target: string, failure?: string) => unknown
  warn: (text: string, error?: unknown) => void
}

export function createChores({ pools, disks, folders, now, audit, warn }: ChoreParts) {
  const tests = new DiskTests(folders)
  const { zfs, zpool } = pools
  const chores = new Chores({
    ...{ zfs, zpool, disks, tests, now, audit, warn },
    start: {
      scrub: (pool) => begun(() => scrubPool(pools, pool, asker('pools.scrub', `pools/${pool}`))),
      async trim(pool) {
        await trim(pools, pool)
        await audit('pools.trim', `pools/${pool}`)
        return true
      },
    },
  })
  return { chores, tests }
}

/** The entry is written when the job ends, also after a restart. */
export const asker = (event: string, target: string) => ({
  ...{ name: 'system', address: 'local' },
  entry: { event, target, actor: 'system', account: 'system', address: 'local' },
})

async function trim({ zpool }: Pools, pool: string): Promise<void> {
  try {
    await zpool.trim(pool)
  } catch (error) {
    // One that runs is what was asked for.
    if (!(error instanceof CommandError && /currently trimming/.test(error.stderr))) throw error
  }
}

async function begun(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'locked') return false
    throw error
  }
}
