// The numbers of the first page: one `zpool list` and one `zfs list`, however many pools there are. What could not be
// queried counts as zero, so it has to be listed among the problems, or an appliance whose pool hangs would look empty.
import type { Space, Zfs } from '../../drivers/zfs.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import { ApiError } from '../../errors.ts'
import { isFinal } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { toolFailure } from '../tool-failure.ts'

/** SMB, NFS or iSCSI: how much it serves, and whether it is running. */
export type Serving = () => Promise<{ count: number; running: boolean }>
/** Also what is configured and not served. */
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

/** The same for storage alone, with the pools that were counted. */
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
  const idle = { count: 0, running: false, unserved: [] }
  const [listed, { counts, roots }, smb, nfs, iscsi] = await Promise.all([
    ask('pools', undefined, () => zpool.list()),
    ask('datasets', NOTHING, () => countDatasets(zfs)),
    ask('smb', idle, serving.smb),
    ask('nfs', idle, serving.nfs),
    ask('iscsi', idle, serving.iscsi),
  ])
  const pools = listed ?? []
  return {
    pools: pools.map((pool) => ({ ...pool, root: roots.get(pool.name) })),
    storage: {
      total_capacity: pools.reduce((sum, { size }) => sum + size, 0),
      allocated: pools.reduce((sum, { allocated }) => sum + allocated, 0),
      ...(listed && usableOf(listed.map(({ name }) => roots.get(name)))),
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

/** Of all pools, or none: a partial sum would be mistaken for the total. */
function usableOf(roots: (Space | undefined)[]): { usable: number; usable_free: number } | undefined {
  if (!roots.every((root) => root !== undefined)) return undefined
  const free = roots.reduce((sum, { available }) => sum + available, 0)
  return { usable: roots.reduce((sum, { used }) => sum + used, free), usable_free: free }
}

interface Counted {
  counts: Record<'filesystem' | 'volume' | 'snapshot', number>
  /** The numbers of a pool's root dataset include everything below it. */
  roots: Map<string, Space>
}
const NOTHING: Counted = { counts: { filesystem: 0, volume: 0, snapshot: 0 }, roots: new Map() }

/** All of them, or an error: a truncated list is not counted. */
async function countDatasets(zfs: DashboardSources['zfs']): Promise<Counted> {
  const { counts, roots } = structuredClone(NOTHING)
  await zfs.census(({ name, type, space }) => {
    counts[type] += 1
    if (space && !name.includes('/')) roots.set(name, space)
  })
  return { counts, roots }
}

/** The contract has no state for a job that died: it is reported as failed. */
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
