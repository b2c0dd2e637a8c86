// When snapshots are due and which may go, as properties: whatever policies, snapshots and clocks there are. The newest
// are the newest by creation, not by name; a clock that was wrong for a day must not make good snapshots go.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { periodOf, TYPES } from '../../src/features/snapshots/periods.ts'
import { EMPTY, formatPolicy, type Policy, parsePolicy } from '../../src/features/snapshots/policy.ts'
import { decide, labelOf, type Made, readMade } from '../../src/features/snapshots/schedule.ts'

const RUNS = { numRuns: 2000 }
const time = fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2090, 0) })
const type = fc.constantFrom(...TYPES)
const count = fc.integer({ min: 0, max: 6 })
const policies: fc.Arbitrary<Policy> = fc.record({
  frequent: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  autosnap: fc.boolean(),
  autoprune: fc.boolean(),
})
const histories: fc.Arbitrary<Made[]> = fc
  .array(
    fc.record({
      type,
      time: time.map((ms) => ms - (ms % 1000)),
      holds: fc.constantFrom(0, 0, 0, 1),
      clones: fc.constantFrom<string[]>([], [], [], ['tank/c']),
    }),
    { maxLength: 40 },
  )
  .map((all) => all.map((one, txg) => ({ ...one, txg, name: `tank/d@${labelOf(one.type, one.time)}#${txg}` })))

/** What is there after the decision was carried out. */
const carryOut = (policy: Policy, made: Made[], now: number): Made[] => {
  const { take } = decide(policy, made, now)
  const clock = now - (now % 1000)
  const after = [
    ...made,
    ...take.map((one, i) => ({
      name: `tank/d@${labelOf(one, clock)}`,
      type: one,
      time: clock,
      txg: 1000 + i,
      holds: 0,
      clones: [],
    })),
  ]
  const gone = new Set(decide(policy, after, now).remove)
  return after.filter((one) => !gone.has(one))
}

describe('pruning', () => {
  it('never takes the newest N of a type, nor one that is held or cloned, nor anything when it is off', () => {
    fc.assert(
      fc.property(policies, histories, time, (policy, made, now) => {
        const { remove, keep } = decide(policy, made, now)
        expect(remove.length + keep.length).toBe(made.length)
        if (!policy.autoprune) expect(remove).toEqual([])
        for (const gone of remove) {
          expect(gone.holds + gone.clones.length).toBe(0)
          const newer = made.filter((one) => one.type === gone.type && one.txg > gone.txg)
          expect(newer.length).toBeGreaterThanOrEqual(policy[gone.type])
        }
      }),
      RUNS,
    )
  })

  it('leaves no more than N of a type that are neither held nor cloned nor newest', () => {
    fc.assert(
      fc.property(policies, histories, time, (policy, made, now) => {
        const left = carryOut({ ...policy, autoprune: true }, made, now)
        for (const one of TYPES) {
          const free = left.filter((snapshot) => snapshot.type === one && snapshot.holds + snapshot.clones.length === 0)
          expect(free.length).toBeLessThanOrEqual(policy[one])
        }
      }),
      RUNS,
    )
  })

  it('never touches what no policy made: another name, another mark, a time that is none', () => {
    const base = { txg: 1, holds: 0, clones: [] }
    for (const [label, mark] of [
      ['hourly-20241215-143000', 'daily'],
      ['hourly-20241215-143000', 'x'],
      ['hourly-20241215-143060', 'hourly'],
      ['hourly-20241315-143000', 'hourly'],
      ['hourly-20240230-143000', 'hourly'],
      ['hourly-2024121-143000', 'hourly'],
      ['Hourly-20241215-143000', 'Hourly'],
      ['hourly-20241215-143000-x', 'hourly'],
      ['my-hourly-20241215-143000', 'hourly'],
      ['manual', 'hourly'],
    ] as const)
      expect([label, readMade({ name: `tank/d@${label}`, mark, ...base })]).toEqual([label, undefined])
    expect(readMade({ name: 'tank/d@hourly-20241215-143000', mark: 'hourly', ...base })).toEqual({
      name: 'tank/d@hourly-20241215-143000',
      type: 'hourly',
      time: Date.UTC(2024, 11, 15, 14, 30),
      ...base,
    })
  })

  it('reads back every name that it gives', () => {
    fc.assert(
      fc.property(type, time, (one, ms) => {
        const made = readMade({ name: `tank@${labelOf(one, ms)}`, mark: one, txg: 1, holds: 0, clones: [] })
        expect(made?.time).toBe(ms - (ms % 1000))
      }),
      RUNS,
    )
  })
})

