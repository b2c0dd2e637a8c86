// What may be a name or a size in ZFS, before any program is started. A name that passes here is an argument of `zfs`.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ChildName,
  DatasetName,
  deviceOf,
  KnownChild,
  KnownDataset,
  KnownPool,
  KnownSnapshot,
  PoolName,
  parseSize,
  poolOf,
  Size,
  SnapshotName,
  zvolOf,
} from '../../src/features/zfs/names.ts'

const HOSTILE = [
  '',
  '-f',
  '-',
  '../x',
  'a b',
  'a\0b',
  'a\n',
  'a@',
  '@b',
  'a//b',
  '/a',
  'a/',
  'tank/-x',
  'a%2Fb',
  'ä',
  'a;id',
  '$(id)',
]

describe('names', () => {
  it('of pools begin with a letter and are none of the words that ZFS keeps', () => {
    // As ZFS 2.3 itself takes them: only `log` is kept, not what begins with it, and disks of Solaris are no more.
    for (const name of ['tank', 'a', 'Tank_1.x:y-z', 'cache', 'logs', 'logistics', 'c0d0'])
      expect(PoolName.safeParse(name).success, name).toBe(true)
    for (const name of [
      ...HOSTILE,
      '1tank',
      'mirror',
      'raidz2',
      'spare1',
      'log',
      'draid',
      'mirrors',
      'a/b',
      'x'.repeat(256),
    ])
      expect(PoolName.safeParse(name).success, name).toBe(false)
  })

  it('of datasets are components with a slash between', () => {
    for (const name of ['tank', 'tank/data', 'tank/1/b.c:d'])
      expect(DatasetName.safeParse(name).success, name).toBe(true)
    for (const name of [...HOSTILE, 'tank/a@b', 'mirror/x', `tank/${'x'.repeat(251)}`])
      expect(DatasetName.safeParse(name).success, name).toBe(false)
    expect(ChildName.safeParse('tank').success).toBe(false)
    expect(poolOf('tank/a/b@c')).toBe('tank')
  })

  it('of snapshots have exactly one @, and no list or range', () => {
    expect(SnapshotName.safeParse('tank/data@hourly-20241215-143000').success).toBe(true)
    for (const name of [...HOSTILE, 'tank', 'tank@a@b', 'tank@a,b', 'tank@a%b', 'tank@%', 'tank@-r', 'tank@a/b'])
      expect(SnapshotName.safeParse(name).success, name).toBe(false)
  })

  it('SEC-02 never begin with a dash or hold a blank, a control character or a list, whatever is sent', () => {
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }))
    fc.assert(
      fc.property(text, fc.constantFrom('', 'tank', 'tank/', 'tank@'), (tail, head) => {
        for (const schema of [PoolName, DatasetName, SnapshotName]) {
          const parsed = schema.safeParse(head + tail)
          if (parsed.success) expect(parsed.data).toMatch(/^[A-Za-z][A-Za-z0-9_.:@/-]*$/)
        }
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('names of what there is', () => {
  it('of pools have blanks, and begin with words that ZFS keeps for itself since then', () => {
    for (const name of ['tank', 'my pool', 'c0t0d0', 'log', 'spare1', 'draid2', 'mirrors', 'a:b'])
      expect(KnownPool.safeParse(name).success, name).toBe(true)
    for (const name of [
      '-f',
      ' tank',
      '1tank',
      'a/b',
      'a@b',
      '',
      'ä',
      'a,b',
      'a%b',
      'mirror',
      'raidz',
      'a\n',
      'x'.repeat(256),
    ])
      expect(KnownPool.safeParse(name).success, name).toBe(false)
  })

  it('of datasets begin their parts with any character of a name', () => {
    for (const name of [
      'tank/My Photos',
      'tank/.system',
      'tank/_lxd',
      'tank/-x',
      'tank/a:b',
      'tank/...',
      'tank/ a',
      'my pool/x',
    ])
      expect([KnownDataset.safeParse(name).success, KnownChild.safeParse(name).success], name).toEqual([true, true])
    for (const name of [
      '-x/a',
      'tank/',
      'tank//a',
      'tank/.',
      'tank/..',
      'tank/../x',
      'tank/./x',
      'tank/a@b',
      'tank/a,b',
      'tank/a%b',
      'tank/a\tb',
      '/tank',
      'mirror/x',
    ])
      expect(KnownDataset.safeParse(name).success, name).toBe(false)
    expect(KnownChild.safeParse('tank').success).toBe(false)
  })

  it('of snapshots as well, and never are a list or a range', () => {
    for (const name of ['tank/My Photos@at noon', 'tank@.hid', 'tank/-x@-y'])
      expect(KnownSnapshot.safeParse(name).success, name).toBe(true)
    for (const name of [
      'tank@a,b',
      'tank@a%b',
      'tank@%b',
      'tank@',
      'tank@a@b',
      'tank@a/b',
      '-t@x',
      'tank@..',
      'tank/..@x',
    ])
      expect(KnownSnapshot.safeParse(name).success, name).toBe(false)
  })

  it('SEC-02 never begin with a dash or hold a control character or a list, whatever is sent', () => {
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }))
    fc.assert(
      fc.property(text, fc.constantFrom('', 'tank', 'tank/', 'tank@'), (tail, head) => {
        for (const schema of [KnownPool, KnownDataset, KnownSnapshot]) {
          const parsed = schema.safeParse(head + tail)
          if (parsed.success) expect(parsed.data).toMatch(/^[A-Za-z][A-Za-z0-9_.:@/ -]*$/)
        }
      }),
      { numRuns: 10_000 },
    )
  })

  it('may be the parent of something new, whose own part is a plain one', () => {
    expect(ChildName.safeParse('tank/My Photos/2026').success).toBe(true)
    for (const name of ['tank/My Photos', 'tank/a/.b', 'tank/_x', 'tank/../x', 'tank'])
      expect(ChildName.safeParse(name).success, name).toBe(false)
  })

  it('of volumes have a device without blanks', () => {
    expect(deviceOf('tank/vol ume')).toBe('/dev/zvol/tank/vol+ume')
    expect(zvolOf('/dev/zvol/tank/vol+ume')).toBe('tank/vol ume')
    expect(zvolOf('/dev/sda')).toBeUndefined()
  })

  it.each([
    [ChildName, 'tank/My Photos/a,b', '“,” is not among letters, digits and _ - . :'],
    [ChildName, 'tank/My Photos/a b', 'a blank is not among letters, digits and _ - . :'],
    [ChildName, 'tank/My,Photos/a b', '“,” is not among letters, digits, blanks and _ - . :'],
    [DatasetName, 'tank/My Photos', 'a blank is not among letters, digits and _ - . :'],
    [KnownDataset, 'tank/a,b', '“,” is not among letters, digits, blanks and _ - . :'],
    [PoolName, '1tank', 'expected letters, digits and _ - . :, beginning with a letter'],
    [DatasetName, 'tank/.x', 'each part beginning with a letter or digit'],
    [SnapshotName, 'tank@a\u0000', 'a character is not among'],
  ])('that are refused name the character, and those that are good', (schema, name, words) => {
    expect(schema.safeParse(name).error?.issues[0]?.message).toContain(words)
  })
})

describe('sizes', () => {
  it.each([
    ['10G', 10 * 1024 ** 3],
    ['512M', 512 * 1024 ** 2],
    ['1.5K', 1536],
    ['1TiB', 1024 ** 4],
    ['4096', 4096],
  ])('%s are %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
    expect(Size.parse(text)).toBe(bytes)
  })

  it.each([
    '10Q',
    '-1',
    '1e30',
    '0',
    '',
    ' 1G',
    '1G ',
    '9223372036854775808',
    '0x10',
    '1.5',
    'NaN',
    '9'.repeat(40),
    '8E',
  ])('%j is none', (text) => expect(Size.safeParse(text).success).toBe(false))

  it('as numbers are whole and above zero', () => {
    for (const value of [0, -1, 1.5, 1e30, 2 ** 63, Number.NaN]) expect(Size.safeParse(value).success).toBe(false)
    expect(Size.parse(4096)).toBe(4096)
  })
})
