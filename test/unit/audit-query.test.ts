// Searching the audit log: the same answer as reading everything, whatever became of the index. An index that leaves
// something out looks just like a log that has nothing, so every answer is compared with a plain filter over all
// entries.
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Filter, findEntries } from '../../src/store/audit/query.ts'
import type { Entry } from '../../src/store/audit/record.ts'
import { SampleLog } from './audit-log.ts'

const ACTORS = ['user-1', 'user-2', 'token', 'nobody']
const ACTIONS = ['pools.create', 'pools.destroy', 'datasets.update', 'auth.login']
const RESOURCES = [
  'pools/tank',
  'pools/tank2',
  'datasets/tank/a',
  'datasets/tank/a/b',
  'snapshots/tank/a@x',
  'users/user-1',
  '',
]
const pick = <T>(list: T[], number: number) => list[number % list.length] as T

const COUNT = 50_000
let log: SampleLog
let all: Entry[]
beforeAll(() => {
  log = new SampleLog({ segment: 1 << 20 })
  for (let i = 0; i < COUNT; i++) {
    const hash = Math.imul(i, 2654435761) >>> 16
    log.chain.append({
      actor: pick(ACTORS, hash),
      name: hash % 4 < 2 ? pick(['alice', 'bob'], hash) : undefined,
      action: pick(ACTIONS, hash >> 3),
      resource: i === 12_345 ? 'pools/rare/one/two/three/four/five/six/seven' : pick(RESOURCES, hash >> 5),
      result: hash % 7 === 0 ? 'failure' : 'success',
      ip: '192.0.2.1',
    })
  }
  all = log.chain.find({ limit: 1e9 })
})
afterAll(() => log.remove())

/** Said once more, and differently. */
const naive = ({ limit, ...filter }: Filter) =>
  all
    .filter(
      ({ actor, name, action, resource, result, time, seq }) =>
        (!filter.actor || [actor, name].includes(filter.actor)) &&
        (!filter.action || action === filter.action) &&
        (!filter.resource ||
          resource === filter.resource ||
          ['/', '@'].some((mark) => resource.startsWith(filter.resource + mark))) &&
        (!filter.result || result === filter.result) &&
        (!filter.since || Date.parse(time) >= filter.since) &&
        (!filter.until || Date.parse(time) < filter.until) &&
        (!filter.before || seq < filter.before),
    )
    .slice(0, limit)

const filters = fc.record(
  {
    actor: fc.constantFrom(...ACTORS, 'alice', 'bob', 'system', 'absent'),
    action: fc.constantFrom(...ACTIONS, 'absent'),
    resource: fc.constantFrom(
      ...RESOURCES.filter(Boolean),
      ...[
        'pools',
        'datasets/tank',
        'snapshots/tank/a',
        'pools/rare',
        'pools/rare/one/two/three/four/five/six',
        'pools/ta',
      ],
    ),
    result: fc.constantFrom('success' as const, 'failure' as const),
    before: fc.integer({ min: 1, max: COUNT + 5000 }),
    when: fc.double({ min: 0, max: 1, noNaN: true }),
    limit: fc.constantFrom(1, 50, 1000),
  },
  { requiredKeys: ['limit'] },
)

