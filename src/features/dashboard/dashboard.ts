// The numbers of the first page: one `zpool list` and one `zfs list`, however many pools there are. The trap: what could not be asked counts
// as none, so it has to be named among the problems, or an appliance whose pool hangs would look like an empty one.
import type { Space, Zfs } from '../../drivers/zfs.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import { ApiError } from '../../http/errors.ts'
import { isFinal } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { toolFailure } from '../tool-failure.ts'

/** SMB, NFS or iSCSI: how much it serves, and whether it runs. */
export type Serving = () => Promise<{ count: number; running: boolean }>
/** And what is set up and not served. */
export type ServingDisks = () => Promise<{ count: number; running: boolean; unserved: string[] }>

export interface DashboardSources {
  zpool: Pick<Zpool, 'list'>
  zfs: Pick<Zfs, 'census'>
  serving: Record<'smb' | 'nfs', Serving> & { iscsi: ServingDisks }
  tasks: Tasks
}

export interface Problem {
  source: string
  message: string
}

export async function readDashboard(sources: DashboardSources) {
  const { storage, services, problems, unserved } = await readStorageNow(sources)
  return { storage, services, jobs: await countJobs(sources.tasks), problems: [...problems, ...unserved] }
}

/** The same of storage alone, with the pools it was counted from. */
export async function readStorageNow({ zpool, zfs, serving }: Omit<DashboardSources, 'tasks'>) {
  const problems: Problem[] = []
  const ask = async <T>(source: string, fallback: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      const known = toolFailure(error)
      problems.push({ source, message: known instanceof ApiError ? known.message : 'cannot be asked' })
      return fallback
    }
  }
  const counts = { filesystem: 0, volume: 0, snapshot: 0 }
  const usable = { usable: 0, usable_free: 0 }
  const roots = new Map<string, Space>()
  const idle = { count: 0, running: false, unserved: [] }
  const [pools, , smb, nfs, iscsi] = await Promise.all([
    ask('pools', [], () => zpool.list()),
    ask('datasets', undefined, () =>
      zfs.census(({ name, type, space }) => {
        counts[type] += 1
        // What the root dataset has is what everything below it has.
        if (!space || name.includes('/')) return
        roots.set(name, space)
        usable.usable += space.used + space.available
        usable.usable_free += space.available
      }),
    ),
    ask('smb', idle, serving.smb),
    ask('nfs', idle, serving.nfs),
    ask('iscsi', idle, serving.iscsi),
  ])
  return {
    pools: pools.map((pool) => ({ ...pool, root: roots.get(pool.name) })),
    storage: {
      total_capacity: pools.reduce((sum, { size }) => sum + size, 0),
      allocated: pools.reduce((sum, { allocated }) => sum + allocated, 0),
      ...usable,
      pool_count: pools.length,
      pools_unhealthy: pools.filter(({ health }) => health !== 'ONLINE').length,
      dataset_count: counts.filesystem,
      zvol_count: counts.volume,
      snapshot_count: counts.snapshot,
    },
    services: {
      smb_shares: smb.count,
      nfs_exports: nfs.count,
      iscsi_targets: iscsi.count,
      smb_status: smb.running,
      nfs_status: nfs.running,
      iscsi_status: iscsi.running,
    },
    problems,
    unserved: iscsi.unserved.map((message): Problem => ({ source: 'iscsi', message })),
  }
}

/** The contract has no word for a job that died: it failed. */
async function countJobs(tasks: Tasks) {
  const all = await tasks.listInTurns(1000)
  const of = (...states: string[]) => all.filter(({ status }) => states.includes(status)).length
  return {
    total: all.length,
    running: all.filter((task) => !isFinal(task)).length,
    completed: of('completed'),
    failed: of('failed', 'interrupted'),
  }
}
