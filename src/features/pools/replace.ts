// Replaces, attaches and detaches disks of a pool.
import type { Vdev } from '../../drivers/zpool-status.ts'
import { failedPrecondition } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import type { Task } from '../../tasks/task.ts'
import { withToolErrors } from '../tool-failure.ts'
import { findDevice, findLeaf, type Place } from './devices.ts'
import { newcomer, type PoolPlan, planLayout, withInstead } from './layout-plan.ts'
import { checkSize, findNewDisk, inPlaceOf, type NewDisk } from './new-disk.ts'
import type { Pools } from './pools.ts'
import { type By, getLayout, startChange } from './vdev-task.ts'

/** A change that was checked: what it would do, and how to begin. */
export interface Ready {
  plan: PoolPlan
  /** What cannot be undone may be demanded to be confirmed. */
  isFinal: boolean
  start: (by: By) => Promise<Task>
}

export interface NewDevice {
  device: string
  disk?: string | undefined
  /** Copies block by block, which is faster; ZFS verifies the data afterwards. */
  sequential?: boolean | undefined
}

export async function replaceDisk(pools: Pools, name: string, wanted: NewDevice): Promise<Ready> {
  const { status, guid } = await getLayout(pools, name)
  const place = findLeaf(status, wanted.device)
  const word = wanted.disk ?? (await inPlaceOf(pools, place.vdev))
  if (word === undefined)
    throw invalidFields([{ field: 'disk', message: 'ZFS does not know where this disk was: name the new one' }])
  const disk = await findNewDisk(pools, status, word)
  await checkSize(pools, disk, siblings(place))
  const fresh = disk.spare ?? newcomer(disk.operand, place.vdev)
  const after = disk.spare
    ? [{ ...place.vdev, name: 'spare', type: 'spare', children: [place.vdev, fresh] }]
    : [{ ...fresh, class: place.vdev.class }]
  const plan = planLayout({
    pool: name,
    guid,
    does: [
      `${fresh.name} takes the place of ${place.vdev.name}`,
      disk.spare
        ? `${place.vdev.name} stays in the pool until it is detached or the spare is returned`
        : `${place.vdev.name} leaves the pool when the resilver has ended`,
    ],
    undo: 'Cancel the job while it runs: the new disk is taken out again',
    before: status.vdevs,
    after: withInstead(status.vdevs, place.vdev, after),
  })
  const start = (by: By) =>
    startChange(
      pools,
      { name, guid },
      {
        kind: 'pool-replace',
        place,
        options: wanted.sequential ? ['-s'] : [],
        operands: [place.guid, disk.operand],
        inputs: { fresh: disk.spare?.guid },
        endless: true,
      },
      by,
    )
  return { plan, isFinal: false, start }
}

/** The disks that decide how large one in this place has to be. */
const siblings = ({ vdev, around: [parent] }: Place): Vdev[] => parent?.children ?? [vdev]

export async function attachDisk(pools: Pools, name: string, wanted: NewDevice & { disk: string }): Promise<Ready> {
  const { status, guid } = await getLayout(pools, name)
  const named = findDevice(status, wanted.device)
  const isRaidz = /^raidz/.test(named.vdev.type)
  if (isRaidz) await assertExpandable(pools, name)
  // A mirror is made wider beside any of its disks.
  const place = named.vdev.type === 'mirror' ? findLeaf(status, sideOf(named.vdev)) : named
  const disk = await findNewDisk(pools, status, wanted.disk)
  if (disk.spare) throw invalidFields([{ field: 'disk', message: 'This disk is a spare of the pool: remove it first' }])
  const group = isRaidz ? named.vdev : place.around[0]
  await checkSize(pools, disk, group?.children ?? [place.vdev])
  const fresh = newcomer(disk.operand, place.vdev)
  const { vdev } = place
  const wider = group
    ? { ...group, children: [...group.children, fresh] }
    : { ...vdev, name: 'mirror', type: 'mirror', children: [vdev, fresh] }
  const plan = planLayout({
    pool: name,
    guid,
    does: [
      isRaidz
        ? `${fresh.name} makes ${named.vdev.name} wider; existing data is spread over it, and keeps its share of parity until it is written again`
        : `${fresh.name} becomes a copy of ${vdev.name}`,
    ],
    undo: isRaidz ? undefined : `Detach ${fresh.name}`,
    before: status.vdevs,
    after: withInstead(status.vdevs, group ?? vdev, [wider]),
  })
  const start = (by: By) =>
    startChange(
      pools,
      { name, guid },
      {
        kind: 'pool-attach',
        place,
        options: wanted.sequential ? ['-s'] : [],
        operands: [isRaidz ? named.vdev.name : place.guid, disk.operand],
        inputs: { expand: isRaidz ? 'yes' : undefined },
        endless: true,
      },
      by,
    )
  return { plan, isFinal: isRaidz, start }
}

/** A disk of the mirror that works. */
const sideOf = ({ children }: Vdev) =>
  (children.find(({ state, children: inner }) => state === 'ONLINE' && inner.length === 0) ?? children[0])?.guid ?? ''

async function assertExpandable({ zpool }: Pools, name: string): Promise<void> {
  const state = await withToolErrors(name, () => zpool.feature(name, 'raidz_expansion'))
  if (state === 'enabled' || state === 'active') return
  const why =
    state === undefined
      ? 'The installed ZFS cannot expand a RAID-Z: OpenZFS 2.3 or later is needed'
      : 'The pool’s features do not allow expanding a RAID-Z yet: upgrade the pool first'
  throw failedPrecondition(why, { details: { object: name } })
}

export async function detachDisk(pools: Pools, name: string, device: string): Promise<Ready> {
  const { status, guid } = await getLayout(pools, name)
  const place = findLeaf(status, device)
  const { vdev, around } = place
  const [parent] = around
  const left = parent && parent.children.length - 1
  const plan = planLayout({
    pool: name,
    guid,
    does: [
      `${vdev.name} leaves ${parent?.name ?? 'the pool'}${parent?.type === 'mirror' && left === 1 ? ', and nothing is mirrored there any more' : ''}`,
    ],
    undo: parent?.type === 'mirror' ? undefined : 'It can be put to use again',
    before: status.vdevs,
    after: withInstead(status.vdevs, vdev, []),
  })
  const start = (by: By) =>
    startChange(pools, { name, guid }, { kind: 'pool-detach', place, operands: [place.guid] }, by)
  return { plan, isFinal: parent?.type === 'mirror', start }
}

export type { NewDisk }
