// A snapshot policy as text, and its next run.
import { periodOf, type SnapshotType, TYPES } from '../../../features/snapshots/periods.ts'

export { TYPES }

export type Policy = Record<SnapshotType, number> & { dataset: string; autosnap: boolean; autoprune: boolean }

export const EVERY: Record<SnapshotType, string> = {
  frequent: 'Every 15 minutes',
  hourly: 'Hourly',
  daily: 'Daily',
  weekly: 'Weekly, from Monday',
  monthly: 'Monthly',
  yearly: 'Yearly',
}

/** `24 hourly, 7 daily` */
export const kept = (policy: Policy): string =>
  TYPES.filter((type) => policy[type] > 0)
    .map((type) => `${policy[type]} ${type}`)
    .join(', ') || 'none'

/** When the next snapshot is due, if the current period already has one; otherwise it is created at once. */
export function nextDue(policy: Policy, now: number): { type: SnapshotType; at: string } | undefined {
  if (!policy.autosnap) return undefined
  const due = TYPES.filter((type) => policy[type] > 0).map((type) => ({ type, until: periodOf(type, now).until }))
  due.sort((a, b) => a.until - b.until)
  return due[0] && { type: due[0].type, at: new Date(due[0].until).toISOString() }
}
