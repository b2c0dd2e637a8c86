// The disks that a new pool could be made of, and the pools that could be imported. A disk is free only when neither it nor anything on it
// is in use: no partition, file system, mount or pool.
import type { PoolStatus } from '../../drivers/zpool-status.ts'
import { type Disk, isFree, listDisks } from '../disks/disks.ts'
import { withToolErrors } from '../tool-failure.ts'
import type { Pools } from './pools.ts'

/** `folder`: its vdevs are files there. */
export type Importable = PoolStatus & { folder?: string }

export interface Available {
  disks: Disk[]
  pools: Importable[]
}

export async function listAvailable(pools: Pools): Promise<Available> {
  await pools.lsblk.settle()
  const [{ disks }, importable] = await Promise.all([listDisks(pools), searched(pools)])
  return { disks: disks.filter(isFree), pools: importable }
}

/** Searches every disk, which takes seconds and wakes those that sleep. */
export async function listImportable(pools: Pick<Pools, 'zpool' | 'lsblk' | 'files'>): Promise<Importable[]> {
  await pools.lsblk.settle()
  return searched(pools)
}

const searched = ({ zpool, files }: Pick<Pools, 'zpool' | 'files'>): Promise<Importable[]> =>
  withToolErrors(undefined, async () => {
    const [fromDisks, fromFiles] = await Promise.all([
      zpool.importable(),
      files === undefined ? [] : zpool.importable(files),
    ])
    const inFolder = fromFiles.map((pool) => ({ ...pool, ...(files !== undefined && { folder: files }) }))
    return [...fromDisks, ...inFolder]
  })
