// The parsers of `zpool status` against what ZFS 2.3 really printed, as text and as JSON of the same moment: both have to say the same. What other
// versions print was composed, and is marked as such.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseStatusJson } from '../../src/drivers/zpool-json.ts'
import { parseScan, type Scan, scanThatMatters } from '../../src/drivers/zpool-scan.ts'
import {
  isDamaged,
  type PoolStatus,
  parseStatus,
  typeOf,
  type Vdev,
  type Work,
} from '../../src/drivers/zpool-status.ts'
import { FIXTURES, recorded } from '../harness/recorded.ts'

const FOLDER = 'zpool-2.3.9'
const names = readdirSync(join(FIXTURES, FOLDER)).map((name) => name.replace(/\.txt$/, ''))

interface Json {
  name: string
  vdev_type: string
  state: string
  read_errors?: number
  write_errors?: number
  checksum_errors?: number
  vdevs?: Record<string, Json>
}
/** The text says UNAVAIL where JSON has CANT_OPEN. */
const WORDS: Record<string, string> = { CANT_OPEN: 'UNAVAIL' }
const bare = ({ name, state, read, write, checksum, children }: Vdev): unknown => [
  name,
  state,
  read,
  write,
  checksum,
  children.map(bare),
]
const ofJson = (vdev: Json): unknown => [
  vdev.name,
  WORDS[vdev.state] ?? vdev.state,
  vdev.read_errors ?? 0,
  vdev.write_errors ?? 0,
  vdev.checksum_errors ?? 0,
  Object.values(vdev.vdevs ?? {}).map(ofJson),
]

/** Without what only one of them knows: of a scan that was cancelled the text says when, and sizes it rounds. */
function comparable({ scan, scans, removal, expansion, ...pool }: PoolStatus) {
  // What is left is rounded in the text, and its estimate is a moment older.
  const one = ({ percent, repaired, speed, done, total, remaining, ...rest }: Scan) => ({
    ...rest,
    ...(rest.state !== 'cancelled' && {
      percent: percent.toFixed(1),
      // What is on its way is written between the two questions.
      repaired: repaired === undefined || rest.ended === undefined ? undefined : Number(repaired.toPrecision(2)),
    }),
    errors: rest.state === 'cancelled' ? undefined : rest.errors,
    // The text has the time that it took, not the pauses in it.
    started: rest.ended === undefined ? rest.started : undefined,
  })
  // The text has the numbers and the paths in two more answers.
  const notes = ({ guid, path, port, needs, ...vdev }: Vdev): Vdev => ({
    ...vdev,
    // What a device does at the moment is said by the text alone.
    note: /^\(.*\)$/.test(vdev.note ?? '') ? undefined : vdev.note,
    children: vdev.children.map(notes),
  })
  const work = ({ percent, vdev, done, total, remaining, started, ...rest }: Work) => ({
    ...rest,
    // Of one that was cancelled the text does not say how far it came.
    percent: rest.state === 'cancelled' ? undefined : percent.toFixed(1),
    // Of a removal the text has a group without its number.
    vdev: vdev?.replace(/-[0-9]+$/, ''),
    started: rest.ended === undefined ? started : undefined,
  })
  return {
    ...{ ...pool, vdevs: pool.vdevs.map(notes), scan: scan && one(scan), scans: scans.map(one) },
    removal: removal && work(removal),
    expansion: expansion && work(expansion),
  }
}

