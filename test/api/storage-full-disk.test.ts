// A full disk at the writes of each change of shares, accounts, permissions, targets, pools, disks and schedules (full-disk-storage.ts): it is
// done, or it is refused with 507 and nothing of it is left.
import { expect, test } from 'vitest'
import { runOnSmallDisk } from './small-disk.ts'
import { FAKES_ONLY, REAL } from './storage-world.ts'

interface Told {
  /** How each change ended, with more and more free pages. */
  seen: Record<string, string[]>
  faults: string[]
}
/** ZFS alone keeps them. */
const ELSEWHERE = ['a quota', 'the schedule of a pool']

test.skipIf(REAL).for(['people', 'devices'])(
  `a change on a full disk is done or refused, and can be asked for again: %s ${FAKES_ONLY}`,
  { timeout: 180_000 },
  (group) => {
    const told = runOnSmallDisk('full-disk-storage.ts', group) as Told | undefined
    if (told === undefined) return
    expect(told.faults).toEqual([])
    const refused = Object.keys(told.seen).filter((name) => told.seen[name]?.[0] === '507')
    expect(refused).toEqual(Object.keys(told.seen).filter((name) => !ELSEWHERE.includes(name)))
    expect(refused.length).toBeGreaterThan(4)
  },
)
