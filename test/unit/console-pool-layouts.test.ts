// What the console computes of a pool's groups of disks: ZFS's words, the usable space, what speaks against them, and how the quick
// layout spreads disks.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVdevs } from '../../src/features/pools/vdevs.ts'
import { concerns } from '../../src/page/pages/pools/concerns.ts'
import {
  type Group,
  type Member,
  presentIn,
  spread,
  titleOf,
  usableIn,
  vdevWords,
  whyNot,
} from '../../src/page/pages/pools/groups.ts'
import {
  LAYOUTS,
  type Layout,
  layoutsFor,
  mayFail,
  USES,
  type Use,
  usable,
} from '../../src/page/pages/pools/layouts.ts'

let ids = 0
const group = (use: Use, layout: Layout, disks: string[], spares = 0): Group => ({
  id: `g${ids++}`,
  use,
  layout,
  spares,
  disks,
})
const named = (name: string, count: number) => Array.from({ length: count }, (_, i) => `/dev/${name}${i + 1}`)

describe('the words of a pool', () => {
  it('are those of ZFS, section by section', () => {
    expect(
      vdevWords([
        group('spare', 'stripe', ['/dev/s']),
        group('data', 'raidz2', named('a', 4)),
        group('log', 'mirror', named('l', 2)),
        group('data', 'raidz2', named('b', 4)),
        group('special', 'mirror', named('m', 3)),
        group('cache', 'stripe', ['/dev/c']),
        group('dedup', 'stripe', []),
      ]),
    ).toEqual([
      ...['raidz2', ...named('a', 4), 'raidz2', ...named('b', 4)],
      ...['special', 'mirror', ...named('m', 3), 'log', 'mirror', ...named('l', 2)],
      ...['cache', '/dev/c', 'spare', '/dev/s'],
    ])
  })

  it('put single disks before groups, which would take them in', () => {
    expect(vdevWords([group('data', 'mirror', named('a', 2)), group('data', 'stripe', ['/dev/x'])])).toEqual([
      ...['/dev/x', 'mirror', ...named('a', 2)],
    ])
  })

  it('name the distributed spares of a dRAID', () => {
    expect(vdevWords([group('data', 'draid2', named('a', 6), 1)])[0]).toBe('draid2:1s')
    expect(vdevWords([group('data', 'draid1', named('a', 6))])[0]).toBe('draid1')
  })

  it('are taken by the appliance exactly when nothing is missing', () => {
    const some = fc
      .constantFrom(...(Object.keys(USES) as Use[]))
      .chain((use) => fc.tuple(fc.constant(use), fc.constantFrom(...layoutsFor(use)), fc.nat(5)))
    fc.assert(
      fc.property(fc.array(some, { maxLength: 6 }), fc.boolean(), (wanted, added) => {
        const groups = wanted.map(([use, layout, count], at) => group(use, layout, named(`d${at}x`, count)))
        const words = vdevWords(groups)
        const { devices, errors } = readVdevs(words, () => false, added ? 'added' : undefined)
        const isTaken = words.length > 0 && errors.length === 0
        expect(isTaken).toBe(whyNot(groups, added) === undefined)
        if (isTaken) expect(devices).toHaveLength(groups.flatMap(({ disks }) => disks).length)
      }),
    )
  })

  it('of what is missing name the group', () => {
    const groups = [group('data', 'raidz2', named('a', 4)), group('data', 'raidz2', named('b', 2))]
    expect(whyNot(groups)).toBe('Data 2: RAID-Z2 needs at least 3 disks.')
    expect(whyNot([group('log', 'mirror', ['/dev/l'])], true)).toMatch(/Log .*at least 2 disks, or choose .*Stripe/)
    expect(whyNot([group('data', 'draid1', named('a', 2), 1)])).toMatch(/dRAID1 needs at least 3 disks/)
    expect(titleOf(groups[0]!, groups)).toBe('Data 1')
  })
})

describe('the usable space', () => {
  it.each<[Layout, number[], number, number]>([
    ['mirror', [4, 6], 0, 4],
    ['mirror', [4, 4, 4], 0, 4],
    ['raidz1', [4, 4, 4], 0, 8],
    ['raidz2', [4, 4, 4, 6], 0, 8],
    ['raidz3', [4, 4, 4, 4], 0, 4],
    ['raidz2', [4, 4], 0, 0],
    ['stripe', [4, 6], 0, 10],
    ['stripe', [], 0, 0],
    // 8 of each 10 hold data; of 11, one is a spare.
    ['draid2', Array(20).fill(10), 0, 160],
    ['draid2', Array(11).fill(10), 1, 80],
  ])('%s of %j', (layout, sizes, spares, expected) => {
    expect(usable(layout, sizes, spares)).toBe(expected)
  })

  it('is that of all data groups, and unknown with a file', () => {
    const groups = [
      group('data', 'raidz2', named('a', 6)),
      group('data', 'raidz2', named('b', 6)),
      group('log', 'stripe', ['/dev/l']),
    ]
    expect(usableIn(groups, () => 10)).toBe(80)
    expect(usableIn(groups, (path) => (path === '/dev/b3' ? undefined : 10))).toBeUndefined()
  })
})