describe('a search in 50 000 entries', () => {
  it('begins with all of them, newest first', () => {
    expect(all).toHaveLength(COUNT)
    expect(log.segments.length).toBeGreaterThan(5)
    expect(all.every(({ seq }, i) => i === 0 || seq < all[i - 1]!.seq)).toBe(true)
  })

  it('answers what reading all of them would', () => {
    const [oldest = 0, newest = 0] = [all.at(-1), all[0]].map((entry) => Date.parse(entry?.time ?? ''))
    fc.assert(
      fc.property(filters, fc.boolean(), ({ when, ...terms }, later) => {
        const instant = when === undefined ? undefined : Math.round(oldest + when * (newest - oldest))
        const filter = { ...terms, ...(later ? { since: instant } : { until: instant }) }
        expect(log.chain.find(filter)).toEqual(naive(filter))
      }),
      { numRuns: 200 },
    )
  })

  it('pages through everything with the id of the last one, each once', () => {
    const pages: Entry[] = []
    for (let before: number | undefined; ; before = pages.at(-1)?.seq) {
      const page = log.chain.find({ actor: 'alice', resource: 'datasets/tank', before, limit: 300 })
      if (page.length === 0) break
      pages.push(...page)
    }
    expect(pages).toEqual(naive({ actor: 'alice', resource: 'datasets/tank', limit: COUNT }))
    expect(pages.length).toBeGreaterThan(300)
  })

  it('reads only what it has to', () => {
    const rare = { resource: 'pools/rare/one', limit: 50 }
    // Everything but the one entry is damaged: an answer that came from reading it all would not come.
    const copies = log.segments.map((path) => [path, readFileSync(path)] as const)
    const line = copies.map(([, bytes]) => bytes.indexOf('pools/rare/one')).findIndex((offset) => offset >= 0)
    try {
      for (const [index, [path, bytes]] of copies.entries())
        if (index !== line) writeFileSync(path, Buffer.alloc(bytes.length, '#'))
      expect(log.chain.find(rare)).toEqual(naive(rare))
      expect(log.chain.find({ actor: 'absent', limit: 50 })).toEqual([])
    } finally {
      for (const [path, bytes] of copies) writeFileSync(path, bytes)
    }
  })
})

describe('an index', () => {
  const some = { action: 'pools.create', actor: 'user-2', limit: 200, before: COUNT / 2 }
  const indexes = () => readdirSync(log.folder).filter((name) => name.endsWith('.index'))

  it('that is missing, foreign, cut or for another segment is made anew', () => {
    const before = indexes()
    expect(before).toHaveLength(log.segments.length - 1)
    const ruin: ((file: string) => void)[] = [
      (file) => rmSync(file),
      (file) => writeFileSync(file, ''),
      (file) => writeFileSync(file, 'not an index at all, but long enough to be taken for one'),
      (file) => writeFileSync(file, readFileSync(file).subarray(0, -28)),
      (file) => writeFileSync(file, readFileSync(join(log.folder, before[0]!))),
      // Its offsets lead nowhere.
      (file) => {
        const bytes = readFileSync(file)
        for (let at = 16; at < bytes.length; at += 28) bytes.writeUInt32LE(at * 3, at)
        writeFileSync(file, bytes)
      },
    ]
    for (const act of ruin) {
      const good = readFileSync(join(log.folder, before[2]!))
      for (const name of before.slice(1)) act(join(log.folder, name))
      expect(log.chain.find(some)).toEqual(naive(some))
      expect(log.chain.find({ limit: 1e6 })).toEqual(all)
      expect(readFileSync(join(log.folder, before[2]!)).equals(good)).toBe(true)
    }
  })

  it('that is missing is also built by a search that takes breaks, with the same answer', async () => {
    const [name = ''] = indexes()
    rmSync(join(log.folder, name))
    expect(await log.chain.findInTurns({ ...some, before: 100 })).toEqual(naive({ ...some, before: 100 }))
    expect(indexes()).toContain(name)
  })

  it('is not needed, and nothing is written, where somebody only looks', () => {
    for (const name of indexes()) rmSync(join(log.folder, name))
    expect(findEntries(log.folder, some, { keep: false })).toEqual(naive(some))
    expect(indexes()).toEqual([])
  })

  it('passes over what is damaged, and finds the rest', () => {
    const [path = ''] = log.segments
    const bytes = readFileSync(path)
    const changed = Buffer.from(bytes)
    changed.fill(0, 5000, 9000)
    writeFileSync(path, changed)
    const found = findEntries(log.folder, { limit: 1e9 }, { keep: false })
    writeFileSync(path, bytes)
    expect(all.length - found.length).toBeGreaterThan(5)
    expect(all.length - found.length).toBeLessThan(40)
  })

  it('passes over a segment that was removed while others were read', () => {
    const gone = join(
      log.folder,
      basename(log.segments[1] ?? '').replace(/\d(?=\.)/, (digit) => String((Number(digit) + 1) % 10)),
    )
    symlinkSync('nowhere', gone)
    const found = findEntries(log.folder, { limit: 1e9 }, { keep: false })
    rmSync(gone)
    expect(found.length).toBe(all.length)
  })
})
