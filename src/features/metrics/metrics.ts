// The appliance's numbers in Prometheus' text format. prom-client is loaded by the first scrape, not at start (it costs
// 63 ms and 8 MB), so counters between scrapes are plain numbers in the parts that count.

import type { SmartReport } from '../../drivers/smartctl.ts'
import { HEALTH_STATES } from '../disks/health.ts'
import type { ProcessNumbers } from './process.ts'

export interface Measured {
  requests: { method: string; path: string; status: number; count: number; seconds: number }[]
  /** How long answers took: `buckets` counts those that took no longer than each of `bounds`. */
  times: { method: string; path: string; buckets: number[]; count: number; seconds: number }[]
  bounds: readonly number[]
  process: ProcessNumbers
  /** Tasks that ended since the start, and those running now. */
  tasks: { kind: string; status: string; count: number }[]
  open: { kind: string; count: number }[]
  auditEntries: number
  /** Undefined if ZFS could not be read. */
  storage: StorageNumbers | undefined
  /** What was last known of the disks that are there. */
  disks: DiskNumbers[]
}

export interface DiskNumbers {
  id: string
  state: (typeof HEALTH_STATES)[number]
  /** What the disk itself said. */
  report: SmartReport | undefined
  /** When it said so, in milliseconds since 1970. */
  at: number | undefined
}