describe('the text of zpool status', () => {
  const both = names.filter(
    (name) => name.startsWith('status-') && names.includes(name.replace('status-', 'status-json-')),
  )
  it('was recorded beside the JSON', () => expect(both.length).toBeGreaterThan(12))
  test.for(both)('says of %s what the JSON says', (name) => {
    const [pool] = parseStatus(recorded(`${FOLDER}/${name}`).stdout) ?? []
    const json = JSON.parse(recorded(`${FOLDER}/${name.replace('status-', 'status-json-')}`).stdout)
    const [wanted] = Object.values(json.pools) as [Record<string, object | string | undefined>]
    expect(pool).toMatchObject({ name: wanted['name'], state: wanted['state'] })
    const [root] = Object.values(wanted['vdevs'] ?? {}) as [Json]
    const data = pool!.vdevs.filter((vdev) => vdev.class === 'data')
    expect(data.map(bare)).toEqual(Object.values(root.vdevs ?? {}).map(ofJson))
    for (const [heading, of] of [
      ['logs', 'log'],
      ['l2cache', 'cache'],
      ['spares', 'spare'],
    ] as const)
      expect(pool!.vdevs.filter((vdev) => vdev.class === of).map((vdev) => vdev.name)).toEqual(
        Object.keys(wanted[heading] ?? {}),
      )
    const stats = wanted['scan_stats'] as undefined | Record<string, string | number>
    const words: Record<string, string> = { SCANNING: 'running', FINISHED: 'finished', CANCELED: 'cancelled' }
    const scan = pool!.scans.find(({ vdev }) => vdev === undefined)
    if (!stats) expect(pool!.scans).toEqual([])
    if (stats && scan) {
      expect(scan.kind).toBe(String(stats['function']).toLowerCase())
      const paused = Number(stats['scrub_pause']) > 0 && stats['state'] === 'SCANNING'
      expect(scan.state).toBe(paused ? 'paused' : words[String(stats['state'])])
      if (stats['state'] !== 'SCANNING') expect(scan.ended).toBe(Number(stats['end_time']) * 1000)
      else expect(scan.started).toBe(Number(stats['start_time']) * 1000)
      if (stats['state'] === 'FINISHED') expect(scan.errors).toBe(stats['errors'])
    }
    expect(pool!.problem).toBe((wanted['status'] as string | undefined)?.replace(/\s+/g, ' ').trim())
  })

  it('says how the expansion of a RAID-Z ended, and how an evacuation goes', () => {
    const [expanded] = parseStatus(recorded(`${FOLDER}/status-expanded`).stdout) ?? []
    expect(expanded?.expansion).toMatchObject({
      vdev: 'raidz1-0',
      state: 'finished',
      percent: 100,
      done: 286 * 2 ** 20,
    })
    const inBoth = (name: string) => [
      parseStatus(recorded(`${FOLDER}/status-${name}`).stdout)?.[0],
      parseStatusJson(recorded(`${FOLDER}/status-json-${name}`).stdout)?.[0],
    ]
    const wanted: [string, 'removal' | 'expansion', string | undefined, string | undefined, Partial<Work>][] = [
      ['expanding', 'expansion', 'raidz1-0', 'raidz1-0', { state: 'running' }],
      ['expanding-paused', 'expansion', 'raidz1-0', 'raidz1-0', { state: 'waiting' }],
      ['evacuating', 'removal', 'mirror', 'mirror-1', { state: 'running' }],
      ['evacuation-cancelled', 'removal', 'mirror', 'mirror-1', { state: 'cancelled' }],
      ['evacuated', 'removal', undefined, undefined, { state: 'finished', percent: 100 }],
    ]
    for (const [name, key, inText, inJson, more] of wanted) {
      const [ofText, ofJson] = inBoth(name)
      expect([name, ofText?.[key]]).toMatchObject([name, { ...more, vdev: inText }])
      expect([name, ofJson?.[key]]).toMatchObject([name, { ...more, vdev: inJson }])
    }
    const [running] = inBoth('expanding')
    expect(running?.expansion).toMatchObject({ percent: 21.53, total: 300 * 2 ** 20, remaining: 18 })
    const [leaving] = inBoth('evacuating')
    expect(leaving?.removal).toMatchObject({ percent: 0.17, done: 20.5 * 2 ** 10, remaining: 49 * 60 })
    const text = readFileSync(join(FIXTURES, 'zpool-composed/checkpoint-removal-2.2.txt'), 'utf8')
    const [both] = parseStatus(text) ?? []
    expect([both?.removal, both?.expansion]).toMatchObject([
      { vdev: 'mirror-1', state: 'running', percent: 15, total: 10 * 2 ** 30, remaining: 60 },
      { vdev: 'raidz1-2', state: 'running', percent: 16, done: 1.5 * 2 ** 30, remaining: 60 },
    ])
    expect(both?.action).toBe('Wait for the resilver to complete.')
  })

  // With -v, which we never ask for, the text lists files.
  test.for(both.filter((name) => !name.includes('verbose')))('and its JSON are read alike: %s', (name) => {
    const [text] = parseStatus(recorded(`${FOLDER}/${name}`).stdout) ?? []
    const [json] = parseStatusJson(recorded(`${FOLDER}/${name.replace('status-', 'status-json-')}`).stdout) ?? []
    expect(text && comparable(text)).toEqual(json && comparable(json))
  })

  it('is parsed in the middle of a scrub, in the words of ZFS 2.3 and of 2.1', () => {
    const scan = (lines: string) =>
      parseStatus(
        `  pool: tank\n state: ONLINE\n  scan: ${lines}\nconfig:\n\n\tNAME  STATE  READ WRITE CKSUM\n\ttank  ONLINE  0 0 0\n`,
      )?.[0]?.scan
    const started = Date.UTC(2026, 10, 1, 7, 41, 19)
    const running = { kind: 'scrub', state: 'running', percent: 37.5, repaired: 1536, speed: 100 * 1024 ** 2, started }
    expect(
      scan(
        'scrub in progress since Sun Nov  1 07:41:19 2026\n\t1.00G / 2.00G scanned at 500M/s, 750M / 2.00G issued at 100M/s\n\t1.50K repaired, 37.50% done, 00:00:13 to go',
      ),
    ).toMatchObject(running)
    expect(
      scan(
        'scrub in progress since Sun Nov  1 07:41:19 2026\n\t1.00G scanned at 500M/s, 750M issued at 100M/s, 2.00G total\n\t1.50K repaired, 37.50% done, 00:00:13 to go',
      ),
    ).toMatchObject(running)
    expect(scan('scrub repaired 0B in 1 days 02:03:04 with 7 errors on Sun Nov  1 07:41:19 2026')).toMatchObject({
      state: 'finished',
      errors: 7,
      ended: started,
      started: started - ((26 * 60 + 3) * 60 + 4) * 1000,
    })
  })

  test.for(['import-list', 'import-list-degraded', 'import-list-unavailable'])('is parsed of %s', (name) => {
    const [pool] = parseStatus(recorded(`${FOLDER}/${name}`).stdout) ?? []
    expect(pool).toMatchObject({ name: 'recb', id: '2568936984845009734' })
    expect(pool?.vdevs.map((vdev) => [vdev.class, vdev.type, vdev.children.length])).toEqual([
      ['data', 'raidz1', 3],
      // Of a pool that cannot be imported the spares are not shown.
      ...(name === 'import-list-unavailable' ? [] : [['spare', 'file', 0]]),
      ['log', 'file', 0],
    ])
  })

  it('is nothing when there are no pools, and refused when it is something else', () => {
    expect(parseStatus('')).toEqual([])
    expect(parseStatus('no pools available\n')).toEqual([])
    expect(parseStatus('Segmentation fault\n')).toBeUndefined()
    expect(parseStatus('  pool: tank\n')).toBeUndefined()
  })

  it('never makes the parser throw, whatever it is', () => {
    const words = fc.constantFrom(
      '  pool: a',
      ' state: ONLINE',
      'config:',
      '\ta ONLINE 0 0 0',
      '\t  b  UNAVAIL',
      '\tlogs',
      '  scan: scrub in progress since x',
      '',
    )
    fc.assert(fc.property(fc.array(fc.oneof(words, fc.string())), (lines) => void parseStatus(lines.join('\n'))))
  })
})