describe('taking', () => {
  it('is due exactly once in each period: a second look, a restart or a second server takes nothing more', () => {
    fc.assert(
      fc.property(policies, histories, time, fc.integer({ min: 0, max: 899 }), (policy, made, now, seconds) => {
        const after = carryOut(policy, made, now)
        const again = decide(policy, after, now)
        expect(again.take).toEqual([])
        expect(again.remove).toEqual([])
        // Later in the same quarter of an hour: the same.
        const later = Math.min(periodOf('frequent', now).until - 1, now + seconds * 1000)
        expect(decide(policy, after, later).take).toEqual([])
      }),
      RUNS,
    )
  })

  it('is due in the next period, however many were missed, and for that one only', () => {
    fc.assert(
      fc.property(policies, time, fc.integer({ min: 1, max: 1_000_000 }), (policy, now, minutes) => {
        const on = { ...policy, autosnap: true }
        const after = carryOut(on, [], now)
        const later = now + minutes * 60_000
        const due = TYPES.filter((one) => on[one] > 0 && periodOf(one, later).from >= periodOf(one, now).until)
        expect(decide(on, after, later).take).toEqual(due)
      }),
      RUNS,
    )
  })

  it('loses and doubles none in a day of looks every quarter of an hour', () => {
    const policy = { ...EMPTY, frequent: 4, hourly: 24, daily: 7, weekly: 4 }
    let made: Made[] = []
    let taken = 0
    // A Sunday into a Monday, with the hour that summer time would lose in between.
    const begin = Date.UTC(2026, 2, 29)
    for (let now = begin; now < begin + 26 * 3_600_000; now += 900_000) {
      taken += decide(policy, made, now).take.length
      made = carryOut(policy, made, now).map((one, txg) => ({ ...one, txg }))
    }
    expect(taken).toBe(26 * 4 + 26 + 2 + 2)
    const left = (one: string) => made.filter((snapshot) => snapshot.type === one).length
    expect([left('frequent'), left('hourly'), left('daily'), left('weekly')]).toEqual([4, 24, 2, 2])
  })

  it('goes on when the clock was ahead for a while, and the newest stay', () => {
    const policy = { ...EMPTY, hourly: 2 }
    const ahead = Date.UTC(2038, 0)
    let made = carryOut(policy, carryOut(policy, [], ahead), ahead + 3_600_000).map((one, txg) => ({ ...one, txg }))
    const now = Date.UTC(2026, 0)
    for (let hour = 0; hour < 3; hour++)
      made = carryOut(policy, made, now + hour * 3_600_000).map((one, txg) => ({ ...one, txg }))
    expect(made.map(({ time }) => new Date(time).getUTCFullYear())).toEqual([2026, 2026])
    expect(decide(policy, made, now + 2 * 3_600_000)).toMatchObject({ take: [], remove: [] })
  })

  it('takes another at once when the one of this period has to go, since a clock that was ahead has made newer ones', () => {
    const policy = { ...EMPTY, daily: 1 }
    const [now, ahead] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)]
    const made = [now, ahead].map((time, txg) => ({
      ...{ name: `tank/d@${labelOf('daily', time)}`, type: 'daily' as const, time, txg },
      ...{ holds: 0, clones: [] },
    }))
    expect(decide(policy, made, now)).toMatchObject({ take: ['daily'], remove: [made[0]] })
    const after = carryOut(policy, made, now)
    expect([after.map(({ txg }) => txg), decide(policy, after, now)]).toMatchObject([[1000], { take: [], remove: [] }])
  })

  it('knows its periods: they follow each other without a gap, and weeks begin on Monday', () => {
    fc.assert(
      fc.property(type, time, (one, ms) => {
        const { from, until } = periodOf(one, ms)
        expect(from <= ms && ms < until).toBe(true)
        expect(periodOf(one, until).from).toBe(until)
        expect(periodOf(one, from - 1).until).toBe(from)
        if (one === 'weekly') expect(new Date(from).getUTCDay()).toBe(1)
      }),
      RUNS,
    )
  })
})

describe('a policy in its property', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        expect(parsePolicy(formatPolicy(policy))).toEqual(policy)
      }),
      RUNS,
    )
  })

  it('that somebody else wrote is none', () => {
    const good = formatPolicy(EMPTY)
    for (const text of [
      '',
      'on',
      '-',
      good.replace('hourly=0', 'hourly=-1'),
      good.replace('hourly=0', 'hourly=1e3'),
      good.replace('hourly=0', 'hourly=99999'),
      good.replace('autosnap=on', 'autosnap=yes'),
      `${good},more=1`,
      good.replace('yearly=0,', ''),
    ])
      expect([text, parsePolicy(text)]).toEqual([text, undefined])
  })
})
