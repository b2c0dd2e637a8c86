// SEC-32: whatever is done to a log, verifying it names the first entry at which there stands not what was written. A
// property that is only checked on logs of one segment says nothing of the seams.
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkpointBody, publicKey } from '../../src/store/audit/key.ts'
import { digestOf, entryBody, ORIGIN, readBody } from '../../src/store/audit/record.ts'
import { type Report, verifySegments } from '../../src/store/audit/verify.ts'
import { ENTRY, SampleLog } from './audit-log.ts'

interface Line {
  file: string
  seq: number
  bytes: Buffer
}

/** A closed log of several segments, as lines in memory, and what a change of them does. */
class Copy {
  readonly key: KeyObject
  readonly lines: Line[]
  readonly checkpoint: string
  private readonly scratch = mkdtempSync(join(tmpdir(), 'edge-audit-copy-'))

  constructor(log: SampleLog) {
    log.chain.close()
    this.key = log.key
    this.checkpoint = log.checkpoint
    this.lines = log.segments.flatMap((path) =>
      SampleLog.lines(readFileSync(path)).map((bytes) => ({ file: basename(path), seq: seqOf(bytes), bytes })),
    )
  }

  get files(): string[] {
    return [...new Set(this.lines.map(({ file }) => file))]
  }

  /** Verifies these lines in place of the real ones, each in the file that it says. */
  check(lines: Omit<Line, 'seq'>[], checkpoints = [this.checkpoint]): Report {
    const files = this.files.filter((file) => lines.some((line) => line.file === file))
    for (const file of files)
      writeFileSync(
        join(this.scratch, file),
        Buffer.concat(lines.filter((line) => line.file === file).map(({ bytes }) => bytes)),
      )
    const paths = files.map((file) => join(this.scratch, file))
    return verifySegments(paths, { key: this.key, checkpoints })
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true })
  }
}
const seqOf = (line: Buffer) => Number(/\{"seq":(\d+)/.exec(line.toString())?.[1])

const logs: SampleLog[] = []
const copies: Copy[] = []
beforeAll(() => {
  for (const [count, segment, every, size] of [
    [1, 1 << 20, 100, 1 << 30],
    [40, 1 << 20, 9, 1 << 30],
    [120, 3000, 1000, 1 << 30],
    // The beginning was removed by retention.
    [300, 3000, 11, 24_000],
  ] as const) {
    const log = new SampleLog({ segment, every, size })
    logs.push(log)
    for (let i = 0; i < count; i++)
      log.chain.append({ ...ENTRY, resource: `pools/é${i}`, ...(i % 3 === 0 && { message: 'x'.repeat(i) }) })
    copies.push(new Copy(log))
  }
})
afterAll(() => {
  for (const each of [...logs, ...copies]) each.remove()
})

const copy = fc.nat({ max: 3 }).map((at) => copies[at]!)
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const at = (part: number, length: number) => Math.floor(part * length)
const runs = { numRuns: 250 }

describe('SEC-32 a log that nobody has changed', () => {
  it('is good, all of it, from its first record to its last', () => {
    for (const each of copies) {
      const { bad, checked, first, last, signed } = each.check(each.lines)
      expect(bad).toBeUndefined()
      expect([checked, first, last, signed]).toEqual([
        each.lines.length,
        each.lines[0]?.seq,
        each.lines.at(-1)?.seq,
        last,
      ])
    }
    expect(copies[3]?.lines[0]?.seq).toBeGreaterThan(50)
    expect(copies[3]?.files.length).toBeGreaterThan(3)
  })
})

describe('docs/audit-format.md', () => {
  it('is enough to check a log: digests by hand, a signature by openssl', () => {
    const log = new SampleLog({ segment: 3000 })
    try {
      log.fill(30)
      log.chain.close()
      let previous = '0'.repeat(64)
      let seq = 0
      for (const path of log.segments)
        for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
          const [length = '', digest] = line.split(' ', 2)
          const body = line.slice(length.length + 66)
          expect(Buffer.byteLength(body)).toBe(Number(length))
          expect(createHash('sha256').update(`${previous} ${length} ${body}`).digest('hex')).toBe(digest)
          expect(JSON.parse(body).seq).toBe(++seq)
          if (body.includes('"checkpoint"')) expect(JSON.parse(body).checkpoint).toEqual({ previous, first: 1 })
          previous = digest ?? ''
        }
      const recipe = readFileSync(resolve(import.meta.dirname, '../../docs/audit-format.md'), 'utf8')
        .split('\n')
        .filter((line) => /^ {4}(?:sed|openssl) /.test(line))
      expect(recipe).toHaveLength(3)
      const check = () => spawnSync('sh', ['-c', recipe.join(' &&\n')], { cwd: log.folder, encoding: 'utf8' })
      expect(check()).toMatchObject({ status: 0, stdout: 'Signature Verified Successfully\n' })
      writeFileSync(join(log.folder, 'checkpoint'), log.checkpoint.replace('"first":1', '"first":2'))
      expect(check().status).toBe(1)
    } finally {
      log.remove()
    }
  })
})

