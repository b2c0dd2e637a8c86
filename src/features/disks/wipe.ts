// Wipes a disk: the labels and the partition table of what it held. Refused while anything uses it; what it holds has to
// be agreed to by the token of the plan, also a pool that is not imported.

import type { BlockDevice } from '../../drivers/lsblk.ts'
import type { PoolStatus, Vdev } from '../../drivers/zpool-status.ts'
import { failedPrecondition, locked, raise } from '../../errors.ts'
import type { Task } from '../../tasks/task.ts'
import type { StartOptions } from '../../tasks/tasks.ts'
import { MEMBERS, makePlan, type Plan } from '../destruction/plan.ts'
import { withToolErrors } from '../tool-failure.ts'
import { type Disk, listDisks, noDisk } from './disks.ts'
import type { Disks } from './parts.ts'
import type { Use } from './uses.ts'

export interface WipePlan extends Plan {
  disk: Disk
}

/** What would be gone, and what stands in the way. */
export async function planWipe(disks: Disks, id: string): Promise<WipePlan> {
  const { disks: all, poolsUnknown } = await listDisks(disks)
  const disk = all.find((one) => one.id === id) ?? raise(noDisk(id))
  if (poolsUnknown)
    throw failedPrecondition('zpool does not say which disks are in a pool', { details: { object: id } })
  const importable = await withToolErrors(id, () => disks.zpool.importable())
  const active = disk.uses.filter((use) => use.active)
  const found = poolsOn(disk, importable)
  const destroys = [
    id,
    ...disk.partitions.map((part) => `${part.path}${contentOf(part)}`),
    ...disk.uses.filter((use) => !use.active && use.device === disk.device).map(holding),
    ...found.map((pool) => `a member of the pool ${pool}, which could be imported`),
  ]
  const depends = active.map((use) => ({ object: use.pool ?? use.detail ?? use.device, reason: REASONS[use.kind] }))
  const which = [disk.serial ?? '', disk.kernel, `${disk.size}`]
  return { ...makePlan(id, destroys, depends, which), [MEMBERS]: rowsOf(disk), disk }
}

/** The script looks again, and wipes no more than the plan says. */
export async function startWipe({ tasks }: Disks, plan: WipePlan, by: StartOptions['by']): Promise<Task> {
  const { disk } = plan
  const lock = `disk-${disk.id.replace(/[^A-Za-z0-9_.-]/g, '_')}`.slice(0, 200)
  const inputs = {
    device: { text: `${disk.device}\n` },
    size: { text: `${disk.size}\n` },
    ...(isPlainSerial(disk) && { serial: { text: `${disk.serial}\n` } }),
    planned: { text: (plan[MEMBERS] ?? []).map((line) => `${line}\n`).join('') },
  }
  const task = await tasks.startNext('disk-wipe', { lock, args: [lock, lock.slice(5)], inputs, by })
  return task ?? raise(locked('Another job is working on this disk', { details: { object: disk.id } }))
}

/** One that lsblk prints as it is; a multipath device has none of its own. */
const isPlainSerial = ({ kind, serial }: Disk) => kind === 'disk' && /^[A-Za-z0-9_.-]+$/.test(serial ?? '')

const REASONS: Readonly<Record<Use['kind'], string>> = {
  pool: 'has it as a member',
  boot: 'is a part of the system, on this disk',
  mounted: 'is mounted from this disk',
  swap: 'is swap space in use',
  lvm: 'is an LVM volume on this disk',
  raid: 'is a RAID device on this disk',
  encrypted: 'is an encrypted device on this disk',
  multipath: 'is one path of a multipath device',
  mapped: 'is another device on this disk',
  target: 'is served as a target',
  'read-only': 'is read-only',
  zfs: 'has a ZFS label',
  filesystem: 'has a file system',
  partitions: 'has partitions',
}

const contentOf = ({ fstype, label }: BlockDevice) =>
  fstype === undefined ? '' : ` (${fstype}${label === undefined ? '' : ` ${label}`})`

const holding = ({ kind, pool, detail }: Use) =>
  kind === 'zfs' ? `the ZFS label of ${pool === undefined ? 'a pool' : `the pool ${pool}`}` : (detail ?? kind)

/** The pools that are not imported and have this disk as a member. */
function poolsOn(disk: Disk, importable: readonly PoolStatus[]): string[] {
  const last = (path: string) => path.slice(path.lastIndexOf('/') + 1)
  const devices = [
    disk.device,
    disk.kernel,
    ...disk.paths,
    ...disk.partitions.flatMap(({ path, kernel }) => [path, kernel]),
  ]
  const names = new Set([...devices.map(last), ...disk.links.map(({ name }) => name)])
  const holds = (vdev: Vdev): boolean => names.has(vdev.name) || vdev.children.some(holds)
  return importable.filter(({ vdevs }) => vdevs.some(holds)).map(({ name, id = '' }) => `${name} (${id})`)
}

/** `DEVICE<tab>FILE SYSTEM` of the disk and everything on it, as the script reads it again. */
function rowsOf(disk: Disk): string[] {
  return [[disk.device, disk.fstype] as const, ...disk.partitions.map((part) => [part.path, part.fstype] as const)].map(
    ([path, fstype]) => `${path}\t${fstype ?? ''}`,
  )
}
