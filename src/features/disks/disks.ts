// The disks of this machine: what one needs to find the right one, and what uses each. The only reader of disks: the
// choice for a new pool, a replacement and a wipe all start from this list.
import type { Devices, Link } from '../../drivers/device-links.ts'
import type { BlockDevice, Lsblk } from '../../drivers/lsblk.ts'
import { CommandError } from '../../drivers/run.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import type { PoolStatus } from '../../drivers/zpool-status.ts'
import { notFound, raise } from '../../errors.ts'
import { withToolErrors } from '../tool-failure.ts'
import { membersOf, type Surroundings, type Use, usesOf } from './uses.ts'

export interface DiskSources {
  lsblk: Lsblk
  devices: Devices
  zpool: Pick<Zpool, 'statuses'>
}

export interface Disk {
  /** A name that stays with the disk (/dev/disk/by-id); the kernel's name only where it has no other. */
  id: string
  /** What a pool is made of: the path in /dev/disk/by-id, else the device. */
  path: string
  /** lsblk's path: `/dev/sda`, `/dev/mapper/mpatha`. */
  device: string
  kernel: string
  kind: 'disk' | 'multipath'
  /** The kernel's names of the paths to a multipath device. */
  paths: string[]
  /** Every name in /dev/disk and /dev/mapper. */
  links: Link[]
  model: string | undefined
  serial: string | undefined
  wwn: string | undefined
  firmware: string | undefined
  /** Bytes. */
  size: number
  rotational: boolean | undefined
  transport: string | undefined
  /** The port that it is connected to: `pci-0000:00:1f.2-ata-3`. */
  port: string | undefined
  enclosure: string | undefined
  slot: string | undefined
  /** The folder of its slot in /sys. */
  slotFolder: string | undefined
  /** With what they hold. */
  partitions: BlockDevice[]
  /** The file system, or member of something, that the whole disk holds. */
  fstype: string | undefined
  /** The partition table: gpt, dos. */
  table: string | undefined
  /** Empty: it is free. */
  uses: Use[]
}

export interface DiskList {
  disks: Disk[]
  /** zpool could not be asked: a disk with a ZFS label may be in an imported pool. */
  poolsUnknown: boolean
}

export const isFree = ({ uses }: Pick<Disk, 'uses'>) => uses.length === 0
export const noDisk = (id: string) => notFound('disk not found', { details: { object: id } })

/** All disks, and each multipath device once. */
export function listDisks(sources: DiskSources): Promise<DiskList> {
  return withToolErrors(undefined, async () => {
    // The links come last: a device that lsblk lists has them by then.
    const [devices, pools] = await Promise.all([sources.lsblk.list(), poolsOf(sources.zpool)])
    const [links, exported] = await Promise.all([sources.devices.links(), sources.devices.exported()])
    const around = surroundings(links, exported, pools ?? [])
    const disks = await Promise.all(
      wholes(devices)
        .filter(({ device }) => isDisk(device))
        .map((whole) => describe(whole, around, links, sources.devices)),
    )
    return { disks: disks.sort(byName), poolsUnknown: pools === undefined }
  })
}

/** The disk of this id; a request never names a path. */
export const findDisk = async (sources: DiskSources, id: string): Promise<Disk | undefined> =>
  (await listDisks(sources)).disks.find((disk) => disk.id === id)

export const getDisk = async (sources: DiskSources, id: string): Promise<Disk> =>
  (await findDisk(sources, id)) ?? raise(noDisk(id))

