// Pools as the API returns them, and the colors of their states.
import type { Tone } from '../../kit/layout.tsx'

export interface Pool {
  name: string
  status: string
  size: number
  allocated: number
  free: number
  /** Space for data, without parity and ZFS's own reserve; left out if the pool cannot be queried. */
  usable?: number
  usable_free?: number
  health: string
  created_at?: string
  guid: string
}

/** The space for data, and whether that is known; else ZFS's own size, which includes the parity of RAID-Z. */
export const roomOf = ({ size, free, usable, usable_free }: Pick<Pool, 'size' | 'free' | 'usable' | 'usable_free'>) =>
  usable === undefined || usable_free === undefined
    ? { size, free, isRaw: true }
    : { size: usable, free: usable_free, isRaw: false }

export interface Vdev {
  name: string
  type: string
  class: string
  state: string
  read_errors: number
  write_errors: number
  checksum_errors: number
  note?: string
  /** ZFS's number for it, which names it in every call. */
  guid?: string
  path?: string
  /** Bytes that a disk in its place must have at least. */
  needs?: number
  children?: Vdev[]
}

export interface SpareInUse {
  spare: string
  spare_guid?: string
  replaces: string
  replaces_guid?: string
  state: string
  group?: string
}

/** The evacuation of a vdev, or the expansion of a RAID-Z. */
export interface Work {
  status: 'running' | 'waiting' | 'finished' | 'cancelled'
  vdev?: string
  progress: number
  remaining?: number
}

export interface Scan {
  status: 'none' | 'unknown' | 'running' | 'paused' | 'finished' | 'cancelled'
  progress: number
  speed?: number
  repaired?: number
  errors?: number
  started_at?: string
  last?: string
  job?: string
  bytes_done?: number
  bytes_total?: number
  /** Seconds. */
  remaining?: number
}

export interface PoolDetails extends Pool {
  problem?: string
  action?: string
  errors?: string
  vdevs: Vdev[]
  spares_in_use: SpareInUse[]
  removal?: Work
  expansion?: Work
  scan?: Scan & { kind: 'scrub' | 'resilver' }
  options: Record<string, string>
}

/** Of GET /disks: what one needs to find a disk of a pool. */
export interface Disk {
  id: string
  path: string
  device: string
  model?: string
  serial?: string
  size: number
  enclosure?: string
  slot?: string
  free: boolean
  uses: { pool?: string; vdev?: string }[]
}

/** What can be put into a group: a free disk, or a file where that is allowed. */
export interface FreeDisk {
  path: string
  /** The kernel's name for it, such as /dev/sdb. */
  device: string
  /** Undefined of a file. */
  size?: number
  model?: string
  serial?: string
  slot?: string
}

export interface Available {
  pools: { name: string; id: string; state: string; problem?: string; vdevs: Vdev[] }[]
}

/** Whether ZFS reports damaged data, which is possible with every disk online. */
export const isDamaged = ({ errors = '' }: Pick<PoolDetails, 'errors'>) =>
  /^(?:[1-9][0-9]* data error|Permanent errors)/.test(errors)

export const toneOf = (state: string): Tone =>
  state === 'ONLINE' || state === 'AVAIL'
    ? 'ok'
    : state === 'INUSE'
      ? 'busy'
      : // Somebody took it offline on purpose; a pool without all of its disks is one failure away from its end.
        state === 'OFFLINE'
        ? 'warning'
        : 'error'
