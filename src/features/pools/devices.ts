// Finds a device of a pool by what a caller calls it: its name, its path or its number. What the caller wrote goes no
// further than this: programs get the number that ZFS gave.
import type { PoolStatus, Vdev } from '../../drivers/zpool-status.ts'
import { notFound, raise } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'

export interface Place {
  vdev: Vdev
  guid: string
  /** The groups around it, the innermost first; none of a top-level vdev. */
  around: Vdev[]
}

/** Every vdev, with the groups around it. One in use as a spare comes before the same among the spares. */
export function placesIn(vdevs: readonly Vdev[], around: Vdev[] = []): Place[] {
  const order = [...vdevs].sort((a, b) => Number(a.class === 'spare') - Number(b.class === 'spare'))
  return order.flatMap((vdev) => [
    { vdev, guid: vdev.guid ?? '', around },
    ...placesIn(vdev.children, [vdev, ...around]),
  ])
}

export function findDevice({ name, vdevs }: PoolStatus, word: string, field = 'device'): Place {
  const found = placesIn(vdevs).find(({ vdev, guid }) => [guid, vdev.name, vdev.path].includes(word))
  return found ?? raise(notFound('The pool has no such device', { details: { object: name, field } }))
}

/** A single disk or file. */
export function findLeaf(pool: PoolStatus, word: string, field = 'device'): Place {
  const place = findDevice(pool, word, field)
  if (place.vdev.children.length === 0) return place
  throw invalidFields([{ field, message: 'This is a group: name one of its disks' }])
}

export interface SpareInUse {
  spare: Vdev
  /** The disk that it stands for. */
  replaces: Vdev
  group: Vdev | undefined
}

/** Each spare that stands for another disk. */
export const sparesInUse = (vdevs: readonly Vdev[]): SpareInUse[] =>
  placesIn(vdevs).flatMap(({ vdev, around }) => {
    const [replaces, spare] = vdev.children
    return vdev.type === 'spare' && replaces && spare ? [{ spare, replaces, group: around[0] }] : []
  })