/** Undefined where zpool cannot be asked: the disks are listed all the same. */
async function poolsOf(zpool: DiskSources['zpool']): Promise<PoolStatus[] | undefined> {
  try {
    return await zpool.statuses()
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}

function surroundings(
  links: ReadonlyMap<string, Link[]>,
  exported: readonly string[],
  pools: readonly PoolStatus[],
): Surroundings {
  const last = (path: string) => path.slice(path.lastIndexOf('/') + 1)
  return {
    namesOf: ({ kernel, path }) => [
      ...new Set([kernel, last(path), ...(links.get(kernel) ?? []).map(({ name }) => name)]),
    ],
    members: membersOf(pools),
    exported: new Set(exported.map(last)),
  }
}

interface Whole {
  device: BlockDevice
  paths: BlockDevice[]
}

/** Each disk, and each multipath device once: it stands below every path to it, and its paths are not to be used. */
function wholes(devices: readonly BlockDevice[]): Whole[] {
  const found = new Map<string, Whole>()
  for (const device of devices) {
    const multipath = device.children.filter(({ type }) => type === 'mpath')
    if (multipath.length === 0) found.set(device.path, { device, paths: [] })
    for (const whole of multipath) {
      const known = found.get(whole.path) ?? { device: whole, paths: [] }
      known.paths.push(device)
      found.set(whole.path, known)
    }
  }
  return [...found.values()]
}

const isDisk = ({ type, size, path }: BlockDevice) =>
  (type === 'disk' || type === 'mpath') && size > 0 && !/^\/dev\/(?:zd|zram|ram|loop|nbd|fd)[0-9]/.test(path)

async function describe(
  { device, paths }: Whole,
  around: Surroundings,
  links: ReadonlyMap<string, Link[]>,
  devices: Devices,
): Promise<Disk> {
  // A multipath device's own model, serial number and slot are known to its paths only.
  const one = paths[0] ?? device
  const own = links.get(device.kernel) ?? []
  const id = bestName(own)
  const slot = await devices.slot(one.kernel)
  return {
    id: id ?? device.kernel.replace(/[^A-Za-z0-9_.:+=@,-]/g, '_'),
    path: id === undefined ? device.path : `/dev/disk/by-id/${id}`,
    device: device.path,
    kernel: device.kernel,
    kind: device.type === 'mpath' ? 'multipath' : 'disk',
    paths: paths.map(({ kernel }) => kernel),
    links: own,
    model: device.model ?? one.model,
    serial: device.serial ?? one.serial,
    wwn: device.wwn ?? one.wwn,
    firmware: device.firmware ?? one.firmware,
    size: device.size,
    rotational: one.rotational,
    transport: device.transport ?? one.transport,
    port: own.find(({ folder }) => folder === 'by-path')?.name,
    enclosure: slot?.enclosure,
    slot: slot?.name,
    slotFolder: slot?.folder,
    partitions: device.children.filter(({ type }) => type === 'part'),
    fstype: device.fstype,
    table: device.table,
    uses: usesOf(device, around),
  }
}

/** From the name that says most to a person to the one that says least. */
const PREFERRED = [
  /^ata-/,
  /^nvme-(?!eui\.|uuid\.|nvme\.)/,
  /^scsi-S/,
  /^usb-/,
  /^virtio-/,
  /^mmc-/,
  /^scsi-/,
  /^dm-uuid-/,
  /^wwn-/,
  /^nvme-/,
]

function bestName(links: readonly Link[]): string | undefined {
  const names = links.filter(({ folder }) => folder === 'by-id').map(({ name }) => name)
  const rank = (name: string) => {
    const place = PREFERRED.findIndex((form) => form.test(name))
    return place < 0 ? PREFERRED.length : place
  }
  return names.sort((a, b) => rank(a) - rank(b) || a.length - b.length || (a < b ? -1 : 1))[0]
}

/** sda, sdb, … sdz, sdaa; disk2 before disk10; a multipath device where its first path would be. */
function byName(a: Disk, b: Disk): number {
  const [left, right] = [a, b].map(({ paths: [first], kernel }) => first ?? kernel) as [string, string]
  const letters = (name: string) => name.replace(/[0-9]/g, '').length
  return letters(left) - letters(right) || left.localeCompare(right, 'en', { numeric: true })
}
