// The parser of `zpool status` against what ZFS 2.3 really printed. The trap: the same pools were recorded as JSON, so what the text says is
// compared with that, not with what we think it says.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseStatus, type Vdev } from '../../src/drivers/zpool-status.ts'
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
    expect(pool!.scan?.kind).toBe(stats && String(stats['function']).toLowerCase())
    const words: Record<string, string> = { SCANNING: 'running', FINISHED: 'finished', CANCELED: 'cancelled' }
    if (stats) {
      const paused = Number(stats['scrub_pause']) > 0 && stats['state'] === 'SCANNING'
      expect(pool!.scan?.state).toBe(paused ? 'paused' : words[String(stats['state'])])
      if (stats['state'] !== 'SCANNING') expect(pool!.scan?.ended).toBe(Number(stats['end_time']) * 1000)
      else expect(pool!.scan?.started).toBe(Number(stats['start_time']) * 1000)
      if (stats['state'] === 'FINISHED') expect(pool!.scan?.errors).toBe(stats['errors'])
    }
    expect(pool!.problem).toBe((wanted['status'] as string | undefined)?.replace(/\s+/g, ' ').trim())
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
