// Disks as the API returns them, and the colors of their states.
import type { Tone } from '../../kit/layout.tsx'

export interface Use {
  kind: string
  active: boolean
  device: string
  pool?: string
  vdev?: string
  group?: string
  state?: string
  detail?: string
}

export interface Health {
  state: 'good' | 'warning' | 'failing' | 'standby' | 'unknown'
  reason?: string
  problems: string[]
  hot: boolean
  checked_at?: string
  temperature?: number
  power_on_hours?: number
  reallocated?: number
  pending?: number
  uncorrectable?: number
  media_errors?: number
  percentage_used?: number
  test_running: boolean
  test_progress?: number
  short_minutes?: number
  long_minutes?: number
}

export interface Disk {
  id: string
  path: string
  device: string
  kernel_name: string
  kind: 'disk' | 'multipath'
  paths?: string[]
  model?: string
  serial?: string
  wwn?: string
  firmware?: string
  size: number
  rotational?: boolean
  transport?: string
  port?: string
  enclosure?: string
  slot?: string
  free: boolean
  pool?: string
  uses: Use[]
  partitions: { device: string; size: number; file_system?: string; label?: string; mount_points: string[] }[]
  health: Health
}

export interface DiskDetails extends Disk {
  self_tests: { type: string; status: 'passed' | 'failed' | 'aborted' | 'running'; hours?: number; message: string }[]
  locate?: boolean
}

export const HEALTH_TONES: Readonly<Record<Health['state'], Tone>> = {
  good: 'ok',
  warning: 'warning',
  failing: 'error',
  standby: 'quiet',
  unknown: 'quiet',
}

const KINDS: Readonly<Record<string, string>> = {
  boot: 'system',
  mounted: 'mounted',
  swap: 'swap space',
  lvm: 'LVM',
  raid: 'Linux RAID',
  encrypted: 'encrypted device',
  multipath: 'path of a multipath device',
  mapped: 'other device',
  target: 'iSCSI or NVMe target',
  'read-only': 'read-only',
  filesystem: 'file system',
  partitions: 'partitions',
}

/** What uses a disk, in words: of pools the name, the group and ZFS's state. */
export function useText({ kind, pool, group, state, detail }: Use): string {
  if (kind === 'pool') return `${pool}${group ? `, ${group}` : ''}${state && state !== 'ONLINE' ? ` (${state})` : ''}`
  if (kind === 'zfs') return pool ? `pool ${pool}, not imported` : 'ZFS label'
  return `${KINDS[kind] ?? kind}${detail ? `: ${detail}` : ''}`
}

export const usesText = ({ uses }: Pick<Disk, 'uses'>): string =>
  uses.length === 0 ? 'free' : uses.map(useText).join('; ')

export const kindText = ({ rotational, transport, kind }: Disk): string =>
  [
    kind === 'multipath' ? 'multipath' : undefined,
    rotational === undefined ? undefined : rotational ? 'HDD' : 'SSD',
    transport,
  ]
    .filter((word) => word !== undefined)
    .join(', ')

export const EVERY: [value: string, text: string][] = [
  ['never', 'Never'],
  ['daily', 'Every day'],
  ['weekly', 'Every week'],
  ['monthly', 'Every month'],
  ['yearly', 'Every year'],
]
