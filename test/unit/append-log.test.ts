// Append-only logs. A log may be moved away between two lines, and a reader may come in the middle of one.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppendLog, readFrom, tail } from '../../src/store/append-log.ts'
import { BufferedLog } from '../../src/store/buffered-log.ts'
import { runs } from '../harness/fuzz.ts'

let folder: string
const file = () => join(folder, 'some.log')
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('an append log', () => {
  it('grows by a line at a time, and is not for everybody', () => {
    const log = new AppendLog(file())
    log.append('one')
    log.append('two')
    log.close()
    expect(readFileSync(file(), 'utf8')).toBe('one\ntwo\n')
    expect(statSync(file()).mode & 0o777 & 0o027).toBe(0)
  })
  it('goes on after what was there', () => {
    writeFileSync(file(), 'old\n')
    const log = new AppendLog(file())
    log.append('new')
    log.close()
    expect(readFileSync(file(), 'utf8')).toBe('old\nnew\n')
  })
  it('starts a new file when the old one was moved away or removed', () => {
    const log = new AppendLog(file())
    log.append('one')
    renameSync(file(), `${file()}.1`)
    log.append('two')
    expect([readFileSync(`${file()}.1`, 'utf8'), readFileSync(file(), 'utf8')]).toEqual(['one\n', 'two\n'])
    rmSync(file())
    log.append('three')
    log.close()
    expect(readFileSync(file(), 'utf8')).toBe('three\n')
  })
  it('that is full is kept under another name, once, and goes on in a new file', () => {
    const log = new AppendLog(file(), { most: 100 })
    for (let i = 0; i < 50; i++) log.append(`${i}`.padStart(19, '0'))
    log.close()
    const [now, before] = [readFileSync(file(), 'utf8'), readFileSync(`${file()}.old`, 'utf8')]
    expect([now.length <= 100, before.length <= 100, readdirSync(folder).length]).toEqual([true, true, 2])
    expect(`${before}${now}`.trimEnd().split('\n').map(Number).at(-1)).toBe(49)
    expect(statSync(file()).mode & 0o027).toBe(0)
  })
  it('may be as large as it may, and not larger', () => {
    const log = new AppendLog(file(), { most: 100 })
    const sizes = (length: number) => {
      log.append('x'.repeat(length))
      return [file(), `${file()}.old`].map((name) => statSync(name, { throwIfNoEntry: false })?.size)
    }
    expect([sizes(49), sizes(49), sizes(49), sizes(50)]).toEqual([
      [50, undefined],
      [100, undefined],
      [50, 100],
      [51, 50],
    ])
    log.close()
  })
  it('mixes no lines of two writers', () => {
    const logs = [new AppendLog(file()), new AppendLog(file())]
    for (let i = 0; i < 200; i++) logs[i % 2]!.append(`${i} ${'x'.repeat(i)}`)
    for (const log of logs) log.close()
    const lines = readFileSync(file(), 'utf8').trimEnd().split('\n')
    expect(lines).toEqual(Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(i)}`))
  })
})

describe('the server’s own log', () => {
  const lines = (log: BufferedLog, count: number) => {
    for (let i = 0; i < count; i++) log.write(`${'x'.repeat(99)}\n`)
    log.flush()
  }
  /** Until all lines have come to the file. */
  const idle = (log: BufferedLog) =>
    expect
      .poll(() => {
        log.flush()
        const { writing, size } = log as unknown as { writing: boolean; size: number }
        return writing || size > 0
      })
      .toBe(false)
  it('is bounded as well, and leaves alone what logrotate has moved away', async () => {
    const log = new BufferedLog(file(), 10_000)
    for (let i = 0; i < 20; i++) {
      lines(log, 50)
      await idle(log)
    }
    expect(readdirSync(folder).sort()).toEqual(['some.log', 'some.log.old'])
    expect(statSync(file()).size).toBeLessThan(20_000)
    expect(statSync(`${file()}.old`).size).toBeLessThan(20_000)
    rmSync(`${file()}.old`)
    renameSync(file(), `${file()}.1`)
    log.reopen()
    lines(log, 1)
    await idle(log)
    expect(statSync(file()).size).toBe(100)
    expect(readdirSync(folder).sort()).toEqual(['some.log', 'some.log.1'])
  })
  it('goes out by itself once there is enough, and drops what is too much while the disk is busy', async () => {
    const log = new BufferedLog(file())
    const batch = 32 << 10
    log.write('x'.repeat(batch - 1))
    expect(log).toMatchObject({ writing: false })
    log.write('x')
    expect(log).toMatchObject({ writing: true })
    // Exactly as much as is kept, and then one that is dropped.
    for (let i = 0; i < 1024; i++) log.write('y'.repeat(4096))
    log.write('z')
    await idle(log)
    const text = readFileSync(file(), 'utf8')
    expect([text.length, text.indexOf('y'), text.indexOf('z')]).toEqual([batch + (4 << 20), batch, -1])
    log.write('end\n')
    log.flushSync()
    expect(readFileSync(file(), 'utf8').slice(-5)).toBe('yend\n')
  })
  it('that is no file is never renamed', async () => {
    symlinkSync('/dev/null', file())
    const log = new BufferedLog(file(), 10)
    lines(log, 50)
    log.flushSync()
    expect(readdirSync(folder)).toEqual(['some.log'])
  })
})

describe('the end of a log', () => {
  it('is the last lines with their ends', () => {
    writeFileSync(file(), 'a\nb\nc\n')
    expect(tail(file(), 2)).toBe('b\nc\n')
    expect(tail(file(), 10)).toBe('a\nb\nc\n')
  })
  it('counts a last line that has no end yet', () => {
    writeFileSync(file(), 'a\nb\nc')
    expect(tail(file(), 2)).toBe('b\nc')
  })
  it('is nothing where there is no file, or a folder', () => {
    expect(tail(join(folder, 'none'), 10)).toBeUndefined()
    expect(tail(folder, 10)).toBeUndefined()
    expect(tail(join(file(), 'below'), 10)).toBeUndefined()
    writeFileSync(file(), '')
    expect(tail(file(), 10)).toBe('')
  })
  it('is the same as reading the whole file, whatever is in it', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\n', ''))
    const long = fc.integer({ min: 4000, max: 20_000 }).map((length) => 'é'.repeat(length))
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: line }, { weight: 1, arbitrary: long }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        (lines, count, ended) => {
          const text = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '')
          writeFileSync(file(), text)
          const whole = readFileSync(file(), 'utf8').split('\n')
          expect(tail(file(), count)).toBe(whole.slice(-(whole.at(-1) === '' ? count + 1 : count)).join('\n'))
        },
      ),
      { numRuns: runs(300) },
    )
  })
  it('of one endless line is at most a megabyte', () => {
    writeFileSync(file(), 'x'.repeat(3 << 20))
    expect(tail(file(), 10)?.length).toBe(1 << 20)
  })
})

describe('a stretch of a log', () => {
  it('begins at its byte and has at most so many', () => {
    writeFileSync(file(), '0123456789')
    expect(readFrom(file(), 3, 4)).toEqual({ bytes: Buffer.from('3456'), size: 10 })
    expect(readFrom(file(), 8, 100)?.bytes.toString()).toBe('89')
    expect(readFrom(file(), 10, 100)?.bytes.toString()).toBe('')
    expect(readFrom(file(), 99, 100)?.bytes.toString()).toBe('')
    expect(readFrom(join(folder, 'none'), 0, 1)).toBeUndefined()
  })
})