describe('the text of other versions', () => {
  const composed = (name: string) => {
    const [pool, ...more] = parseStatus(readFileSync(join(FIXTURES, 'zpool-composed', `${name}.txt`), 'utf8')) ?? []
    expect(more).toEqual([])
    return pool as PoolStatus
  }
  const at = (text: string) => Date.parse(`${text}Z`)
  const T = 1024 ** 4
  const CASES: [name: string, scan: Partial<Scan> | undefined, count: number][] = [
    [
      'sequential-2.3',
      {
        ...{ kind: 'resilver', vdev: 'mirror-0', state: 'running', percent: 42.97, repaired: Math.round(13.9 * T) },
        ...{ speed: Math.round(1.95 * 1024 ** 3), started: at('2026-07-24T19:40:55'), ended: undefined },
      },
      1,
    ],
    [
      'draid-2.1',
      { vdev: 'draid3:19d:24c:2s-0', state: 'running', percent: 92.97, speed: Math.round(1.95 * 1024 ** 3) },
      2,
    ],
    ['two-groups-2.3', { vdev: 'mirror-1', state: 'running', percent: 10 }, 2],
    [
      'sequential-finished-2.1',
      {
        ...{ kind: 'resilver', vdev: 'mirror-0', state: 'finished', percent: 100, errors: 7 },
        ...{ repaired: Math.round(13.9 * T), ended: at('2023-07-24T19:40:55'), started: at('2023-07-23T17:37:51') },
      },
      1,
    ],
    ['sequential-cancelled-2.1', { kind: 'resilver', vdev: 'mirror-1', state: 'cancelled', repaired: undefined }, 2],
    ['scrub-errors-2.1', { kind: 'scrub', state: 'finished', errors: 12, repaired: 524_288 }, 1],
    ['scrub-paused-2.1', { state: 'paused', percent: 85.24, speed: undefined, started: at('2023-07-09T00:24:01') }, 1],
    ['checkpoint-removal-2.2', { kind: 'scrub', state: 'running', percent: 85.24, vdev: undefined }, 1],
    ['suspended-2.1', { kind: 'resilver', state: 'running', percent: 85.24, repaired: 10 * 1024 ** 3 }, 1],
    ['none-requested-2.1', undefined, 0],
    ['scrub-0.7', { state: 'finished', repaired: 0, errors: 0, started: at('2023-07-08T00:24:01') }, 1],
    ['resilver-0.7', { state: 'running', percent: 14.17, repaired: 314 * 1024 ** 3 }, 1],
    ['error-scrub-2.3', undefined, 0],
    // That it has ended is said only where ZFS says it.
    ['unknown', undefined, 0],
  ]
  test.for(CASES)('is read: %s', ([name, scan, count]) => {
    const pool = composed(name)
    if (scan) expect(pool.scan).toMatchObject(scan)
    else expect(pool.scan).toBeUndefined()
    expect(pool.scans).toHaveLength(count)
    // In words that nobody knows here it has been scanned all the same.
    expect(pool.scanned).toBe(name !== 'none-requested-2.1')
    expect(pool.errors).toBe('No known data errors')
    expect(pool.vdevs.length).toBeGreaterThan(0)
  })

  it('has a device whose state is a new word under its name, and as unknown', () => {
    const text = readFileSync(join(FIXTURES, 'zpool-composed/unknown.txt'), 'utf8')
    const changed = text
      .replace('sdb     ONLINE ', 'sdb     DREAMING')
      .replace('mirror-0  DEGRADED', 'mirror-0  NAPPING ')
    const [group, ...more] = parseStatus(changed)?.[0]?.vdevs ?? []
    expect(more).toEqual([])
    expect([group?.name, group?.state]).toEqual(['mirror-0', 'UNKNOWN'])
    expect(group?.children.map(({ name, state }) => [name, state])).toEqual([
      ['sda', 'ONLINE'],
      ['sdb', 'UNKNOWN'],
    ])
    const [pool] = parseStatus(text.replace('tank        DEGRADED', 'tank        BUSY    ')) ?? []
    expect(pool?.vdevs).toHaveLength(1)
  })

  it('has a bare name as available only where there are spares or caches', () => {
    const rows = (...lines: string[]) =>
      parseStatus(`  pool: t\n state: ONLINE\nconfig:\n\n${lines.map((line) => `\t${line}\n`).join('')}`)?.[0]?.vdevs
    const found = rows('t  ONLINE', '  sda', 'logs', '  sdb', 'cache', '  sdc', 'spares', '  sdd', '  sde  NEW')
    expect(found?.map(({ name, class: kind, state }) => [name, kind, state])).toEqual([
      ['sda', 'data', 'UNKNOWN'],
      ['sdb', 'log', 'UNKNOWN'],
      ['sdc', 'cache', 'AVAIL'],
      ['sdd', 'spare', 'AVAIL'],
      ['sde', 'spare', 'UNKNOWN'],
    ])
  })

  it('has each scan apart: the scrub that ended is there beside the rebuild', () => {
    expect(composed('draid-2.1').scans.map(({ kind, state, errors }) => [kind, state, errors])).toEqual([
      ['scrub', 'finished', 0],
      ['resilver', 'running', undefined],
    ])
  })

  it('tells a spare of a dRAID, and what a suspended pool lacks', () => {
    const [group, used, free] = composed('draid-2.1').vdevs
    expect([group?.type, used, free].slice(0, 1)).toEqual(['draid3'])
    expect(group?.children[0]?.children.map(({ type, note }) => [type, note])).toEqual([
      ['disk', 'too many errors'],
      ['dspare', '(resilvering)'],
    ])
    expect([used, free].map((vdev) => [vdev?.class, vdev?.type, vdev?.state])).toEqual([
      ['spare', 'dspare', 'INUSE'],
      ['spare', 'dspare', 'AVAIL'],
    ])
    const suspended = composed('suspended-2.1')
    expect([suspended.state, suspended.vdevs[0]?.state, suspended.vdevs[0]?.children[0]?.state]).toEqual([
      'SUSPENDED',
      'UNAVAIL',
      'REMOVED',
    ])
  })
})