describe('what speaks against groups', () => {
  const TIB = 2 ** 40
  const against = (groups: Group[], sizes: number[] = [], vdevs: Member[] = []) => {
    const paths = groups.flatMap(({ disks }) => disks)
    return concerns(groups, (path) => sizes[paths.indexOf(path)] ?? TIB, presentIn(vdevs))
  }
  it.each<[Layout, number[], RegExp[]]>([
    ['mirror', [TIB, TIB], []],
    ['mirror', [TIB, TIB - 40 * 2 ** 20], []],
    ['mirror', [TIB, TIB - 60 * 2 ** 20], [/Data 1: the disks differ in size/]],
    ['raidz1', [TIB, TIB], [/RAID-Z1 of 2 disks is a poor choice.*with 3 or more disks/]],
    ['raidz2', [TIB, TIB, TIB, TIB], []],
    ['raidz2', [TIB, TIB, 2 ** 29], [/from 512 MiB to 1.0 TiB/, /RAID-Z2 of 3 disks is a poor choice/]],
    ['raidz3', [TIB, TIB, TIB, TIB], [/RAID-Z3 of 4 disks is a poor choice/]],
    ['stripe', [TIB, 2 ** 29], [/destroys the whole pool/]],
    ['stripe', [], []],
    ['mirror', [], []],
  ])('%s of %j', (layout, sizes, expected) => {
    const found = against([group('data', layout, named('a', sizes.length))], sizes)
    expect(found).toHaveLength(expected.length)
    for (const [i, pattern] of expected.entries()) expect(found[i]).toMatch(pattern)
  })

  it('less redundancy than elsewhere in the pool', () => {
    const raidz2 = group('data', 'raidz2', named('a', 6))
    expect(against([raidz2, group('special', 'mirror', named('m', 2))])).toEqual([
      expect.stringMatching(/^Special .* less redundancy .*1 disk may fail, elsewhere 2/),
    ])
    expect(against([raidz2, group('special', 'mirror', named('m', 3)), group('cache', 'stripe', ['/dev/c'])])).toEqual(
      [],
    )
  })

  const leaf = (name: string, over: Partial<Member> = {}): Member => ({ name, type: 'disk', class: 'data', ...over })
  const six = leaf('raidz2-0', { type: 'raidz2', children: named('p', 6).map((name) => leaf(name)) })

  it('a pool that has groups of another redundancy or width', () => {
    expect(against([group('data', 'mirror', named('a', 2))], [], [six])).toEqual([
      expect.stringMatching(/less redundancy/),
    ])
    expect(against([group('data', 'raidz2', named('a', 5))], [], [six])).toEqual([
      expect.stringMatching(/different numbers of disks: 6 and 5/),
    ])
    expect(against([group('data', 'raidz2', named('a', 6))], [], [six])).toEqual([])
    expect(against([group('spare', 'stripe', ['/dev/s'])], [], [six])).toEqual([])
  })

  it('a hot spare that is smaller than a disk of the pool, old or new', () => {
    const spare = group('spare', 'stripe', ['/dev/s'])
    const mirror = group('data', 'mirror', named('a', 2))
    const small = /^A hot spare of 512 MiB cannot stand for every disk of the pool: the largest needs 1.0 TiB/
    expect(against([mirror, spare], [TIB, TIB, 2 ** 29])).toEqual([expect.stringMatching(small)])
    expect(against([spare], [2 ** 29], [leaf('sdx', { needs: TIB })])).toEqual([expect.stringMatching(small)])
    expect(against([mirror, spare], [TIB, TIB, TIB - 2 ** 20])).toEqual([])
    expect(against([group('cache', 'stripe', ['/dev/c'])], [2 ** 29], [leaf('sdx', { needs: TIB })])).toEqual([])
  })

  it('reads the groups of a pool', () => {
    const draid = leaf('draid2:4d:7c:1s-0', {
      type: 'draid2:4d:7c:1s',
      children: named('q', 7).map((one, at) => leaf(one, at === 3 ? { needs: TIB } : {})),
    })
    expect(presentIn([six, draid, leaf('sdx'), leaf('sdy', { class: 'spare' })])).toEqual([
      { name: 'raidz2-0', use: 'data', type: 'raidz2', width: 6, mayFail: 2, needs: 0 },
      { name: 'draid2:4d:7c:1s-0', use: 'data', type: 'draid2:4d:7c:1s', width: 7, mayFail: 2, needs: TIB },
      { name: 'sdx', use: 'data', type: 'disk', width: 1, mayFail: 0, needs: 0 },
    ])
    expect((Object.keys(LAYOUTS) as Layout[]).map((one) => mayFail(one, 4))).toEqual([3, 1, 2, 3, 1, 2, 3, 0])
  })
})

describe('the quick layout', () => {
  const free = [
    ...named('s', 3).map((path) => ({ path, size: 1 })),
    ...named('d', 12).map((path) => ({ path, size: 4 })),
  ]

  it('spreads disks of one size, in their order', () => {
    const [first, second] = spread({ groups: 2, width: 6, layout: 'raidz2' }, free) ?? []
    expect([first, second]).toEqual([named('d', 12).slice(0, 6), named('d', 12).slice(6)])
    expect(spread({ groups: 1, width: 2, layout: 'mirror' }, free)).toEqual([named('d', 2)])
  })

  it('takes the largest where no size has enough', () => {
    expect(spread({ groups: 1, width: 13, layout: 'raidz3' }, free)?.[0]).toEqual([...named('d', 12), '/dev/s1'])
  })

  it('needs enough disks', () => {
    expect(spread({ groups: 4, width: 4, layout: 'mirror' }, free)).toBeUndefined()
    expect(spread({ groups: 0, width: 4, layout: 'mirror' }, free)).toBeUndefined()
  })
})
