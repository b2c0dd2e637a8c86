// A disk as the API shows it: what one needs to find the right one, what uses it, and how it is.
import * as z from 'zod'
import type { Disk } from '../../features/disks/disks.ts'
import { HEALTH_STATES, type Health } from '../../features/disks/health.ts'
import { KINDS, type Use } from '../../features/disks/uses.ts'
import { Timestamp } from '../../features/timestamp.ts'

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

const SelfTestView = z.object({
  type: z.string().describe('short, long, or the disk’s own word'),
  status: z.enum(['passed', 'failed', 'aborted', 'running']),
  hours: z.int().optional().describe('the power-on hours at its end'),
  message: z.string(),
})

const HealthView = z
  .object({
    state: z.enum(HEALTH_STATES).describe('standby: it sleeps, and is not woken; the values are the last ones'),
    reason: z.string().optional().describe('why nothing is known'),
    problems: z.array(z.string()).describe('what is wrong'),
    hot: z.boolean(),
    checked_at: Timestamp.optional().describe('when the disk gave these values'),
    passed: z.boolean().optional().describe('the disk’s own verdict'),
    temperature: z.int().optional().describe('degrees Celsius'),
    power_on_hours: z.int().optional(),
    reallocated: z.int().optional().describe('sectors that were replaced by spare ones'),
    pending: z.int().optional().describe('sectors that cannot be read now'),
    uncorrectable: z.int().optional().describe('errors that could not be corrected'),
    media_errors: z.int().optional(),
    percentage_used: z.int().optional().describe('of its life; may exceed 100'),
    test_running: z.boolean(),
    test_progress: z.int().optional().describe('percent of the running test'),
    short_minutes: z.int().optional().describe('minutes that a short test takes'),
    long_minutes: z.int().optional(),
  })
  .meta({ id: 'DiskHealth' })

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
    health: HealthView,
  })
  .meta({ id: 'Disk' })

export const DiskDetails = DiskView.extend({
  self_tests: z.array(SelfTestView).describe('the newest first'),
  locate: z.boolean().optional().describe('whether the LED of its slot is on, where the enclosure says so'),
}).meta({ id: 'DiskDetails' })

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

function viewHealth({ state, reason, problems, isHot, at, report }: Health): z.infer<typeof HealthView> {
  const { passed, temperature, powerOnHours, reallocated, pending, uncorrectable, mediaErrors, percentUsed } =
    report ?? {}
  return {
    ...{ state, problems, hot: isHot, test_running: report?.running !== undefined },
    ...given({
      ...{ reason, checked_at: at === undefined ? undefined : new Date(at).toISOString() },
      ...{ passed, temperature, power_on_hours: powerOnHours, reallocated, pending, uncorrectable },
      ...{ media_errors: mediaErrors, percentage_used: percentUsed, test_progress: report?.running?.progress },
      ...{ short_minutes: report?.minutes.short, long_minutes: report?.minutes.long },
    }),
  }
}

export function viewDetails(disk: Disk, health: Health, locate: boolean | undefined): z.infer<typeof DiskDetails> {
  const tests = health.report?.tests ?? []
  return {
    ...viewDisk(disk, health),
    self_tests: tests.map(({ hours, ...test }) => ({ ...test, ...given({ hours }) })),
    ...given({ locate }),
  }
}

export function viewDisk(disk: Disk, health: Health): z.infer<typeof DiskView> {
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
    health: viewHealth(health),
  }
}
