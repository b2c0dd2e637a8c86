// When a policy's snapshots are due, and which may be destroyed: computed from the snapshots that exist, never from a record of past runs.
// So a restart, a second server or a missed hour neither skips nor repeats one. All times are UTC, which has no hour twice.
import type { MarkedSnapshot } from '../../drivers/zfs.ts'
import { periodOf, type SnapshotType, TYPES } from './periods.ts'
import type { Policy } from './policy.ts'

/** A snapshot that a policy made: its mark and its name agree. */
export interface Made {
  name: string
  type: SnapshotType
  /** Milliseconds since 1970, from its name: when it was due, whatever the pool's clock said. */
  time: number
  /** Place in the order of creation, which no clock can disturb. */
  txg: number
  holds: number
  clones: string[]
}

export interface Decision {
  /** Types that are due now. */
  take: SnapshotType[]
  remove: Made[]
  keep: { snapshot: Made; reason: string }[]
}

/** `20241215-143000` */
export const stamp = (time: number): string =>
  new Date(time)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:]/g, '')
    .replace('T', '-')

export const labelOf = (type: SnapshotType, time: number): string => `${type}-${stamp(time)}`

const LABEL = /^(\w+)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/

/** Undefined unless the name, marker and timestamp are those of a policy snapshot. */
export function readMade({ name, mark, txg, holds, clones }: MarkedSnapshot): Made | undefined {
  const label = name.slice(name.indexOf('@') + 1)
  const [, word, ...rest] = LABEL.exec(label) ?? []
  const type = TYPES.find((one) => one === word)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number)
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  if (type === undefined || mark !== type || labelOf(type, time) !== label) return undefined
  return { name, type, time, txg, holds, clones }
}

export function decide(policy: Policy, made: readonly Made[], now: number): Decision {
  const decision: Decision = { take: [], remove: [], keep: [] }
  for (const type of TYPES) {
    const { from, until } = periodOf(type, now)
    const own = made.filter((one) => one.type === type).sort((a, b) => b.txg - a.txg || b.time - a.time)
    let taken = false
    for (const [i, snapshot] of own.entries()) {
      const { time } = snapshot
      const reason = reasonToKeep(policy, snapshot, i)
      // A snapshot that is about to be removed does not count as taken. It can happen after the clock was ahead: newer ones fill the policy.
      if (reason !== undefined && time >= from && time < until) taken = true
      if (reason === undefined) decision.remove.push(snapshot)
      else decision.keep.push({ snapshot, reason })
    }
    if (policy.autosnap && policy[type] > 0 && !taken) decision.take.push(type)
  }
  return decision
}

function reasonToKeep(policy: Policy, { type, holds, clones }: Made, newer: number): string | undefined {
  if (newer < policy[type]) return `one of the newest ${policy[type]}`
  if (!policy.autoprune) return 'nothing is pruned'
  if (holds > 0) return 'held'
  if (clones.length > 0) return `cloned: ${clones.join(', ')}`
  return undefined
}
