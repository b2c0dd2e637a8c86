// Writes the audit log: a chain of records in segments, signed periodically. Appending never throws: what cannot be
// written is counted, and the gap is recorded as soon as there is space again.
import { errno } from '../../errors.ts'
import { readText, syncFolder, writeAtomic } from '../atomic.ts'
import { checkpoint as faultPoint } from '../checkpoint.ts'
import { ensureFolder } from '../ensure-folder.ts'
import { checkpointBody, readCheckpoint, type SigningKey, signingKey } from './key.ts'
import { type Filter, findEntries, findEntriesInTurns } from './query.ts'
import { type Entry, entryBody } from './record.ts'
import { headOf, recover } from './recover.ts'
import { SegmentWriter } from './segment-writer.ts'
import { checkpointFile, listSegments, publicKeyFile, removeSegment, tooMany } from './segments.ts'

export interface ChainOptions {
  folder: string
  /** The private key: outside the folder, which may be copied away as a whole. */
  keyFile: string
  /** The maximum size of all segments, in bytes; then the oldest are removed. */
  size: number
  /** The maximum size of a segment, in bytes. */
  segment?: number
  /** A checkpoint is written after so many entries, and so many milliseconds after the first unsigned one. */
  every?: number
  signAfter?: number
  /** Called with the reason why something could not be written: once for each gap. */
  failed: (error: unknown) => void
  /** Called with each problem that the log found in itself when it was opened. */
  found?: (text: string) => void
}

export type NewEntry = Omit<Entry, 'seq' | 'time'>
type Note = Pick<Entry, 'action' | 'message' | 'result'>

/**
 * The entry is not in the log at all, so whatever it could be made from again has to be kept. Has the code of the
 * disk's error.
 */
export class EntryDropped extends Error {
  readonly code: string | undefined

  constructor(cause: unknown) {
    super('the entry could not be written to the audit log', { cause })
    this.code = errno(cause)
  }
}

/** Milliseconds between two attempts to open the log. */
const PATIENCE = 1000

export class AuditChain {
  private readonly options: Required<ChainOptions>
  /** For a segment that was abandoned: what had not reached the disk yet. */
  private leaving: Promise<void> = Promise.resolve()
  private key: SigningKey | undefined
  private writer: SegmentWriter | undefined
  /** The oldest record that is kept. */
  private first = 1
  /** The last record that was written or signed: a log that ends before it was truncated. */
  private last = 0
  private unsigned = 0
  private timer: NodeJS.Timeout | undefined
  private gap: { count: number; since: string } | undefined
  /** The log's own findings and actions that still have to be recorded. */
  private notes: Note[] = []
  /** Why the newest entry was dropped; undefined if it is in the log. */
  private dropped: EntryDropped | undefined
  private closedFor = { until: 0, error: undefined as unknown }

  constructor(options: ChainOptions) {
    this.options = { segment: 2 << 20, every: 5000, signAfter: 60_000, found: () => {}, ...options }
  }

  /** Opens the log and records its problems. Only for the server that has the port: a log has one writer. */
  start(): void {
    this.attempt(() => this.enterNotes(this.opened()), this.options.failed)
  }

  append(entry: NewEntry): void {
    const time = new Date().toISOString()
    this.attempt(
      () => {
        const writer = this.opened()
        this.enterNotes(writer)
        this.enter(this.roomy(writer), entry, time)
        this.dropped = undefined
      },
      (error) => {
        this.dropped = new EntryDropped(error)
        if (!this.gap) this.options.failed(error)
        this.gap ??= { count: 0, since: time }
        this.gap.count += 1
      },
    )
    if (this.unsigned >= this.options.every) this.sign()
    else if (this.unsigned > 0) this.timer ??= setTimeout(() => this.sign(), this.options.signAfter).unref()
  }

  /**
   * Resolves when every entry that was appended so far is on disk. Rejects if the disk refused: those entries may be
   * lost after a power cut, and the log records that. Rejects with `EntryDropped` if the newest entry was not even
   * written; so call it right after `append`, before anything else appends.
   */
  async synced(): Promise<void> {
    if (this.dropped) throw this.dropped
    const upTo = this.last
    try {
      await Promise.all([this.leaving, this.writer?.synced()])
    } catch (error) {
      if (!this.notes.some(({ action }) => action === 'audit.unsynced')) {
        const message = `entries up to ${upTo} may not be on the disk`
        this.notes.push({ action: 'audit.unsynced', message, result: 'failure' })
        this.options.failed(error)
      }
      throw error
    }
  }

  /** Newest first. */
  find(filter: Filter): Entry[] {
    const live = (first: number) => (this.writer?.segment.first === first ? this.writer.rows : undefined)
    return findEntries(this.options.folder, filter, { live, keep: true })
  }

  /** Newest first; yields to other requests meanwhile. */
  findInTurns(filter: Filter): Promise<Entry[]> {
    const live = (first: number) => (this.writer?.segment.first === first ? this.writer.rows : undefined)
    return findEntriesInTurns(this.options.folder, filter, { live, keep: true })
  }

