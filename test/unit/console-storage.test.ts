// What the console's storage pages compute before they ask the appliance: a pool's words, what a form changes, when a policy is due.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVdevs } from '../../src/features/pools/vdevs.ts'
import { decide } from '../../src/features/snapshots/schedule.ts'
import { changes, readable, valuesOf } from '../../src/page/pages/datasets/properties.ts'
import { LAYOUTS, type Layout, USES, type Use, usable, vdevWords, whyNot } from '../../src/page/pages/pools/layouts.ts'
import { kept, nextDue, type Policy } from '../../src/page/pages/snapshots/policy.ts'
import { changedNames, exactSize, names, words } from '../../src/page/pages/storage/api-types.ts'

const layout = fc.constantFrom(...(Object.keys(LAYOUTS) as Layout[]))
const use = fc.constantFrom(...(Object.keys(USES) as Use[]))

describe('the words of a new pool', () => {
  it('are those of ZFS', () => {
    const disks: [string, Use][] = ['sdb', 'sdc', 'sdd', 'sde'].map((name) => [`/dev/${name}`, 'data'])
    expect(vdevWords('mirrors', disks)).toEqual(['mirror', '/dev/sdb', '/dev/sdc', 'mirror', '/dev/sdd', '/dev/sde'])
    expect(vdevWords('stripe', disks.slice(0, 2))).toEqual(['/dev/sdb', '/dev/sdc'])
    const more: [string, Use][] = [...disks, ['/dev/l1', 'log'], ['/dev/l2', 'log'], ['/dev/s', 'spare']]
    expect(vdevWords('raidz2', more).slice(5)).toEqual(['log', 'mirror', '/dev/l1', '/dev/l2', 'spare', '/dev/s'])
  })

  it('are taken by the appliance exactly when nothing is missing', () => {
    fc.assert(
      fc.property(layout, fc.array(use, { maxLength: 12 }), (chosen, uses) => {
        const disks = uses.map((one, i): [string, Use] => [`/dev/d${i}`, one])
        const isTaken = () => {
          const { devices, errors } = readVdevs(vdevWords(chosen, disks), () => false)
          return errors.length === 0 && devices.length === disks.length
        }
        const data = disks.filter(([, one]) => one === 'data').length
        expect(isTaken()).toBe(whyNot(chosen, data) === undefined)
      }),
    )
  })

  it('give what the smallest disks allow', () => {
    expect(usable('mirror', [4, 6])).toBe(4)
    expect(usable('mirrors', [4, 6, 8, 7])).toBe(11)
    expect(usable('raidz2', [4, 4, 4, 6])).toBe(8)
    expect(usable('stripe', [4, 6])).toBe(10)
    expect(usable('mirror', [])).toBe(0)
  })
})

describe('a form of properties', () => {
  const before = valuesOf('filesystem', { quota: '10737418240', compression: 'zstd', 'com.example:owner': 'alice' })

  it('changes nothing when nothing was changed', () => {
    expect(before).toMatchObject({ fields: { quota: '10G', atime: '' }, others: 'com.example:owner=alice' })
    expect(changes(before, before)).toEqual({})
  })

  it('takes a limit away, and everything else back to what is inherited', () => {
    const after = {
      fields: { ...before.fields, quota: '', compression: '', atime: 'off' },
      others: 'snapdir=visible\n',
    }
    expect(changes(before, after)).toEqual({
      quota: 'none',
      compression: 'inherit',
      atime: 'off',
      'com.example:owner': 'inherit',
      snapdir: 'visible',
    })
  })

  it('reads a limit that is none as empty', () => {
    expect(valuesOf('filesystem', { quota: '0' }).fields['quota']).toBe('')
    expect([readable('quota', '0'), readable('quota', '22149146346'), readable('recordsize', '131072')]).toEqual([
      'none',
      '21 GiB',
      '128K',
    ])
  })
})

it('a size is written as it is typed, and means the same', () => {
  expect(['1024', '10737418240', '1025', '999', 'none'].map(exactSize)).toEqual(['1K', '10G', '1025', '999', 'none'])
})

it('a list is read from lines, commas and blanks', () => {
  expect(words(' alice, @staff\nbob ')).toEqual(['alice', '@staff', 'bob'])
  expect(words('')).toEqual([])
})

describe('a policy', () => {
  const policy: Policy = {
    dataset: 'tank/data',
    frequent: 0,
    hourly: 2,
    daily: 7,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    autosnap: true,
    autoprune: true,
  }
  const now = Date.UTC(2026, 10, 21, 14, 5)

  it('is said in words', () => {
    expect(kept(policy)).toBe('2 hourly, 7 daily')
    expect(kept({ ...policy, hourly: 0, daily: 0 })).toBe('none')
  })

  it('is due when the appliance takes the next one, and not before', () => {
    expect(nextDue(policy, now)).toEqual({ type: 'hourly', at: '2026-11-21T15:00:00.000Z' })
    expect(nextDue({ ...policy, autosnap: false }, now)).toBeUndefined()
    const made = (['hourly', 'daily'] as const).map((type) => ({
      name: `tank/data@${type}`,
      type,
      time: now,
      txg: 1,
      holds: 0,
      clones: [],
    }))
    const due = Date.parse(nextDue(policy, now)?.at ?? '')
    expect(decide(policy, made, due - 1).take).toEqual([])
    expect(decide(policy, made, due).take).toEqual(['hourly'])
  })
})

describe('who may connect to a share', () => {
  it('is a line or a comma each, with the blanks within', () => {
    expect(names('anna\n@Domain Users\r\n  EXAMPLE\\Power Users ,bob,,\n\n')).toEqual([
      'anna',
      '@Domain Users',
      'EXAMPLE\\Power Users',
      'bob',
    ])
    expect(names(' \n')).toEqual([])
  })

  it('is not sent while nobody has touched it', () => {
    const before = ['anna', '@Domain Users', 'a, b']
    expect(changedNames(before.join('\n'), before)).toBeUndefined()
    expect(changedNames('anna\n@Domain Users', before)).toEqual(['anna', '@Domain Users'])
    expect(changedNames('', before)).toEqual([])
    expect(changedNames('', undefined)).toEqual([])
  })
})