describe('SEC-32 the first bad entry is named after', () => {
  it('one flipped bit, anywhere', () => {
    fc.assert(
      fc.property(copy, place, place, fc.nat({ max: 7 }), (each, which, where, bit) => {
        const index = at(which, each.lines.length)
        const changed = { ...each.lines[index]!, bytes: Buffer.from(each.lines[index]!.bytes) }
        const offset = at(where, changed.bytes.length)
        changed.bytes[offset] = changed.bytes[offset]! ^ (1 << bit)
        expect(each.check(each.lines.with(index, changed)).bad?.entry).toBe(changed.seq)
      }),
      { numRuns: 600 },
    )
  })

  it('a record that was taken out, also the last one', () => {
    fc.assert(
      fc.property(copy, place, (each, which) => {
        const index = at(which, each.lines.length)
        expect(each.check(each.lines.toSpliced(index, 1)).bad?.entry).toBe(each.lines[index]?.seq)
      }),
      runs,
    )
    for (const each of copies)
      expect(each.check(each.lines.slice(0, -1)).bad).toMatchObject({ entry: each.lines.at(-1)?.seq })
  })

  it('two records that changed places', () => {
    fc.assert(
      fc.property(copy, place, place, (each, one, other) => {
        const [a, b] = [at(one, each.lines.length), at(other, each.lines.length)].sort((x, y) => x - y) as [
          number,
          number,
        ]
        fc.pre(a !== b)
        const [first, second] = [each.lines[a]!, each.lines[b]!]
        const swapped = each.lines.with(a, { ...second, file: first.file }).with(b, { ...first, file: second.file })
        expect(each.check(swapped).bad?.entry).toBe(first.seq)
      }),
      runs,
    )
  })

  it('a record that stands there twice', () => {
    fc.assert(
      fc.property(copy, place, place, (each, which, where) => {
        const [from, to] = [at(which, each.lines.length), at(where, each.lines.length)]
        const doubled = each.lines.toSpliced(to + 1, 0, { ...each.lines[from]!, file: each.lines[to]!.file })
        // Right before itself it is the second one that is too many, and the place for the next.
        const next = to + 1 === from ? each.lines[from]!.seq + 1 : each.lines[to]!.seq + 1
        expect(each.check(doubled).bad?.entry).toBe(next)
      }),
      runs,
    )
  })

  it('a tail that was cut off, at any byte', () => {
    fc.assert(
      fc.property(copy, place, place, (each, which, where) => {
        const index = at(which, each.lines.length)
        const last = each.lines[index]!
        const rest = last.bytes.subarray(0, at(where, last.bytes.length))
        const cut = [...each.lines.slice(0, index), ...(rest.length > 0 ? [{ ...last, bytes: rest }] : [])]
        expect(each.check(cut).bad?.entry).toBe(last.seq)
      }),
      runs,
    )
  })

  it('a segment that was removed, also the first one', () => {
    for (const each of copies)
      for (const file of each.files) {
        const rest = each.lines.filter((line) => line.file !== file)
        expect(each.check(rest).bad?.entry).toBe(each.lines.find((line) => line.file === file)?.seq)
      }
  })
})

