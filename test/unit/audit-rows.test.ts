// The parts of the audit log: frames at their limits, damaged indexes, and which segments are removed. They are tested one by one, because the
// whole log rebuilds a wrong index and skips a wrong frame, which hides the fault.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clean, type Entry, entryBody, ORIGIN, readBody, readFrame } from '../../src/store/audit/record.ts'
import { headOf, recover } from '../../src/store/audit/recover.ts'
import { RowFiles, Rows, type Terms, want } from '../../src/store/audit/rows.ts'
import { indexFile, listSegments, removeSegment, segmentAt, tooMany } from '../../src/store/audit/segments.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-rows-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const entry = (more: Partial<Entry> = {}): Entry => ({
  ...{ seq: 1, time: '2026-01-01T00:00:10.500Z', actor: 'user-1', action: 'a.b', resource: 'pools/tank/a@x' },
  ...{ result: 'success', ...more },
})
const time = (text: string) => Date.parse(`2026-01-01T00:00:${text}Z`)
const checkpoint = {
  ...{ seq: 2, time: '2026-01-01T00:00:10.500Z', checkpoint: { previous: ORIGIN, first: 1 }, signature: 'x' },
}

describe('rows', () => {
  const finds = (terms: Terms, ...all: Entry[]) => {
    const rows = new Rows()
    for (const [i, one] of all.entries()) rows.add(one, i * 100)
    const found: number[] = []
    const wanted = want(terms)
    for (let row = rows.before(rows.count, wanted); row >= 0; row = rows.before(row, wanted)) found.push(row)
    return found
  }

  it.each<[Terms, boolean]>([
    [{}, true],
    [{ actor: 'user-1' }, true],
    [{ actor: 'alice' }, true],
    [{ actor: 'user-2' }, false],
    [{ action: 'a.b' }, true],
    [{ action: 'a.c' }, false],
    [{ action: 'a.b', result: 'success' }, true],
    [{ action: 'a.b', result: 'failure' }, false],
    [{ result: 'success' }, true],
    [{ result: 'failure' }, false],
    [{ resource: 'pools' }, true],
    [{ resource: 'pools/tank' }, true],
    [{ resource: 'pools/tank/a' }, true],
    [{ resource: 'pools/tank/a@x' }, true],
    [{ resource: 'pools/tank/b' }, false],
    [{ resource: 'pools/tank/a@y' }, false],
    [{ resource: 'pools/tan' }, false],
    [{ resource: 'pools/tank/a@x/y' }, false],
    [{ since: time('10.000') }, true],
    [{ since: time('10.999') }, true],
    [{ since: time('11.000') }, false],
    [{ until: time('10.000') }, true],
    [{ until: time('09.999') }, false],
    [{ since: time('10.000'), until: time('10.000') }, true],
  ])('are found by %j: %s', (terms, found) => {
    expect(finds(terms, entry({ name: 'alice' }))).toEqual(found ? [0] : [])
  })

  it('are found in any number, the last first, and a checkpoint never is', () => {
    const all = Array.from({ length: 1000 }, (_, i) => entry({ result: i % 2 ? 'failure' : 'success' }))
    expect(finds({ result: 'failure' }, ...all)).toEqual(Array.from({ length: 500 }, (_, i) => 999 - 2 * i))
    const rows = new Rows()
    rows.add(checkpoint, 0)
    rows.add(entry(), 77)
    rows.add(checkpoint, 200)
    expect([rows.count, rows.before(3, want({})), rows.before(1, want({})), rows.offset(1)]).toEqual([3, 1, -1, 77])
  })

  it('of six levels are told apart, and of more they are candidates', () => {
    const deep = 'a/b/c/d/e/f/g'
    for (const [resource, found] of [
      ['a/b/c/d/e/f', [0]],
      ['a/b/c/d/e/x', []],
      ['a/b/c/d/e/f/g', [0]],
      ['a/b/c/d/e/f/x', [0]],
      ['a/b/c/d/e', [0]],
      ['a/b/c/d/x', []],
    ] as const)
      expect([resource, finds({ resource }, entry({ resource: deep }))]).toEqual([resource, found])
  })
})

