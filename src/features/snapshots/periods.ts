// The periods that snapshots are taken in. The console computes with them too, so nothing that a browser lacks may be imported here.

/** Sanoid's terms, from the shortest period to the longest. */
export const TYPES = ['frequent', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type SnapshotType = (typeof TYPES)[number]

const DAY = 86_400_000
/** 1970-01-01 was a Thursday. */
const MONDAY = 3 * DAY

/** The period that a moment lies in: from, and until without the end. */
export function periodOf(type: SnapshotType, time: number): { from: number; until: number } {
  const even = (length: number, shift = 0) => {
    const from = Math.floor((time + shift) / length) * length - shift
    return { from, until: from + length }
  }
  const at = new Date(time)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()]
  switch (type) {
    case 'frequent':
      return even(900_000)
    case 'hourly':
      return even(3_600_000)
    case 'daily':
      return even(DAY)
    case 'weekly':
      return even(7 * DAY, MONDAY)
    case 'monthly':
      return { from: Date.UTC(year, month), until: Date.UTC(year, month + 1) }
    case 'yearly':
      return { from: Date.UTC(year, 0), until: Date.UTC(year + 1, 0) }
  }
}
