// The disks that a new pool could be made of, and the pools that could be imported. A disk is free only when neither it nor anything on it
// is in use: no partition, file system, mount or pool.
import type { BlockDevice } from '../../drivers/lsblk.ts'
import type { PoolStatus } from '../../drivers/zpool-status.ts'
import { withToolErrors } from '../tool-failure.ts'
import type { Pools } from './pools.ts'

export interface Available {
  disks: BlockDevice[]
  /** `folder`: its vdevs are files there. */
  pools: (PoolStatus & { folder?: string })[]
}

export function listAvailable({ zpool, lsblk, files }: Pools): Promise<Available> {
  return withToolErrors(undefined, async () => {
    await lsblk.settle()
    const [devices, fromDisks, fromFiles] = await Promise.all([
      lsblk.list(),
      zpool.importable(),
      files === undefined ? [] : zpool.importable(files),
    ])
    const inFolder = fromFiles.map((pool) => ({ ...pool, ...(files !== undefined && { folder: files }) }))
    return { disks: wholes(devices).filter(isFree), pools: [...fromDisks, ...inFolder] }
  })
}

/** The disks, and each multipath device once: it stands below every path to it, and the paths are nobody's to use. */
function wholes(devices: readonly BlockDevice[]): BlockDevice[] {
  const found = new Map<string, BlockDevice>()
  for (const device of devices) {
    const paths = device.children.filter(({ type }) => type === 'mpath')
    if (paths.length === 0) found.set(device.path, device)
    // What it is called and which number it has, only its paths know.
    for (const { model = device.model, serial = device.serial, ...whole } of paths)
      found.set(whole.path, found.get(whole.path) ?? { ...whole, model, serial })
  }
  return [...found.values()]
}

const isFree = ({ type, size, readOnly, fstype, mountpoints, children, path }: BlockDevice) =>
  (type === 'disk' || type === 'mpath') &&
  size > 0 &&
  !readOnly &&
  fstype === undefined &&
  mountpoints.length === 0 &&
  children.length === 0 &&
  !/^\/dev\/(?:zd|zram|ram|loop|nbd|fd)[0-9]/.test(path)