describe('JSON of zpool status', () => {
  it('says whether data is damaged, as the text does', () => {
    const damaged = (name: string) => {
      const [json] = parseStatusJson(recorded(`${FOLDER}/status-json-${name}`).stdout) ?? []
      const [text] = parseStatus(recorded(`${FOLDER}/status-${name}`).stdout) ?? []
      return [json, text].map((pool) => pool && isDamaged(pool))
    }
    expect(['healthy', 'missing', 'errors', 'corrupt', 'verbose-corrupt'].map(damaged)).toEqual([
      [false, false],
      [false, false],
      [false, false],
      [true, true],
      [true, true],
    ])
    expect(isDamaged({ errors: undefined })).toBe(false)
  })

  it('has no word on errors where their number is missing, or is no number', () => {
    const whole = JSON.parse(recorded(`${FOLDER}/status-json-raidz`).stdout)
    const [name = ''] = Object.keys(whole.pools)
    const errors = (count: unknown) => {
      whole.pools[name].error_count = count
      whole.pools[name].scan_stats = { function: 'SCRUB', state: 'FINISHED', errors: count }
      const [pool] = parseStatusJson(JSON.stringify(whole)) ?? []
      return [pool?.errors, pool?.scans[0]?.errors]
    }
    expect(errors(0)).toEqual(['No known data errors', 0])
    expect(errors('0')).toEqual(['No known data errors', 0])
    expect(errors('12')).toEqual(["12 data errors, use '-v' for a list", 12])
    for (const count of [undefined, null, {}, [], true, '', '-', '1.5K', -1, 0.5])
      expect([count, ...errors(count)]).toEqual([count, undefined, undefined])
  })

  it('is none when it is cut off, of another shape, or no JSON', () => {
    const whole = recorded(`${FOLDER}/status-json-raidz`).stdout
    for (const text of [
      '',
      '{}',
      '[]',
      'null',
      '{"pools":1}',
      '{"pools":{"a":{}}}',
      whole.slice(0, 500),
      '  pool: tank',
    ])
      expect(parseStatusJson(text)).toBeUndefined()
    expect(parseStatusJson('{"pools":{}}')).toEqual([])
    for (const without of ['name', 'state', 'vdevs']) {
      const answer = JSON.parse(whole)
      const [pool] = Object.values(answer.pools) as Record<string, unknown>[]
      delete pool?.[without]
      expect([without, parseStatusJson(JSON.stringify(answer))]).toEqual([without, undefined])
    }
  })

  it('never makes the reader throw', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseStatusJson(JSON.stringify({ pools: { a: value } }))))
    fc.assert(fc.property(fc.string(), (text) => void parseStatusJson(text)))
  })
})