export interface StorageNumbers {
  /** Sizes in bytes. */
  pools: {
    name: string
    health: string
    size: number
    allocated: number
    free: number
    /** Space that can be used; unknown for a pool that cannot be opened. */
    root?: { used: number; available: number } | undefined
  }[]
  /** `newest`: seconds since 1970. */
  snapshots: { dataset: string; count: number; newest: number }[]
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const HEALTH = ['ONLINE', 'DEGRADED', 'FAULTED', 'OFFLINE', 'UNAVAIL', 'REMOVED', 'SUSPENDED']

/** What a disk does not say is left out. */
const DISKS: {
  name: string
  help: string
  of: (report: Partial<SmartReport>, disk: DiskNumbers) => number | undefined
}[] = [
  {
    name: 'temperature_celsius',
    help: 'Temperature of the disk; left out while it sleeps',
    of: ({ temperature }, { state }) => (state === 'standby' ? undefined : temperature),
  },
  {
    name: 'power_on_seconds',
    help: 'Time that the disk was on, in whole hours',
    of: ({ powerOnHours }) => (powerOnHours === undefined ? undefined : powerOnHours * 3600),
  },
  { name: 'reallocated_sectors', help: 'Sectors replaced by spare ones', of: ({ reallocated }) => reallocated },
  { name: 'pending_sectors', help: 'Sectors that cannot be read now', of: ({ pending }) => pending },
  {
    name: 'uncorrectable_errors',
    help: 'Errors that could not be corrected',
    of: ({ uncorrectable }) => uncorrectable,
  },
  { name: 'media_errors', help: 'Media errors', of: ({ mediaErrors }) => mediaErrors },
  {
    name: 'wear_ratio',
    help: 'Part of its life that the disk has used; may exceed 1',
    of: ({ percentUsed }) => (percentUsed === undefined ? undefined : percentUsed / 100),
  },
  {
    name: 'checked_timestamp_seconds',
    help: 'When the disk gave these values',
    of: (_report, { at }) => (at === undefined ? undefined : at / 1000),
  },
]

export async function renderMetrics(measured: Measured): Promise<string> {
  const { requests, tasks, open, auditEntries, storage, disks } = measured
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registers = [new Registry()]
  const define = (Kind: typeof Counter | typeof Gauge, name: string, help: string, labelNames: string[] = []) => {
    const metric = new Kind({
      name: /^(?:process|nodejs)_/.test(name) ? name : `edge_admin_${name}`,
      help,
      labelNames,
      registers,
    })
    return (value: number, labels: Record<string, string> = {}) => metric.inc(labels, value)
  }
  const answered = define(Counter, 'http_requests_total', 'Requests answered', ['method', 'path', 'status'])
  const seconds = define(Counter, 'http_request_seconds_total', 'Time spent until the answer', [
    'method',
    'path',
    'status',
  ])
  for (const { method, path, status, ...one } of requests) {
    const labels = { method, path, status: String(status) }
    answered(one.count, labels)
    seconds(one.seconds, labels)
  }
  const ended = define(Counter, 'tasks_ended_total', 'Tasks that ended since the start', ['kind', 'status'])
  for (const { kind, status, count } of tasks) ended(count, { kind, status })
  const running = define(Gauge, 'tasks_open', 'Tasks waiting or running', ['kind'])
  for (const { kind, count } of open) running(count, { kind })
  define(Counter, 'audit_entries_total', 'Entries written to the audit log since the start')(auditEntries)
  define(Gauge, 'storage_up', 'Whether ZFS could be asked')(storage ? 1 : 0)
  const health = define(Gauge, 'pool_health', '1 for the state that the pool is in', ['pool', 'state'])
  const size = define(Gauge, 'pool_size_bytes', 'Size of the pool', ['pool'])
  const allocated = define(Gauge, 'pool_allocated_bytes', 'Space of the pool that is in use', ['pool'])
  const free = define(Gauge, 'pool_free_bytes', 'Space of the pool that is free', ['pool'])
  const usable = define(Gauge, 'pool_usable_bytes', 'What can be stored in the pool in all, without parity', ['pool'])
  const left = define(Gauge, 'pool_usable_free_bytes', 'What can still be stored in the pool', ['pool'])
  for (const pool of storage?.pools ?? []) {
    for (const state of new Set([...HEALTH, pool.health]))
      health(state === pool.health ? 1 : 0, { pool: pool.name, state })
    size(pool.size, { pool: pool.name })
    allocated(pool.allocated, { pool: pool.name })
    free(pool.free, { pool: pool.name })
    if (!pool.root) continue
    usable(pool.root.used + pool.root.available, { pool: pool.name })
    left(pool.root.available, { pool: pool.name })
  }
  const count = define(Gauge, 'snapshots', 'Snapshots of the dataset', ['dataset'])
  const newest = define(Gauge, 'snapshot_newest_timestamp_seconds', 'When the newest snapshot was made', ['dataset'])
  for (const { dataset, ...one } of storage?.snapshots ?? []) {
    count(one.count, { dataset })
    newest(one.newest, { dataset })
  }
  const diskHealth = define(Gauge, 'disk_health', '1 for the state that the disk is in', ['disk', 'state'])
  const numbers = DISKS.map(({ name, help, of }) => ({ of, set: define(Gauge, `disk_${name}`, help, ['disk']) }))
  for (const disk of disks) {
    for (const state of HEALTH_STATES) diskHealth(state === disk.state ? 1 : 0, { disk: disk.id, state })
    for (const { of, set } of numbers) {
      const value = of(disk.report ?? {}, disk)
      if (value !== undefined) set(value, { disk: disk.id })
    }
  }
  const { process } = measured
  define(Counter, 'process_cpu_seconds_total', 'Processor time of the server')(process.cpuSeconds)
  define(Gauge, 'process_resident_memory_bytes', 'Memory of the server')(process.residentBytes)
  define(Gauge, 'process_open_fds', 'Open file descriptors of the server')(process.openFiles)
  define(Gauge, 'process_start_time_seconds', 'When the server was started')(process.startSeconds)
  define(Gauge, 'nodejs_heap_size_used_bytes', 'Heap of the server that is in use')(process.heapUsedBytes)
  define(Gauge, 'nodejs_heap_size_total_bytes', 'Heap of the server')(process.heapTotalBytes)
  define(Gauge, 'nodejs_eventloop_lag_seconds', 'How long what is due waits for the event loop')(process.lagSeconds)
  return `${await registers[0]!.metrics()}${histogram(measured)}`
}

/** prom-client's histogram takes single observations; these are already counted. */
function histogram({ times, bounds }: Pick<Measured, 'times' | 'bounds'>): string {
  const name = 'edge_admin_http_request_duration_seconds'
  const lines = times.flatMap(({ method, path, buckets, count, seconds }) => {
    const labels = `method="${method}",path="${path}"`
    return [
      ...bounds.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${buckets[at]}`),
      `${name}_bucket{${labels},le="+Inf"} ${count}`,
      `${name}_sum{${labels}} ${seconds}`,
      `${name}_count{${labels}} ${count}`,
    ]
  })
  return [`# HELP ${name} Time until the answer`, `# TYPE ${name} histogram`, ...lines, ''].join('\n')
}
