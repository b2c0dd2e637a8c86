// Reads what `zpool status -tp` says of the trim of each disk, which stands in brackets behind its row. The text is the
// same in all versions. A disk whose trim was cancelled is shown as one that was never trimmed.
import { timeOf } from './zpool-scan.ts'
import type { Vdev } from './zpool-status.ts'

export interface Trim {
  name: string
  state: 'unsupported' | 'none' | 'running' | 'suspended' | 'finished'
  percent: number
  /** Milliseconds since 1970: when it began, or when it ended. */
  at: number | undefined
}

const NOTE = /\((?:(untrimmed)|(trim unsupported)|([0-9]+)% trimmed, (suspended, )?(started|completed) at ([^)]+))\)/

/** Of all disks that ZFS says something of. */
export const parseTrims = (vdevs: readonly Vdev[]): Trim[] =>
  vdevs.flatMap(({ name, note, children }) => {
    if (children.length > 0) return parseTrims(children)
    const [, untrimmed, unsupported, percent, suspended, word, time] = NOTE.exec(note ?? '') ?? []
    const trim = { name, percent: Number(percent ?? 0), at: timeOf(time) }
    if (unsupported !== undefined) return [{ ...trim, state: 'unsupported' as const }]
    if (untrimmed !== undefined) return [{ ...trim, state: 'none' as const }]
    if (percent === undefined) return []
    const state = word === 'completed' ? 'finished' : suspended ? 'suspended' : 'running'
    // 99 of a finished one is rounding.
    return [{ ...trim, state, percent: state === 'finished' ? 100 : trim.percent } as Trim]
  })