describe('an index', () => {
  it('is read where it fits its segment, and not where anything of it does not', () => {
    const file = join(folder, 'some.index')
    const rows = new Rows()
    for (let i = 0; i < 3; i++) rows.add(entry(), i * 7)
    rows.save(file, 1234)
    const files = new RowFiles()
    expect(files.read(file, 1234)).toMatchObject({ count: 3 })
    expect(files.read(file, 1234)?.offset(2)).toBe(14)
    expect(files.read(file, 1235)).toBeUndefined()
    expect(files.read(join(folder, 'none'), 1234)).toBeUndefined()
    expect(() => files.read(join(file, 'below'), 1234)).toThrow(/ENOTDIR/)
    const good = readFileSync(file)
    for (const at of [0, 4, 8, 12]) {
      const bad = Buffer.from(good)
      bad.writeUInt32LE(bad.readUInt32LE(at) + 1, at)
      writeFileSync(file, bad)
      expect([at, files.read(file, 1234)]).toEqual([at, undefined])
    }
    for (const bad of [good.subarray(0, -4), Buffer.concat([good, Buffer.alloc(4)]), good.subarray(0, 15)]) {
      writeFileSync(file, bad)
      expect(files.read(file, 1234)).toBeUndefined()
    }
    // One of no rows is one.
    new Rows().save(file, 0)
    expect(files.read(file, 0)).toMatchObject({ count: 0 })
  })

  it('may be larger than the one before', () => {
    const rows = new Rows()
    for (let i = 0; i < 10_000; i++) rows.add(entry(), i)
    rows.save(join(folder, 'large'), 1)
    const files = new RowFiles()
    expect(files.read(join(folder, 'large'), 1)?.offset(9999)).toBe(9999)
  })
})

describe('a frame', () => {
  const DIGEST = 'a'.repeat(64)
  const read = (text: string | Buffer, at = 0) => readFrame(Buffer.from(text as string), at)
  const framed = (body: string) => `${Buffer.byteLength(body)} ${DIGEST} ${body}\n`

  it('is read at its place, with where the next one begins', () => {
    const [one, two] = [framed('é'), framed('x')]
    expect(read(one + two)).toEqual({ length: 2, digest: DIGEST, body: 'é', end: Buffer.byteLength(one) })
    expect(read(one + two, Buffer.byteLength(one))).toMatchObject({ body: 'x', end: Buffer.byteLength(one + two) })
  })

  it.each([
    ['', false],
    [framed('x').slice(0, -1), false],
    [framed('x').replace('\n', ' '), false],
    [framed('x').replace('1 ', '01 '), false],
    [framed('x').replace('1 ', ' '), false],
    [framed('x').replace('1 ', '2 '), false],
    [framed('x').replace('1 ', '0 '), false],
    [framed('x').replace('a', 'A'), false],
    [framed('x').replace('a x', 'a_x'), false],
    [framed('\ufffd'), true],
    [framed('x'.repeat(16_384)), true],
    [framed('x'.repeat(16_385)), false],
  ])('%j is one: %s', (text, is) => expect(read(text) !== undefined).toBe(is))

  it('is none of bytes that are no UTF-8, and needs no sixth digit', () => {
    expect(read(Buffer.from(framed('x').replace('x', '\xff'), 'latin1'))).toBeUndefined()
    expect(read(`100000 ${DIGEST} ${'x'.repeat(100_000)}\n`)).toBeUndefined()
  })
})

