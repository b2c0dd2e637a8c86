// The index of one segment: seven numbers for each record, enough to skip what a filter excludes without reading it.
// They are fingerprints, so a match is only a candidate that has to be compared with its record.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { errno } from '../../errors.ts'
import { writeAtomic } from '../atomic.ts'
import { type Checkpoint, type Entry, isCheckpoint, readBody, readFrame } from './record.ts'

/** Offset, seconds, actor (id and name), action and result, and the resource down to six levels. */
const WIDTH = 7
const LEVELS = 6
const SUCCESS = 1
const FAILURE = 2
const MAGIC = 0x3169_6165
const HEAD = 16
const SLASH = 47
const AT = 64

/** What to look for: masks and the values under them, an actor's fingerprint (0: any), a time range in seconds. */
export interface Wanted {
  actor: number
  mask: [number, number, number, number]
  value: [number, number, number, number]
  since: number
  until: number
}

export interface Terms {
  actor?: string | undefined
  action?: string | undefined
  resource?: string | undefined
  result?: 'success' | 'failure' | undefined
  /** Milliseconds since 1970: from the first, and before the second. */
  since?: number | undefined
  until?: number | undefined
}

/** FNV-1a, one more character. */
const START = 0x811c9dc5 | 0
const step = (value: number, character: number) => Math.imul(value ^ character, 0x01000193)
/** 16 bits, never 0. */
const fold = (value: number) => ((value >>> 16) ^ (value & 0xffff)) & 0xffff || 1

function fingerprint(text: string): number {
  let value = START
  for (let i = 0; i < text.length; i++) value = step(value, text.charCodeAt(i))
  return fold(value)
}

/** Three numbers with two levels each: `pools/tank/a` is found as `pools`, as `pools/tank` and as itself. */
function resourceWords(resource: string): [number, number, number] {
  const words: [number, number, number] = [0, 0, 0]
  let [value, level] = [START, 0]
  for (let i = 0; i <= resource.length && level < LEVELS; i++) {
    const character = resource.charCodeAt(i)
    if (i > 0 && (i === resource.length || character === SLASH || character === AT)) {
      words[level >> 1]! |= fold(value) << (level & 1 ? 0 : 16)
      level++
    }
    value = step(value, character)
  }
  return words
}

export function want({
  actor,
  action,
  resource = '',
  result,
  since = 0,
  until = Number.MAX_SAFE_INTEGER,
}: Terms): Wanted {
  const outcome = result === undefined ? 0 : result === 'success' ? SUCCESS : FAILURE
  const mask = (word: number) => (word & 0xffff ? 0xffff : 0) | (word & ~0xffff ? ~0xffff : 0)
  const [one, two, three] = resourceWords(resource)
  return {
    actor: actor === undefined ? 0 : fingerprint(actor),
    mask: [(action === undefined ? 0 : ~0xffff) | outcome, mask(one), mask(two), mask(three)],
    value: [(action === undefined ? 0 : fingerprint(action) << 16) | outcome, one, two, three],
    since: Math.floor(since / 1000),
    until: Math.min(Math.floor(until / 1000), 0xffff_ffff),
  }
}

export class Rows {
  count = 0
  private words: Uint32Array

  constructor(words = new Uint32Array(WIDTH * 256), count = 0) {
    this.words = words
    this.count = count
  }

  add(record: Entry | Checkpoint, offset: number): void {
    const at = this.count * WIDTH
    if (at === this.words.length) {
      const larger = new Uint32Array(this.words.length * 2)
      larger.set(this.words)
      this.words = larger
    }
    const { words } = this
    words[at] = offset
    words[at + 1] = Math.floor(Date.parse(record.time) / 1000) || 0
    // For a checkpoint the other members stay 0: no filter finds it.
    if (!isCheckpoint(record)) {
      const { actor, name, action, resource, result } = record
      words[at + 2] = (fingerprint(actor) << 16) | (name === undefined ? 0 : fingerprint(name))
      words[at + 3] = (fingerprint(action) << 16) | (result === 'success' ? SUCCESS : FAILURE)
      const [one, two, three] = resourceWords(resource)
      words[at + 4] = one
      words[at + 5] = two
      words[at + 6] = three
    }
    this.count += 1
  }

  offset(row: number): number {
    return this.words[row * WIDTH] as number
  }

  /** The last candidate before `row`; -1 if there is none. */
  before(row: number, { actor, mask, value, since, until }: Wanted): number {
    const { words } = this
    const [m3, m4, m5, m6] = mask
    const [v3, v4, v5, v6] = value
    for (let i = row - 1, at = i * WIDTH; i >= 0; i--, at -= WIDTH) {
      const what = words[at + 3] as number
      if (what === 0 || (what & m3) !== v3) continue
      const who = words[at + 2] as number
      if (actor !== 0 && who >>> 16 !== actor && (who & 0xffff) !== actor) continue
      if (((words[at + 4] as number) & m4) !== v4 || ((words[at + 5] as number) & m5) !== v5) continue
      if (((words[at + 6] as number) & m6) !== v6) continue
      const seconds = words[at + 1] as number
      if (seconds >= since && seconds <= until) return i
    }
    return -1
  }

  /** Stores them beside a segment that no longer grows. Not synced, because they can be made again. */
  save(file: string, segmentSize: number): void {
    const head = Buffer.from(Uint32Array.of(MAGIC, WIDTH, segmentSize, this.count).buffer)
    writeAtomic(file, Buffer.concat([head, Buffer.from(this.words.buffer, 0, this.count * WIDTH * 4)]))
  }

  /** The rows of a whole segment, from its text. Anything that is not a record is skipped. */
  static of(bytes: Buffer): Rows {
    const rows = new Rows()
    for (let at = 0; at < bytes.length; ) {
      const frame = readFrame(bytes, at)
      const record = frame && readBody(frame.body)
      if (record) rows.add(record, at)
      const line = bytes.indexOf(10, at)
      at = frame?.end ?? (line < 0 ? bytes.length : line + 1)
    }
    return rows
  }
}

/** Reads indexes from files, one at a time, into the same memory. */
export class RowFiles {
  private memory = new ArrayBuffer(1 << 18)

  /** The rows in `file`; valid until the next call. Undefined if there is no index that fits a segment of this size. */
  read(file: string, segmentSize: number): Rows | undefined {
    let fd: number
    try {
      fd = openSync(file, 'r')
    } catch (error) {
      if (errno(error) === 'ENOENT') return undefined
      throw error
    }
    try {
      const { size } = fstatSync(fd)
      if (size < HEAD || size > 64 << 20) return undefined
      if (size > this.memory.byteLength) this.memory = new ArrayBuffer(size)
      if (readSync(fd, Buffer.from(this.memory), 0, size, 0) !== size) return undefined
      const [magic, width, length, count = 0] = new Uint32Array(this.memory, 0, 4)
      if (magic !== MAGIC || width !== WIDTH || length !== segmentSize || size !== HEAD + count * WIDTH * 4)
        return undefined
      return new Rows(new Uint32Array(this.memory, HEAD, count * WIDTH), count)
    } finally {
      closeSync(fd)
    }
  }
}
