// Which disk of the machine a device of a pool is, and what one needs to find it.
import type { Disk, Vdev } from './types.ts'

export type { Disk } from './types.ts'

/** Undefined of a disk that is not there any more. */
export const diskOf = (disks: readonly Disk[], pool: string, { name, path }: Vdev): Disk | undefined =>
  disks.find(({ uses }) => uses.some((use) => use.pool === pool && use.vdev === name)) ??
  disks.find((disk) => path !== undefined && [disk.path, disk.device].includes(path))

/** `, serial number ABC, Slot 03` */
export const placeOf = ({ serial, slot, enclosure }: Disk) =>
  [
    ...(serial ? [`serial number ${serial}`] : []),
    ...(slot ? [`${slot}${enclosure ? ` of enclosure ${enclosure}` : ''}`] : []),
  ]
    .map((text) => `, ${text}`)
    .join('')
