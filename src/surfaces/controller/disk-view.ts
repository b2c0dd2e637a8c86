// A disk as the API shows it: what one needs to find the right one, and what uses it.
import * as z from 'zod'
import type { Disk } from '../../features/disks/disks.ts'
import { KINDS, type Use } from '../../features/disks/uses.ts'

const UseView = z
  .object({
    kind: z
      .enum(KINDS)
      .describe(
        'zfs: a ZFS label of a pool that is not imported; mapped: another device of the device mapper; target: served by iSCSI or NVMe',
      ),
    active: z.boolean().describe('something works with it now; otherwise it only holds data'),
    device: z.string(),
    pool: z.string().optional(),
    vdev: z.string().optional().describe('as zpool calls it: what replace, offline and detach take'),
    group: z.string().optional().describe('the vdev that it is part of: mirror-0'),
    class: z.string().optional().describe('data, log, cache, spare, special, dedup'),
    state: z.string().optional().describe('ZFS’s word: ONLINE, FAULTED'),
    detail: z.string().optional().describe('the mount point, the file system, the volume'),
  })
  .meta({ id: 'DiskUse' })

const Partition = z
  .object({
    device: z.string(),
    size: z.int().meta({ format: 'int64', description: 'bytes' }),
    file_system: z.string().optional(),
    label: z.string().optional(),
    mount_points: z.array(z.string()),
  })
  .meta({ id: 'DiskPartition' })

export const DiskView = z
  .object({
    id: z.string().describe('its name in /dev/disk/by-id; the kernel’s name only where it has no other'),
    path: z.string().describe('what a pool is made of'),
    device: z.string().describe('the kernel’s device, which may be another disk after a restart'),
    kernel_name: z.string(),
    kind: z.enum(['disk', 'multipath']),
    paths: z.array(z.string()).optional().describe('of a multipath device: the kernel’s names of its paths'),
    model: z.string().optional(),
    serial: z.string().optional(),
    wwn: z.string().optional(),
    firmware: z.string().optional(),
    size: z.int().meta({ format: 'int64', description: 'bytes' }),
    rotational: z.boolean().optional(),
    transport: z.string().optional().describe('sata, sas, nvme, usb, virtio'),
    port: z.string().optional().describe('what it is connected to: pci-0000:00:1f.2-ata-3'),
    enclosure: z.string().optional(),
    slot: z.string().optional().describe('of the enclosure, where the kernel knows it'),
    free: z.boolean().describe('nothing uses it and nothing is on it'),
    pool: z.string().optional().describe('the imported pool that it is in'),
    uses: z.array(UseView).describe('the most important first'),
    partitions: z.array(Partition),
  })
  .meta({ id: 'Disk' })

export const viewUse = ({ kind, active, device, pool, member, detail }: Use): z.infer<typeof UseView> => ({
  kind,
  active,
  device,
  ...(pool !== undefined && { pool }),
  ...(member && {
    vdev: member.vdev,
    ...(member.group !== undefined && { group: member.group }),
    class: member.class,
    state: member.state,
  }),
  ...(detail !== undefined && { detail }),
})

const given = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }

export function viewDisk(disk: Disk): z.infer<typeof DiskView> {
  const { id, path, device, kernel, kind, paths, size, uses, partitions } = disk
  const { model, serial, wwn, firmware, rotational, transport, port, enclosure, slot } = disk
  const pool = uses.find((use) => use.kind === 'pool')?.pool
  return {
    ...{ id, path, device, kernel_name: kernel, kind, size },
    ...(kind === 'multipath' && { paths }),
    ...given({ model, serial, wwn, firmware, rotational, transport, port, enclosure, slot, pool }),
    free: uses.length === 0,
    uses: uses.map(viewUse),
    partitions: partitions.map(({ path: at, size: bytes, fstype, label, mountpoints }) => ({
      ...{ device: at, size: bytes, mount_points: mountpoints },
      ...given({ file_system: fstype, label }),
    })),
  }
}