describe('the type of a device', () => {
  it.each([
    ['sda', undefined, 'disk'],
    ['/srv/a.img', undefined, 'file'],
    ['12345', '/dev/sda1', 'disk'],
    ['12345', '/srv/a.img', 'file'],
    ['mirror-0', undefined, 'mirror'],
    ['raidz-0', undefined, 'raidz'],
    ['raidz3-12', undefined, 'raidz3'],
    ['raidz4-0', undefined, 'disk'],
    ['mirror-x', undefined, 'disk'],
    ['spare-1', undefined, 'spare'],
    ['replacing-1', undefined, 'replacing'],
    ['indirect-0', undefined, 'indirect'],
    ['hole-0', undefined, 'hole'],
    ['draid2:4d:8c:1s-0', undefined, 'draid2'],
    ['draid:4d:8c:1s-0', undefined, 'draid'],
    ['draid1-0-0', undefined, 'dspare'],
  ])('%s (was %s) is %s', (name, was, type) => expect(typeOf(name, was)).toBe(type))
})

describe('of several scans', () => {
  const scan = (more: Partial<Scan>): Scan => ({
    ...{ kind: 'scrub', vdev: undefined, state: 'finished', percent: 100, repaired: 0, speed: undefined, errors: 0 },
    ...{ started: undefined, ended: undefined, ...more },
  })
  const running = (percent: number) => scan({ state: 'running', percent })
  const paused = (percent: number) => scan({ state: 'paused', percent })
  const ended = (at: number | undefined, state: Scan['state'] = 'finished') => scan({ state, ended: at })

  it('the one under way matters, with the longest way to go; else what ended last', () => {
    for (const order of [
      [running(10), running(20), paused(1), ended(9)],
      [paused(1), paused(2), ended(9), ended(undefined)],
      [ended(9), ended(8, 'cancelled'), ended(undefined)],
      [ended(9, 'cancelled'), ended(8)],
    ]) {
      expect(scanThatMatters(order)).toBe(order[0])
      expect(scanThatMatters(order.toReversed())).toBe(order[0])
    }
    expect(scanThatMatters([])).toBeUndefined()
  })

  it('each is read with what its text says, and no more', () => {
    const at = Date.UTC(2026, 10, 1, 7, 41, 19)
    const time = 'Sun Nov  1 07:41:19 2026'
    expect(parseScan(`resilver paused since ${time}\n\tscrub started on ${time}\n\t100.5% done`)).toMatchObject({
      ...{ state: 'paused', percent: 100, repaired: 0, speed: undefined, started: at, ended: undefined },
    })
    expect(parseScan(`scrub in progress since ${time}`)).toMatchObject({ percent: 0, repaired: 0, started: at })
    expect(parseScan('scrub in progress since x')?.started).toBeUndefined()
    expect(parseScan('scrub in progress since Sun Nov 99 07:41:19 2026')?.started).toBeUndefined()
    for (const word of ['canceled', 'cancelled'])
      expect(parseScan(`scrub ${word} on ${time}`)).toMatchObject({ state: 'cancelled', percent: 0, ended: at })
    const finished = (took: string) => parseScan(`scrub repaired 1.5K in ${took} with 2 errors on ${time}`)
    expect(finished('01:02:03')).toMatchObject({
      ...{ repaired: 1536, errors: 2, ended: at, started: at - ((1 * 60 + 2) * 60 + 3) * 1000 },
    })
    expect(finished('2 days 00:00:00')?.started).toBe(at - 48 * 3_600_000)
    expect(finished('26h3m')?.started).toBe(at - (26 * 60 + 3) * 60_000)
    expect(finished('a while')).toMatchObject({ started: undefined, ended: at })
    expect(parseScan('scrub repaired 0B in 01:02:03 with 2 errors')).toMatchObject({ started: undefined })
    const sizes = ['1', '1B', '1K', '1M', '1G', '1T', '1P', '1E', '1Z']
    expect(sizes.map((size) => parseScan(`scrub repaired ${size} in 01:02:03 with 2 errors`)?.repaired)).toEqual(
      sizes.map((_, i) => 1024 ** Math.max(0, i - 1)),
    )
    for (const text of ['none requested', 'scrub', 'a scrub in progress', '']) expect(parseScan(text)).toBeUndefined()
  })
})

