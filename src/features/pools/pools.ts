// The pools, as zpool shows them, and when they were created. A pool that cannot be opened has no root dataset, and so no time of creation;
// it is listed all the same.
import type { Devices } from '../../drivers/device-links.ts'
import type { Lsblk } from '../../drivers/lsblk.ts'
import { CommandError } from '../../drivers/run.ts'
import type { Root, Zfs } from '../../drivers/zfs.ts'
import type { PoolRow, Property, Zpool } from '../../drivers/zpool.ts'
import type { PoolStatus, Scan, Vdev } from '../../drivers/zpool-status.ts'
import { notFound, raise } from '../../errors.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Dependents } from '../destruction/dependents.ts'
import { withToolErrors } from '../tool-failure.ts'

export interface Pools {
  zpool: Zpool
  zfs: Zfs
  lsblk: Lsblk
  devices: Devices
  tasks: Tasks
  /** What uses datasets: shares, exports, LUNs. */
  dependents: readonly Dependents[]
  /** Folder of files that may be vdevs. */
  files: string | undefined
}

export interface Pool extends PoolRow {
  /** Undefined where zfs cannot be asked, or the pool cannot be opened. */
  root: Root | undefined
}

export interface PoolDetails extends Pool {
  status: PoolStatus
  properties: Property[]
}

/** Words of our own paths: a pool of such a name could not be asked for. */
export const isPathWord = (name: string) => name === 'available' || name === 'import'

export const noPool = (name: string) => notFound('pool not found', { details: { object: name } })

/** What zpool says does not wait for what zfs cannot say: of a pool that hangs that may be for ever. */
async function rootsOf(zfs: Zfs): Promise<Map<string, Root>> {
  try {
    return await zfs.roots()
  } catch (error) {
    if (error instanceof CommandError) return new Map()
    throw error
  }
}

export function listPools({ zpool, zfs }: Pools): Promise<Pool[]> {
  return withToolErrors(undefined, async () => {
    const rows = await zpool.list()
    const roots = rows.length === 0 ? new Map<string, Root>() : await rootsOf(zfs)
    return rows.map((row) => ({ ...row, root: roots.get(row.name) }))
  })
}

export function getPool({ zpool, zfs }: Pools, name: string): Promise<PoolDetails> {
  return withToolErrors(name, async () => {
    const row = (await zpool.find(name)) ?? raise(noPool(name))
    const [status, properties, roots] = await Promise.all([zpool.layout(name), zpool.properties(name), rootsOf(zfs)])
    // Gone between two looks.
    return { ...row, root: roots.get(name), status: status ?? raise(noPool(name)), properties }
  })
}

/**
 * The last scrub of a pool, or the one that is under way; `none`: it has never been scanned; `unknown`: another scan, such as a resilver, has
 * taken the place of whatever was before.
 */
export function getLastScrub({ zpool }: Pools, name: string): Promise<Scan | 'none' | 'unknown'> {
  return withToolErrors(name, async () => {
    const { scans, scanned } = (await zpool.status(name)) ?? raise(noPool(name))
    return scans.find(({ kind }) => kind === 'scrub') ?? (scanned ? 'unknown' : 'none')
  })
}

/** What a caller could overwrite: which pool it is, of what, and how it is set. Undefined when there is none. */
export function poolVersion({ zpool }: Pools, name: string): Promise<unknown> {
  return withToolErrors(name, async () => {
    const row = await zpool.find(name)
    const status = row && (await zpool.status(name))
    return row && status && versionOf({ ...row, status, properties: await zpool.properties(name) })
  })
}

export const versionOf = ({ name, guid, status, properties }: Omit<PoolDetails, 'root'>) => {
  const shape = (vdev: Vdev): unknown => [vdev.class, vdev.name, vdev.children.map(shape)]
  return { name, guid, vdevs: status.vdevs.map(shape), properties: properties.map((one) => [one.name, one.value]) }
}

export const poolLock = (name: string) => `pool-${name}`.slice(0, 200)
