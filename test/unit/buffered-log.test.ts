// A log that is written behind: what goes out when, and what a disk or a reader that gives trouble costs.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BufferedLog } from '../../src/store/buffered-log.ts'

/** How many bytes the system takes at once, and the errors that it answers with first. */
const system = vi.hoisted(() => ({ most: Number.POSITIVE_INFINITY, errors: [] as string[], writes: 0 }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  type Done = (error: NodeJS.ErrnoException | null, written: number) => void
  const write = (fd: number, bytes: Buffer, from: number, length: number, position: null, done: Done) => {
    system.writes += 1
    const code = system.errors.shift()
    if (code) setImmediate(() => done(Object.assign(new Error(code), { code }), 0))
    else real.write(fd, bytes, from, Math.min(length, system.most), position, done)
  }
  return { ...real, write }
})

let folder: string
let file: string
beforeEach(() => {
  Object.assign(system, { most: Number.POSITIVE_INFINITY, errors: [], writes: 0 })
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-log-'))
  file = join(folder, 'log/server.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const text = (name = file) => (existsSync(name) ? readFileSync(name, 'utf8') : undefined)
const becomes = (expected: string, name = file) => vi.waitFor(() => expect(text(name)).toBe(expected), 90_000)

it('goes out once 32768 characters are there, or when it is told', async () => {
  const log = new BufferedLog(file)
  log.write('a'.repeat(32767))
  expect(system.writes).toBe(0)
  log.write('b')
  expect(system.writes).toBe(1)
  await becomes(`${'a'.repeat(32767)}b`)
  log.write('c\n')
  // Not while the first batch is on its way.
  await vi.waitFor(() => {
    log.flush()
    expect(text()).toBe(`${'a'.repeat(32767)}bc\n`)
  }, 20_000)
  log.flush()
  expect(system.writes).toBe(2)
})

it('is whole although the system takes three bytes at a time', async () => {
  system.most = 3
  const log = new BufferedLog(file)
  log.write('one line\n')
  log.flush()
  log.write('another\n')
  await becomes('one line\n')
  log.flush()
  await becomes('one line\nanother\n')
})

it('keeps what a slow reader did not take, and loses what the disk has no room for', async () => {
  system.errors = ['EAGAIN', 'ENOSPC']
  const log = new BufferedLog(file)
  log.write('first\n')
  log.flush()
  log.write('second\n')
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(text()).toBe('')
  log.flushSync()
  expect(text()).toBe('first\nsecond\n')
  log.write('lost\n')
  log.flush()
  await vi.waitFor(() => {
    log.write('kept\n')
    log.flush()
    expect(text()).toMatch(/^first\nsecond\n(?:kept\n)+$/)
  }, 20_000)
})

it('writes what a slow reader did not take, also where nothing comes after it', async () => {
  system.errors = ['EAGAIN']
  const log = new BufferedLog(file)
  log.write('first\n')
  await vi.waitFor(() => {
    log.flush()
    expect(text()).toBe('first\n')
  }, 20_000)
})

it('keeps four megabytes while nothing can be written, to the character', () => {
  system.errors = Array.from({ length: 9999 }, () => 'EAGAIN')
  const log = new BufferedLog(file)
  log.write('a'.repeat((4 << 20) - 2))
  // The first batch is on its way; what is kept beside it is counted anew.
  for (const line of ['b'.repeat((4 << 20) - 2), 'ccc', 'dd', 'e']) log.write(line)
  log.flushSync()
  expect(text()?.slice(-4)).toBe('bbdd')
})

it.each([
  ['exactly the limit', 10, '123456789\n'],
  ['one byte below it', 11, '123456789\nb\n'],
])('a file of %s is put aside in time', async (_, most, old) => {
  const log = new BufferedLog(file, most)
  log.write('123456789\n')
  log.flush()
  await becomes('123456789\n', most === 10 ? `${file}.old` : file)
  log.write('b\n')
  await vi.waitFor(() => {
    log.flush()
    expect([text(`${file}.old`), text()]).toEqual([old, most === 10 ? 'b\n' : ''])
  }, 20_000)
})

it.each([
  ['moved away', () => renameSync(file, `${file}.1`), 'first\n'],
  ['removed', () => rmSync(file), undefined],
])('goes on in a new file when its own was %s, without being told', async (_, rotate, moved) => {
  const log = new BufferedLog(file)
  log.write('first\n')
  log.flush()
  await becomes('first\n')
  rotate()
  await vi.waitFor(() => {
    log.write('second\n')
    log.flush()
    expect(text()).toMatch(/^(?:second\n)+$/)
  }, 20_000)
  expect(text(`${file}.1`)).toBe(moved)
})

it('goes on in what somebody else put in its place', async () => {
  const log = new BufferedLog(file, 1000)
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'theirs\n')
  log.write('ours\n')
  log.flush()
  await becomes('theirs\nours\n')
  expect([text(`${file}.1`), text(`${file}.old`)]).toEqual(['', undefined])
})

it('leaves alone what somebody put in its place while it was full', async () => {
  const log = new BufferedLog(file, 10)
  log.write('123456789\n')
  log.flush()
  // The batch is on its way into a file that has another name when it arrives.
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'theirs\n')
  await becomes('123456789\n', `${file}.1`)
  await vi.waitFor(() => {
    log.write('b\n')
    log.flush()
    expect(text()).toMatch(/^theirs\n(?:b\n)+$/)
  }, 20_000)
  expect(text(`${file}.old`)).toBeUndefined()
})

it('keeps the characters whole where a slow reader took half of one', async () => {
  system.most = 2
  const log = new BufferedLog(file)
  log.write('aé\n')
  log.flush()
  system.errors = ['EAGAIN']
  await vi.waitFor(() => expect(system.errors).toEqual([]), 20_000)
  expect(text()).toBe('a\ufffd')
  system.most = Number.POSITIVE_INFINITY
  log.write('b\n')
  await vi.waitFor(() => {
    log.flush()
    expect(text()).toBe('aé\nb\n')
  }, 20_000)
})
