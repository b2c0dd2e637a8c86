// What the console's storage pages compute before they ask the appliance: what a form changes, when a policy is due.
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/features/snapshots/schedule.ts'
import { changes, readable, valuesOf } from '../../src/page/pages/datasets/properties.ts'
import { leftWithout } from '../../src/page/pages/pools/left-without.ts'
import { kept, nextDue, type Policy } from '../../src/page/pages/snapshots/policy.ts'
import { changedNames, exactSize, names, words } from '../../src/page/pages/storage/api-types.ts'

describe('a mirror without one of its disks', () => {
  const disk = (name: string, state: string) => ({ name, state, type: 'disk', class: 'data' })
  it.each([
    [
      'data',
      ['ONLINE', 'ONLINE'],
      'Nothing is mirrored in m any more: when its other working disk fails, the whole pool is lost.',
    ],
    [
      'log',
      ['ONLINE', 'ONLINE'],
      'Nothing is mirrored in m any more: when its other working disk fails, the last writes can be lost.',
    ],
    ['data', ['ONLINE', 'ONLINE', 'ONLINE'], undefined],
    ['data', ['FAULTED', 'ONLINE', 'ONLINE'], undefined],
    [
      'data',
      ['ONLINE', 'ONLINE', 'FAULTED'],
      'Nothing is mirrored in m any more: when its other working disk fails, the whole pool is lost.',
    ],
    ['data', ['ONLINE', 'FAULTED', 'OFFLINE'], 'No other disk of m works: without this one the whole pool is lost.'],
  ])('of %s, of %j: %s', (use, states, words) => {
    const children = states.map((state, i) => disk(`d${i}`, state))
    const mirror = { ...disk('m', 'DEGRADED'), type: 'mirror', class: use, children }
    expect(leftWithout(children[0]!, mirror)).toBe(words)
    expect(leftWithout(children[0]!, { ...mirror, type: 'replacing' })).toBeUndefined()
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
