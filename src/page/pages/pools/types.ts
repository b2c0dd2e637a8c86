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
  children?: Vdev[]
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
}

export interface PoolDetails extends Pool {
  problem?: string
  errors?: string
  vdevs: Vdev[]
  scan?: Scan & { kind: 'scrub' | 'resilver' }
  options: Record<string, string>
}

export interface Available {
  disks: { path: string; size: number; model?: string; serial?: string }[]
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
