// What uses a disk: a pool, a mounted file system, swap, LVM, RAID, encryption, an iSCSI or NVMe target. It is read from
// the tree of devices on the disk and from the members of all pools; nothing is asked of the disk itself.
import type { BlockDevice } from '../../drivers/lsblk.ts'
import type { PoolStatus, Vdev } from '../../drivers/zpool-status.ts'

export const KINDS = [
  'pool',
  'boot',
  'mounted',
  'swap',
  'lvm',
  'raid',
  'encrypted',
  'multipath',
  'mapped',
  'target',
  'read-only',
  'zfs',
  'filesystem',
  'partitions',
] as const

export interface Use {
  kind: (typeof KINDS)[number]
  /** Something works with it now; otherwise it only holds data. */
  active: boolean
  /** The device on the disk that it is about. */
  device: string
  /** The pool, also one that is not imported. */
  pool?: string
  member?: Member
  /** The mount point, the type of file system, the volume. */
  detail?: string
}

/** A disk's place in an imported pool. */
export interface Member {
  /** As zpool calls it: the operand of replace, offline, detach. */
  vdev: string
  /** The group that it is in: `mirror-0`; undefined for a disk that is a vdev by itself. */
  group: string | undefined
  class: string
  state: string
}

/** Everything that has to be known to say what uses a disk. */
export interface Surroundings {
  /** Every name of a device: `sda`, `ata-…`, `mpatha`. */
  namesOf: (device: BlockDevice) => string[]
  /** The members of all pools by name. */
  members: ReadonlyMap<string, Member & { pool: string }>
  /** The names of devices that are served as targets. */
  exported: ReadonlySet<string>
}

/** The members of all pools, by zpool's name. One that cannot be opened has a number as its name, so it names no disk. */
export function membersOf(pools: readonly PoolStatus[]): Map<string, Member & { pool: string }> {
  const found = new Map<string, Member & { pool: string }>()
  const add = (pool: string, vdev: Vdev, group?: string) => {
    for (const child of vdev.children) add(pool, child, vdev.name)
    if (vdev.children.length > 0 || vdev.type !== 'disk' || found.has(vdev.name)) return
    // An active spare is listed in its group and as a spare: the group comes first.
    found.set(vdev.name, { pool, vdev: vdev.name, group, class: vdev.class, state: vdev.state })
  }
  for (const { name, vdevs } of pools)
    for (const kind of [(one: Vdev) => one.class !== 'spare', (one: Vdev) => one.class === 'spare'])
      for (const vdev of vdevs.filter(kind)) add(name, vdev)
  return found
}

/** Most important first; none: the disk is free. */
export function usesOf(disk: BlockDevice, around: Surroundings): Use[] {
  const all = [disk, ...below(disk)]
  const told = all.flatMap((device) => usesOfDevice(device, device === disk, around))
  // The label of a member says the same as the pool that it is in.
  const pools = new Set(told.flatMap(({ kind, pool }) => (kind === 'pool' ? pool : [])))
  const found = told.filter(({ kind, pool }) => kind !== 'zfs' || pool === undefined || !pools.has(pool))
  // A partition without content says nothing beside one that has some.
  const some = found.length > 0 || disk.children.length === 0
  const uses: Use[] = some ? found : [{ kind: 'partitions', active: false, device: disk.path }]
  const order = ({ kind, active }: Use) => KINDS.indexOf(kind) + (active ? 0 : KINDS.length)
  return uses.sort((a, b) => order(a) - order(b))
}

const below = (device: BlockDevice): BlockDevice[] => device.children.flatMap((child) => [child, ...below(child)])

/** What the system started from, and what it runs on. */
const BOOT = /^\/(?:boot(?:\/.*)?|efi|usr|var|etc)?$/

/** File systems that are parts of something larger. */
const PARTS: Readonly<Record<string, Use['kind']>> = {
  LVM2_member: 'lvm',
  linux_raid_member: 'raid',
  crypto_LUKS: 'encrypted',
  mpath_member: 'multipath',
  zfs_member: 'zfs',
}
/** lsblk's types of what is made of other devices: anything but a partition keeps its disk busy. */
function madeOf(type: string): Use['kind'] | undefined {
  if (type === 'part') return undefined
  if (/^raid|^linear$|^md$/.test(type)) return 'raid'
  return type === 'lvm' ? 'lvm' : type === 'crypt' ? 'encrypted' : 'mapped'
}

function usesOfDevice(device: BlockDevice, isDisk: boolean, around: Surroundings): Use[] {
  const { path, type, fstype, label, mountpoints, children } = device
  const names = around.namesOf(device)
  const uses: Use[] = []
  const add = (kind: Use['kind'], active: boolean, more: Partial<Use> = {}) =>
    uses.push({ kind, active, device: path, ...more })
  const member = names.map((name) => around.members.get(name)).find((one) => one !== undefined)
  if (member) {
    const { pool, ...place } = member
    add('pool', true, { pool, member: place })
  }
  const made = isDisk ? undefined : madeOf(type)
  if (made) add(made, true, { detail: path })
  for (const place of mountpoints)
    if (place === '[SWAP]') add('swap', true)
    else add(BOOT.test(place) ? 'boot' : 'mounted', true, { detail: place })
  if (names.some((name) => around.exported.has(name))) add('target', true)
  if (isDisk && device.readOnly) add('read-only', true)
  // A label on the whole disk stays behind when it gets partitions: those say what it is used for.
  if (fstype !== undefined && mountpoints.length === 0 && !member && !(isDisk && children.length > 0)) {
    const kind = PARTS[fstype] ?? 'filesystem'
    if (kind === 'zfs') add(kind, false, label === undefined ? {} : { pool: label })
    // One path of a device whose other paths are elsewhere: nobody may have it alone.
    else if (children.length === 0)
      add(kind, kind === 'multipath', { detail: label === undefined ? fstype : `${fstype} ${label}` })
  }
  return uses
}
