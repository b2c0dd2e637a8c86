// GET /metrics, for a Prometheus server. The path is declared twice and the configuration mounts one of them: a scraper
// has a token that reads nothing else (auth/metrics-token.ts), and an appliance in an isolated network may open it to
// anyone.
import { CONTENT_TYPE, type Measured, renderMetrics } from '../../features/metrics/metrics.ts'
import { readProcess } from '../../features/metrics/process.ts'
import { readStorage } from '../../features/metrics/storage.ts'
import type { Permission } from '../../http/endpoint.ts'
import { TEXT_TYPE } from '../../http/reply/reply.ts'
import { BOUNDS } from '../../http/server/counts.ts'
import { isFinal } from '../../tasks/task.ts'
import { type ControllerDeps, define, METRICS } from './context.ts'

const declare = (permission: Permission & ('public' | 'viewer')) =>
  define({
    method: 'GET',
    path: METRICS,
    id: 'metrics',
    tag: 'System',
    summary: 'Numbers in Prometheus’ text format',
    permission,
    unlimited: true,
    response: TEXT_TYPE,
    enabled: ({ surfaces }) => surfaces.controller.metrics === permission,
    async handle(_call, deps) {
      const body = await (permission === 'public' ? shared(deps) : renderMetrics(await measure(deps)))
      return { status: 200, headers: { 'Content-Type': CONTENT_TYPE }, body }
    },
  })

/**
 * Milliseconds for which a measurement is shared: it starts programs, and if it is public strangers decide how often.
 */
const SHARED = 5000
const last = new WeakMap<ControllerDeps, { at: number; text: Promise<Buffer> }>()

function shared(deps: ControllerDeps): Promise<Buffer> {
  const known = last.get(deps)
  if (known && performance.now() - known.at < SHARED) return known.text
  const text = measure(deps)
    .then(renderMetrics)
    .then((page) => Buffer.from(page))
  const one = { at: performance.now(), text }
  last.set(deps, one)
  text.catch(() => last.get(deps) === one && last.delete(deps))
  return text
}

async function measure({ counts, tasks, audit, pools, zfs, disks }: ControllerDeps): Promise<Measured> {
  const open = new Map<string, number>()
  for (const task of await tasks.listInTurns(1000))
    if (!isFinal(task)) open.set(task.kind, (open.get(task.kind) ?? 0) + 1)
  return {
    requests: counts.requests.all(),
    times: counts.requests.times(),
    bounds: BOUNDS,
    process: await readProcess(),
    tasks: counts.tasks.all(),
    open: [...open].map(([kind, count]) => ({ kind, count })),
    auditEntries: audit.written,
    storage: await readStorage({ zpool: pools.zpool, zfs }),
    // A scrape asks no disk: the scheduler does, every quarter of an hour.
    disks: disks.health.all().map(({ disk: { id }, health: { state, report, at } }) => ({ id, state, report, at })),
  }
}

export const metricsEndpoints = [declare('viewer'), declare('public')]