describe('SEC-32 somebody who can write the files but not sign', () => {
  /** The digests anew from `index` on. */
  const forged = (each: Copy, index: number, change: (body: string) => string) => {
    let previous = ORIGIN
    return each.lines.map((line, i) => {
      const [, digest = '', body = ''] = /^\d+ (\w+) (.*)\n$/s.exec(line.bytes.toString()) ?? []
      const text = i === index ? change(body) : body
      const length = Buffer.byteLength(text)
      previous = i < index ? digest : digestOf(previous, length, text)
      return { ...line, bytes: Buffer.from(`${length} ${previous} ${text}\n`) }
    })
  }
  const disguise = (body: string) => body.replace('alice', 'mallo')

  it('is found at the next checkpoint, with the entries that it covers', () => {
    const each = copies[1]!
    for (const index of [3, 17, each.lines.length - 2]) {
      const { bad, signed } = each.check(forged(each, index, disguise))
      const next = each.lines.findIndex((line, i) => i > index && line.bytes.includes('"checkpoint"'))
      expect(bad?.entry).toBe(signed + 1)
      expect(bad?.entry).toBeLessThanOrEqual(each.lines[index]!.seq)
      expect(bad?.problem).toBe(
        `changed: entries ${signed + 1} to ${each.lines[next]!.seq - 1} are not those that were signed`,
      )
    }
    expect(each.check(forged(each, each.lines.length, disguise)).bad).toBeUndefined()
  })

  it('gets nowhere with a key of their own, nor with a segment that begins unsigned', () => {
    const each = copies[1]!
    const own = generateKeyPairSync('ed25519').privateKey
    const signed = forged(each, 0, (body) => checkpointBody(own, JSON.parse(body)))
    expect(each.check(signed).bad).toEqual({
      entry: 1,
      problem: 'the checkpoint is not signed with this key',
      file: '000000000001.log',
    })
    const entry = entryBody({ ...ENTRY, seq: 1, time: '2026-01-01T00:00:00.000Z' })
    expect(each.check(forged(each, 0, () => entry)).bad).toEqual({
      entry: 1,
      problem: 'changed: a segment begins with a checkpoint',
      file: '000000000001.log',
    })
  })

  it('cannot pass off an older state: a checkpoint kept elsewhere tells', () => {
    const each = copies[1]!
    const older = each.lines.filter((line) => line.bytes.includes('"checkpoint"')).at(-3)!
    const body = /^\d+ \w+ (.*)\n$/.exec(older.bytes.toString())?.[1] ?? ''
    expect(readBody(body)).toMatchObject({ seq: older.seq })
    const rolledBack = each.lines.slice(0, each.lines.indexOf(older) + 1)
    expect(each.check(rolledBack, [body]).bad).toBeUndefined()
    expect(each.check(rolledBack, [body, each.checkpoint]).bad?.entry).toBe(older.seq + 1)
    expect(each.check(each.lines, [each.checkpoint, body]).bad).toBeUndefined()
    expect(each.check(each.lines, [each.checkpoint.replace('"first":1', '"first":2')]).bad?.problem).toMatch(
      /not signed/,
    )
  })
})

describe('a private key', () => {
  it('is never taken for a public one', () => {
    const { privateKey, publicKey: own } = generateKeyPairSync('ed25519')
    const pem = (key: KeyObject, type: 'pkcs8' | 'spki') => key.export({ type, format: 'pem' }) as string
    expect(publicKey(pem(own, 'spki')).asymmetricKeyType).toBe('ed25519')
    expect(() => publicKey(pem(privateKey, 'pkcs8'))).toThrow('not an Ed25519 public key')
    expect(() => publicKey('')).toThrow('not an Ed25519 public key')
    expect(() => publicKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, 'spki'))).toThrow('not an')
  })
})