describe('a scan in JSON', () => {
  const scans = (stats: object, now = 2_000_000) => {
    const pool = { name: 't', state: 'ONLINE', vdevs: { t: { name: 't', vdevs: {} } }, scan_stats: stats }
    return parseStatusJson(JSON.stringify({ pools: { t: pool } }), now)?.[0]?.scans
  }
  const scrub = { function: 'SCRUB', state: 'SCANNING', issued: 50, to_examine: 220, skipped: 20, pass_start: 1000 }
  const one = (more: object, now?: number) => scans({ ...scrub, ...more }, now)?.[0]

  it('has gone as far as it issued of what it must, as fast as since its last pause', () => {
    expect(one({ issued: '2000', scrub_spent_paused: 900, start_time: '7' })).toMatchObject({
      ...{ kind: 'scrub', state: 'running', percent: 100, speed: 20, started: 7000, ended: undefined },
    })
    expect(one({})).toMatchObject({ percent: 25, speed: undefined, started: undefined, errors: undefined })
    expect([one({ issued: 1000 })?.speed, one({ issued: 999 })?.speed]).toEqual([1, undefined])
    // In its first second.
    expect(one({ issued: 5 }, 1_000_000)?.speed).toBe(5)
    expect([one({ to_examine: 20 })?.percent, one({ to_examine: 21 })?.percent]).toEqual([0, 100])
    expect(one({ processed: 9 })?.repaired).toBe(9)
  })

  it('is paused, finished or cancelled in the kernel’s words, and in no others', () => {
    expect(one({ scrub_pause: 5, issued: 5000 })).toMatchObject({ state: 'paused', speed: undefined })
    expect(one({ scrub_pause: 0 })?.state).toBe('running')
    const over = { errors: 3, end_time: 9, issued: 5000, scrub_pause: 5 }
    expect(one({ ...over, state: 'FINISHED' })).toMatchObject({
      ...{ state: 'finished', percent: 100, speed: undefined, errors: 3, ended: 9000 },
    })
    expect(one({ ...over, state: 'CANCELED', issued: 50 })).toMatchObject({
      state: 'cancelled',
      percent: 25,
      ended: 9000,
    })
    for (const other of [{ state: 'NONE' }, { function: 'NONE' }, { function: 'ERRORSCRUB' }])
      expect(one(other)).toBeUndefined()
    expect(one({ function: 'RESILVER' })?.kind).toBe('resilver')
  })

  const rebuild = { name: 'mirror-0', state: 'ACTIVE', scanned: 1, to_scan: 4, rebuilt: 8, start_time: 5, errors: 1 }
  const rebuilds = (...all: object[]) => ({
    rebuild_stats: Object.fromEntries(all.map((r, i) => [i, { ...rebuild, ...r }])),
  })

  it('of one group has its own numbers', () => {
    expect(scans(rebuilds({ pass_issued: 3000, pass_time: 2e9 }))).toEqual([
      {
        ...{ kind: 'resilver', vdev: 'mirror-0', state: 'running', percent: 25, repaired: 8, speed: 1500 },
        ...{ errors: undefined, started: 5000, ended: undefined, done: 1, total: 4, remaining: 1 },
      },
    ])
    expect(scans(rebuilds({}))?.[0]?.speed).toBeUndefined()
    expect(scans(rebuilds({ pass_issued: 1, pass_time: 0 }))?.[0]?.speed).toBe(1000)
    expect(scans(rebuilds({ state: 'COMPLETE', end_time: 6, pass_issued: 9e9 }))).toMatchObject([
      { state: 'finished', percent: 100, speed: undefined, errors: 1, ended: 6000 },
    ])
    expect(scans(rebuilds({ state: 'CANCELED', to_scan: 0 }))).toMatchObject([{ state: 'cancelled', percent: 0 }])
    expect(scans(rebuilds({ state: 'NONE' }))).toEqual([])
  })

  it('is told as in the text: of a resilver and rebuilds what is under way, else the last; a scrub in any case', () => {
    const told = (stats: object) => scans(stats)?.map(({ kind, vdev }) => vdev ?? kind)
    const resilver = (state: string, end_time = 0) => ({ ...scrub, function: 'RESILVER', state, end_time })
    const done = { state: 'COMPLETE', end_time: 7 }
    expect(told({ ...scrub, ...rebuilds({}) })).toEqual(['scrub', 'mirror-0'])
    expect(told(resilver('FINISHED', 8))).toEqual(['resilver'])
    expect(told({ ...resilver('SCANNING'), ...rebuilds(done) })).toEqual(['resilver'])
    expect(told({ ...resilver('FINISHED', 8), ...rebuilds(done) })).toEqual(['resilver'])
    expect(told({ ...resilver('FINISHED', 7), ...rebuilds(done) })).toEqual(['mirror-0'])
    expect(told({ ...resilver('FINISHED', 6), ...rebuilds(done) })).toEqual(['mirror-0'])
    expect(told({ ...resilver('FINISHED', 8), ...rebuilds({}) })).toEqual(['mirror-0'])
    expect(told({ ...resilver('FINISHED', 8), ...rebuilds({ state: 'NONE' }) })).toEqual(['resilver'])
  })
})

