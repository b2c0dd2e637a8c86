// Writes the audit log: a chain of records in segments, signed from time to time. The trap: nothing here ever throws at whoever enters
// something. What cannot be written is counted, and the gap is entered as soon as there is room again.
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
  /** The private key: outside of the folder, which may be copied away as a whole. */
  keyFile: string
  /** Bytes that the segments may take; then the oldest go. */
  size: number
  /** Bytes of a segment. */
  segment?: number
  /** A checkpoint is made after so many entries, and so many milliseconds after the first one that is not signed. */
  every?: number
  signAfter?: number
  /** Hears why something could not be written: once for each gap. */
  failed: (error: unknown) => void
  /** Hears what the log found wrong with itself when it was opened. */
  found?: (text: string) => void
}

export type NewEntry = Omit<Entry, 'seq' | 'time'>
type Note = Pick<Entry, 'action' | 'message' | 'result'>

/** An entry is not in the log at all: what else would make it must be kept. Has the code of the disk's error. */
export class EntryDropped extends Error {
  readonly code: string | undefined

  constructor(cause: unknown) {
    super('the entry could not be written to the audit log', { cause })
    this.code = errno(cause)
  }
}

/** Milliseconds between two tries to open a log that cannot be opened. */
const PATIENCE = 1000

export class AuditChain {
  private readonly options: Required<ChainOptions>
  /** Of a segment that was given up: what was still to come to the disk. */
  private leaving: Promise<void> = Promise.resolve()
  private key: SigningKey | undefined
  private writer: SegmentWriter | undefined
  /** The oldest record that is kept. */
  private first = 1
  /** The last record that was written or signed: should the log be shorter one day, it was cut. */
  private last = 0
  private unsigned = 0
  private timer: NodeJS.Timeout | undefined
  private gap: { count: number; since: string } | undefined
  /** What we found or did ourselves and is still to be entered. */
  private notes: Note[] = []
  /** Why the newest entry was dropped; undefined when it is in the log. */
  private dropped: EntryDropped | undefined
  private closedFor = { until: 0, error: undefined as unknown }

  constructor(options: ChainOptions) {
    this.options = { segment: 2 << 20, every: 5000, signAfter: 60_000, found: () => {}, ...options }
  }

  /** Opens the log and enters what is wrong with it. Only for whoever has the port: a log has one writer. */
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
   * Resolves when every entry that was appended until now is on the disk. Rejects when the disk refused: those entries may be gone after a
   * power cut, and the log says so itself. Rejects with `EntryDropped` when the newest entry was not even written: so it is called right
   * after `append`, before anybody else enters something.
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

  /** Newest first; for a server, which has others to answer meanwhile. */
  findInTurns(filter: Filter): Promise<Entry[]> {
    const live = (first: number) => (this.writer?.segment.first === first ? this.writer.rows : undefined)
    return findEntriesInTurns(this.options.folder, filter, { live, keep: true })
  }

  /** Signs what is not signed yet. What fails is tried again after the next entry. */
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
        // Not with each entry that comes now: in a while, or after as many more.
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
      // What could not be cut back either is found again as torn.
      if (!this.writer?.isWhole()) this.drop()
      failed(error)
    }
  }

  private drop(): void {
    const { writer } = this
    if (!writer) return
    // What is still waited for keeps the file open, and its failure is for those who wait.
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

  /** A checkpoint in the segment, on the disk, and in its own file: in this order, or the file would tell of more than there is. */
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

  /** The segment to write to: a new one when this one is full and a new one can be made. */
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
      // The first query makes it.
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
    // Opening may fail further down and be tried again: each is told once.
    for (const [action, message] of Object.entries(wrong))
      if (message && !this.notes.some((note) => note.action === action)) {
        this.notes.push({ action, message, result: 'failure' })
        this.options.found(`${action}: ${message}`)
      }
    // A number is never given out twice: what is missing stays missing.
    this.last = Math.max(known, reached)
    this.first = kept?.checkpoint.first ?? this.first
    if (found) {
      // A kill may have come between the signature and the removal of what it left out.
      if (kept) for (const old of listSegments(folder)) if (old.first < this.first) removeSegment(old)
      return SegmentWriter.continue(found)
    }
    return this.begun(this.last)
  }

  /** A new segment, with the checkpoint that each begins with. Leaves nothing behind when it throws. */
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