  /** Signs what is not signed yet. After a failure it is retried with the next entry. */
  sign(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.unsigned === 0) return
    this.attempt(
      () => {
        if (!this.writer?.isWhole()) this.drop()
        const writer = this.opened()
        this.enterNotes(writer)
        this.signIn(writer)
        this.unsigned = 0
      },
      (error) => {
        // Not for each entry: after a delay, or after enough further entries.
        this.unsigned = 1
        this.options.failed(error)
      },
    )
  }

  close(): void {
    if (this.gap) this.attempt(() => this.enterNotes(this.opened()), this.options.failed)
    this.sign()
    clearTimeout(this.timer)
    this.drop()
  }

  private attempt(act: () => void, failed: (error: unknown) => void): void {
    try {
      act()
    } catch (error) {
      // A record that could not be cut off either is found as torn at the next start.
      if (!this.writer?.isWhole()) this.drop()
      failed(error)
    }
  }

  private drop(): void {
    const { writer } = this
    if (!writer) return
    // A pending sync keeps the file open; those who wait for it get its failure.
    const leaving = writer.synced()
    this.leaving = leaving
    leaving
      .catch(() => {})
      .then(() => {
        if (this.leaving === leaving) this.leaving = Promise.resolve()
      })
    writer.close()
    this.writer = undefined
  }

  private enter(writer: SegmentWriter, entry: NewEntry, time = new Date().toISOString()): void {
    const { actor, name, action, resource, result, message, ip, agent, request } = entry
    const seq = this.last + 1
    const full = { seq, time, actor, name, action, resource, result, message, ip, agent, request }
    writer.put(full, entryBody(full))
    this.last = full.seq
    this.unsigned += 1
  }

  private enterNotes(writer: SegmentWriter): void {
    for (let note = this.notes[0]; note; note = this.notes[0]) {
      this.enter(writer, { actor: 'system', resource: 'audit', ...note })
      this.notes.shift()
    }
    if (!this.gap) return
    const { count, since } = this.gap
    const message = `${count} ${count === 1 ? 'entry' : 'entries'} could not be written since ${since}`
    this.enter(writer, { actor: 'system', resource: 'audit', action: 'audit.gap', result: 'failure', message })
    this.gap = undefined
  }

  /**
   * Writes the checkpoint to the segment, to disk, and then to its own file. In another order the file could promise
   * records that do not exist.
   */
  private signIn(writer: SegmentWriter, first = this.first): void {
    const { key } = this
    if (!key) throw new Error('the audit log has no key')
    const checkpoint = { previous: writer.digest, first }
    const record = { seq: this.last + 1, time: new Date().toISOString(), checkpoint }
    const body = checkpointBody(key.private, record)
    writer.put({ ...record, signature: '' }, body)
    this.last = record.seq
    faultPoint('audit-signed')
    writer.sync()
    faultPoint('audit-synced')
    writeAtomic(checkpointFile(this.options.folder), `${body}\n`)
  }

  /** The current segment: a new one if this one is full and a new one can be created. */
  private roomy(full: SegmentWriter): SegmentWriter {
    const { folder, segment, size } = this.options
    if (full.size < segment) return full
    full.sync()
    const segments = listSegments(folder)
    const doomed = tooMany(segments, size - segment)
    const first = doomed.length > 0 ? (segments[doomed.length]?.first ?? this.first) : this.first
    const next = this.begun(full.seq, full.digest, first)
    this.writer = next
    this.first = first
    try {
      full.saveIndex()
    } catch {
      // Created by the first query.
    }
    full.close()
    faultPoint('audit-rotated')
    for (const old of doomed) removeSegment(old)
    return next
  }

  private opened(): SegmentWriter {
    if (this.writer) return this.writer
    if (performance.now() < this.closedFor.until) throw this.closedFor.error
    try {
      this.writer = this.open()
      return this.writer
    } catch (error) {
      this.closedFor = { until: performance.now() + PATIENCE, error }
      throw error
    }
  }

  private open(): SegmentWriter {
    const { folder, keyFile } = this.options
    ensureFolder(folder)
    const again = this.key !== undefined
    const key = signingKey(keyFile, publicKeyFile(folder))
    this.key = key
    const { found, torn } = recover(listSegments(folder))
    const own = readText(checkpointFile(folder))?.trimEnd()
    const signed = own === undefined ? undefined : readCheckpoint(key.public, own)
    const kept = signed ?? (found && readCheckpoint(key.public, headOf(found.segment) ?? ''))
    const reached = found?.seq ?? 0
    const known = Math.max(this.last, signed?.seq ?? 0)
    const wrong: Record<string, string | false> = {
      'audit.torn': torn > 0 && `${torn} bytes of an unfinished entry were cut off`,
      'audit.key': found !== undefined && key.fresh && 'the key was not there: what it signed needs its public half',
      'audit.lost':
        known > reached
          ? `entries ${reached + 1} to ${known} are missing`
          : !found && !key.fresh && !again && 'there was no log, although its key was there',
      'audit.checkpoint': own !== undefined && !signed && 'the last checkpoint was not signed with the key',
    }
    // Opening may fail later and be retried: each problem is reported once.
    for (const [action, message] of Object.entries(wrong))
      if (message && !this.notes.some((note) => note.action === action)) {
        this.notes.push({ action, message, result: 'failure' })
        this.options.found(`${action}: ${message}`)
      }
    // A number is never reused: missing records stay missing.
    this.last = Math.max(known, reached)
    this.first = kept?.checkpoint.first ?? this.first
    if (found) {
      // A kill may have come between the signature and the removal of the old segments.
      if (kept) for (const old of listSegments(folder)) if (old.first < this.first) removeSegment(old)
      return SegmentWriter.continue(found)
    }
    return this.begun(this.last)
  }

  /** Starts a new segment with its checkpoint. Leaves no files behind when it throws. */
  private begun(after: number, digest?: string, first = this.first): SegmentWriter {
    const writer = SegmentWriter.create(this.options.folder, after, digest)
    try {
      faultPoint('audit-segment')
      syncFolder(this.options.folder)
      this.signIn(writer, first)
      this.unsigned = 0
      return writer
    } catch (error) {
      this.last = after
      writer.close()
      removeSegment(writer.segment)
      throw error
    }
  }
}