describe('a device in JSON', () => {
  const device = (more: object) => {
    const vdev = { name: 'sda', state: 'ONLINE', ...more }
    const pool = { name: 't', state: 'ONLINE', vdevs: { t: { name: 't', vdevs: { sda: vdev } } } }
    return parseStatusJson(JSON.stringify({ pools: { t: pool } }))?.[0]?.vdevs[0]
  }
  it.each([
    ['ONLINE', undefined, 'ONLINE', undefined],
    ['CLOSED', undefined, 'OFFLINE', undefined],
    ['CANT_OPEN', 'OPEN_FAILED', 'UNAVAIL', 'cannot open'],
    ['CANT_OPEN', 'CORRUPT_DATA', 'FAULTED', 'corrupted data'],
    ['CANT_OPEN', 'BAD_LOG', 'FAULTED', 'bad intent log'],
    ['CANT_OPEN', 'SPLIT_POOL', 'SPLIT', 'split into new pool'],
    ['DEGRADED', 'ERR_EXCEEDED', 'DEGRADED', 'too many errors'],
    ['DEGRADED', 'A_NEW_WORD', 'DEGRADED', undefined],
  ])('that is %s (%s) is %s in words: %s', (state, aux, wanted, note) => {
    expect(device({ state, aux })).toMatchObject({ state: wanted, note })
  })

  it('has the errors that were counted, and what it was', () => {
    expect(device({ read_errors: 1, write_errors: '2', checksum_errors: 'x', aux: 'TOO_SMALL' })).toEqual({
      ...{ name: 'sda', type: 'disk', class: 'data', state: 'ONLINE', read: 1, write: 2, checksum: 0 },
      ...{ note: 'too small', children: [] },
    })
    expect(device({ was: '/srv/x', aux: 'TOO_SMALL' })).toMatchObject({ type: 'file', note: 'was /srv/x' })
  })
})