describe('a body', () => {
  it.each([
    ['{}', false],
    ['null', false],
    ['[]', false],
    ['{', false],
    [JSON.stringify(entry()), true],
    [JSON.stringify(entry({ seq: 0 })), false],
    [JSON.stringify(entry({ seq: 1.5 })), false],
    [JSON.stringify({ ...entry(), time: 5 }), false],
    [JSON.stringify({ ...entry(), result: 'maybe' }), false],
    [JSON.stringify(entry({ result: 'failure' })), true],
    [JSON.stringify({ ...entry(), actor: undefined }), false],
    [JSON.stringify({ ...entry(), message: 5 }), false],
    [JSON.stringify({ ...entry(), request: null }), false],
    [JSON.stringify(checkpoint), true],
    [JSON.stringify({ ...checkpoint, signature: undefined }), false],
    [JSON.stringify({ ...checkpoint, checkpoint: null }), false],
    [JSON.stringify({ ...checkpoint, checkpoint: { previous: 'x', first: 1 } }), false],
    [JSON.stringify({ ...checkpoint, checkpoint: { previous: ORIGIN } }), false],
  ])('%s says something: %s', (body, says) => expect(readBody(body) !== undefined).toBe(says))

  const MOST = {
    actor: 64,
    name: 64,
    action: 64,
    resource: 512,
    message: 256,
    ip: 64,
    agent: 256,
    request: 64,
  } as const
  it.each(Object.entries(MOST))('has %s with %i characters, and not with one more', (name, most) => {
    const bodyOf = (length: number) => JSON.parse(entryBody({ ...entry(), [name]: 'x'.repeat(length) }))[name]
    expect(bodyOf(most)).toBe('x'.repeat(most))
    expect(bodyOf(most + 1)).toBe(`${'x'.repeat(most - 1)}…`)
  })

  it('has texts as they are, but for characters that steer', () => {
    expect([clean('abc', 3), clean('abcd', 3), clean('aé\u0007"', 9)]).toEqual(['abc', 'ab…', 'aé?"'])
  })
})

describe('segments', () => {
  const put = (first: number, size: number, index = 0) => {
    const segment = segmentAt(folder, first)
    writeFileSync(segment.path, 'x'.repeat(size))
    if (index > 0) writeFileSync(indexFile(segment), 'x'.repeat(index))
    return segment
  }

  it('are those of our names, the oldest first', () => {
    expect(listSegments(join(folder, 'none'))).toEqual([])
    const all = [put(100, 1), put(9, 1), put(1, 1)]
    for (const name of ['1.log', 'x000000000001.log', '000000000001.logs', '000000000001.index', 'checkpoint'])
      writeFileSync(join(folder, name), '')
    expect(listSegments(folder)).toEqual(all.toReversed())
    writeFileSync(join(folder, 'file'), '')
    expect(() => listSegments(join(folder, 'file'))).toThrow(/ENOTDIR/)
    removeSegment(all[2]!)
    removeSegment(all[2]!)
    expect(listSegments(folder).map(({ first }) => first)).toEqual([9, 100])
  })

  it('that have to go are as many as it takes, with their indexes, and never the newest', () => {
    const all = [put(1, 10, 5), put(2, 10), put(3, 10)]
    expect([35, 34, 20, 19, 10, 0].map((most) => tooMany(all, most).length)).toEqual([0, 1, 1, 2, 2, 2])
    expect(tooMany([], 0)).toEqual([])
  })

  it('are gone back through to the last record, and what is behind it is cut', () => {
    const line = `${Buffer.byteLength(entryBody(entry({ seq: 7 })))} ${ORIGIN} ${entryBody(entry({ seq: 7 }))}\n`
    const good = put(1, 0)
    writeFileSync(good.path, `${line}torn`)
    const empty = put(8, 0)
    const noise = put(9, 30)
    expect(recover([good, empty, noise])).toEqual({
      found: { segment: good, size: line.length, seq: 7, digest: ORIGIN },
      torn: 34,
    })
    expect(readFileSync(good.path, 'utf8')).toBe(line)
    expect(listSegments(folder)).toEqual([good])
    expect(recover([good])).toMatchObject({ found: { seq: 7 }, torn: 0 })
    expect(recover([])).toEqual({ found: undefined, torn: 0 })
    expect(headOf(good)).toBe(entryBody(entry({ seq: 7 })))
    expect(headOf(empty)).toBeUndefined()
  })

  it('keep what is damaged before the last record', () => {
    const line = `${Buffer.byteLength(entryBody(entry()))} ${ORIGIN} ${entryBody(entry())}\n`
    const segment = put(1, 0)
    const text = `damaged\n${line}damaged\n${line}`
    writeFileSync(segment.path, text)
    expect(recover([segment])).toMatchObject({ found: { size: text.length, seq: 1 }, torn: 0 })
  })
})
