// Takes a disk of a pool offline and online, and forgets counted errors.
import type { Task } from '../../tasks/task.ts'
import { findDevice, findLeaf } from './devices.ts'
import type { Pools } from './pools.ts'
import { type By, getLayout, startChange } from './vdev-task.ts'

export async function offlineDisk(
  pools: Pools,
  name: string,
  { device, temporary }: { device: string; temporary?: boolean | undefined },
  by: By,
): Promise<Task> {
  const { status, guid } = await getLayout(pools, name)
  const place = findLeaf(status, device)
  const options = temporary ? ['-t'] : []
  return startChange(pools, { name, guid }, { kind: 'pool-offline', place, options, operands: [place.guid] }, by)
}

export async function onlineDisk(
  pools: Pools,
  name: string,
  { device, expand }: { device: string; expand?: boolean | undefined },
  by: By,
): Promise<Task> {
  const { status, guid } = await getLayout(pools, name)
  const place = findLeaf(status, device)
  // To use all of a disk that has grown, zpool has to find it in /dev: by its name, not by its number.
  const [options, operand] = expand ? [['-e'], place.vdev.path ?? place.vdev.name] : [[], place.guid]
  return startChange(
    pools,
    { name, guid },
    { kind: 'pool-online', place, options, operands: [operand], endless: true },
    by,
  )
}

/** Of one device, or of all. A disk that ZFS gave up because of its errors is used again. */
export async function clearErrors(pools: Pools, name: string, device: string | undefined, by: By): Promise<Task> {
  const { status, guid } = await getLayout(pools, name)
  const place = device === undefined ? undefined : findDevice(status, device)
  return startChange(pools, { name, guid }, { kind: 'pool-clear', place, operands: place ? [place.guid] : [] }, by)
}
