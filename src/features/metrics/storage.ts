// Storage metrics: one `zpool list` and one `zfs list`. A scrape must never fail because a pool hangs: then these
// numbers are missing, and `storage_up` is 0.
import { CommandError } from '../../drivers/run.ts'
import type { Space, Zfs } from '../../drivers/zfs.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import type { StorageNumbers } from './metrics.ts'

export async function readStorage({
  zpool,
  zfs,
}: {
  zpool: Pick<Zpool, 'list'>
  zfs: Pick<Zfs, 'census'>
}): Promise<StorageNumbers | undefined> {
  const roots = new Map<string, Space>()
  const byDataset = new Map<string, { count: number; newest: number }>()
  try {
    const [pools] = await Promise.all([
      zpool.list(),
      zfs.census(({ name, type, created, space }) => {
        if (space && !name.includes('/')) roots.set(name, space)
        if (type !== 'snapshot') return
        const dataset = name.slice(0, name.indexOf('@'))
        const entry = byDataset.get(dataset) ?? { count: 0, newest: 0 }
        byDataset.set(dataset, { count: entry.count + 1, newest: Math.max(entry.newest, created) })
      }),
    ])
    return {
      pools: pools.map((pool) => ({ ...pool, root: roots.get(pool.name) })),
      snapshots: [...byDataset].map(([dataset, entry]) => ({ dataset, ...entry })),
    }
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}
