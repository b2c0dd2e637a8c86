// The segment that is being written. On a full disk a write may stop in the middle, so after a failed write the segment
// is cut back to the preceding record.
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { GroupCommit } from '../group-commit.ts'
import { type Checkpoint, digestOf, type Entry, ORIGIN } from './record.ts'
import type { Found } from './recover.ts'
import { Rows } from './rows.ts'
import { indexFile, removeSegment, type Segment, segmentAt } from './segments.ts'

const syncData = promisify(fdatasync)

export class SegmentWriter {
  readonly segment: Segment
  size: number
  /** Of the last record, in this segment or before it. */
  seq: number
  digest: string
  private rowsSoFar: Rows | undefined
  private readonly fd: number
  private readonly inode: number
  /** The bytes that a completed sync has covered. */
  private safe = 0
  /** Those who wait for a sync. */
  private waiting = 0
  private closing = false
  private readonly commits = new GroupCommit(() => this.syncOnce())

  private constructor({ segment, size, seq, digest }: Found, rows?: Rows) {
    this.segment = segment
    this.size = size
    this.seq = seq
    this.digest = digest
    this.rowsSoFar = rows
    this.fd = openSync(segment.path, 'a', 0o640)
    this.inode = fstatSync(this.fd).ino
  }

  static continue(found: Found): SegmentWriter {
    return new SegmentWriter(found)
  }

  /** An empty segment after the record `seq`. */
  static create(folder: string, seq = 0, digest = ORIGIN): SegmentWriter {
    const segment = segmentAt(folder, seq + 1)
    removeSegment(segment)
    return new SegmentWriter({ segment, size: 0, seq, digest }, new Rows())
  }

  /** Throws with the segment unchanged. */
  put(record: Entry | Checkpoint, body: string): void {
    const length = Buffer.byteLength(body)
    const digest = digestOf(this.digest, length, body)
    const line = `${length} ${digest} ${body}\n`
    const bytes = line.length - body.length + length
    try {
      const written = writeSync(this.fd, line)
      if (written !== bytes) throw Object.assign(new Error('no space left on the device'), { code: 'ENOSPC' })
    } catch (error) {
      ftruncateSync(this.fd, this.size)
      throw error
    }
    this.rowsSoFar?.add(record, this.size)
    this.size += bytes
    this.seq = record.seq
    this.digest = digest
  }

  /** Made from the file only on demand, to keep the start fast. */
  get rows(): Rows {
    this.rowsSoFar ??= Rows.of(readFileSync(this.segment.path))
    return this.rowsSoFar
  }

  /** Whether the file still has its name and was not written to by others. */
  isWhole(): boolean {
    const now = statSync(this.segment.path, { throwIfNoEntry: false })
    return now?.ino === this.inode && now.size === this.size
  }

  sync(): void {
    const { size } = this
    fsyncSync(this.fd)
    this.safe = size
  }

  /** Resolves when everything written so far is on disk; rejects with the disk's error. */
  async synced(): Promise<void> {
    if (this.safe >= this.size) return
    this.waiting += 1
    try {
      await this.commits.wait()
    } finally {
      this.waiting -= 1
      if (this.closing && this.waiting === 0) closeSync(this.fd)
    }
  }

  private async syncOnce(): Promise<void> {
    const { size } = this
    if (this.safe >= size) return
    await syncData(this.fd)
    this.safe = Math.max(this.safe, size)
  }

  /** It is full: its index is stored beside it. */
  saveIndex(): void {
    this.rows.save(indexFile(this.segment), this.size)
  }

  /** A pending sync still needs the descriptor, whose number another file could get. */
  close(): void {
    this.closing = true
    if (this.waiting === 0) closeSync(this.fd)
  }
}
