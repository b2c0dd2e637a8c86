// The audit log with a million entries: what one costs to write, and to find 50 of them, next to bare programs on the same files.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AuditChain } from '../../src/store/audit/chain.ts'
import type { Filter } from '../../src/store/audit/query.ts'
import { listSegments } from '../../src/store/audit/segments.ts'
import { few, median, report } from './numbers.ts'

const ACTIONS = ['pools.create', 'datasets.update', 'snapshots.create', 'users.update']
const ROUNDS = 9

export function measureAudit(parent: string, count: number): void {
  const base = join(parent, 'audit-bench')
  const folder = join(base, 'audit')
  mkdirSync(base)
  const chain = new AuditChain({
    folder,
    keyFile: join(base, 'audit.key'),
    size: 2 ** 40,
    failed: (error) => {
      throw error
    },
  })
  const bare = openSync(join(base, 'bare'), 'a')
  const line = `${'x'.repeat(330)}\n`
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let i = 0; i < count; ) {
    const end = Math.min(count, i + 20_000)
    const first = i
    const write = () => {
      for (let k = first; k < end; k++) writeSync(bare, line)
    }
    const enter = () => {
      for (; i < end; i++) append(chain, i, count)
    }
    theirs.push(busy(write) / (end - first))
    ours.push(busy(enter) / (end - first))
  }
  closeSync(bare)
  const [cost, written] = [median(ours), median(theirs)]
  report(
    'an audit entry, chained, signed, synced, CPU',
    `${few(cost)} us, ${few(cost / written)} x a bare write`,
    '<= 5 us',
    cost <= 5,
  )

  const filters: Record<string, Filter> = {
    'no filter': { limit: 50 },
    'an actor of many': { actor: 'name7', limit: 50 },
    'one resource': { resource: 'pools/rare', limit: 50 },
    'what is not there': { actor: 'absent', limit: 50 },
    'two that never meet': { actor: 'name1', action: 'pools.create', limit: 50 },
    'the oldest 50': { before: 60, limit: 50 },
  }
  const found = (filter: Filter) => () => chain.find(filter)
  const took = Object.values(filters).map((filter) => median(rounds(() => busy(found(filter)) / 1000)))
  const slowest = Math.max(...took)
  const which = Object.keys(filters)[took.indexOf(slowest)]
  report(
    `50 newest of ${count} audit entries, slowest filter, CPU`,
    `${few(slowest)} ms: ${which}`,
    '< 20 ms',
    slowest < 20,
  )
  const files = listSegments(folder).map(({ path }) => path)
  const grep = median(rounds(() => passed(() => spawnSync('grep', ['-F', '"actor":"absent"', ...files])), 3))
  const absent = took[Object.keys(filters).indexOf('what is not there')] ?? Number.NaN
  report('what is not there, against grep', `${few(grep)} ms, ${few(grep / absent)} times as long`)
  const tail = median(rounds(() => passed(() => spawnSync('tail', ['-n', '50', files.at(-1) ?? '']))))
  report('the newest 50, against tail', `${few(took[0] ?? 0)} ms, ${few((took[0] ?? 0) / tail)} of a tail`)
  chain.close()
}

function append(chain: AuditChain, i: number, count: number): void {
  chain.append({
    actor: `user-${i % 40}`,
    name: `name${i % 40}`,
    action: ACTIONS[i % 4] as string,
    resource: i === count >> 1 ? 'pools/rare' : `datasets/tank/p${i % 300}/d${i % 7919}`,
    result: i % 11 ? 'success' : 'failure',
    ip: '192.0.2.1',
    agent: 'curl/8.0',
    request: `x-${i.toString(36)}`,
  })
}

const rounds = (act: () => number, number = ROUNDS): number[] => Array.from({ length: number }, act)

/** Microseconds of this process's own work: its neighbors on the machine do not count. */
function busy(act: () => unknown): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Milliseconds on the clock. */
function passed(act: () => unknown): number {
  const begun = performance.now()
  act()
  return performance.now() - begun
}
