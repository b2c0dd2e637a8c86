// The numbers of the appliance in Prometheus' text format. The trap: prom-client is loaded by the first scrape, not by the start (it costs
// 63 ms and 8 MB there), so what counts between scrapes is kept as plain numbers by whoever counts it.

export interface Measured {
  requests: { method: string; path: string; status: number; count: number; seconds: number }[]
  /** Tasks that ended since the start, and those that are under way now. */
  tasks: { kind: string; status: string; count: number }[]
  open: { kind: string; count: number }[]
  auditEntries: number
  /** Undefined when ZFS could not be asked. */
  storage: StorageNumbers | undefined
}

export interface StorageNumbers {
  /** Sizes in bytes. */
  pools: {
    name: string
    health: string
    size: number
    allocated: number
    free: number
    /** What can be stored; of a pool that cannot be opened nothing is known of it. */
    root?: { used: number; available: number } | undefined
  }[]
  /** `newest`: seconds since 1970. */
  snapshots: { dataset: string; count: number; newest: number }[]
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const HEALTH = ['ONLINE', 'DEGRADED', 'FAULTED', 'OFFLINE', 'UNAVAIL', 'REMOVED', 'SUSPENDED']

export async function renderMetrics({ requests, tasks, open, auditEntries, storage }: Measured): Promise<string> {
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registers = [new Registry()]
  const define = (Kind: typeof Counter | typeof Gauge, name: string, help: string, labelNames: string[] = []) => {
    const metric = new Kind({ name: `edge_admin_${name}`, help, labelNames, registers })
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
  return registers[0]!.metrics()
}
