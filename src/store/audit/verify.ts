// Verifies a log without the machine that wrote it: segments and a public key are enough. `entry` is the first number
// where something else was found than what was written; nothing after it is judged, since a broken link invalidates all
// that follows.
import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { readCheckpoint } from './key.ts'
import { type Checkpoint, digestOf, type Frame, isCheckpoint, ORIGIN, readBody, readFrame } from './record.ts'
import { isSegmentName } from './segments.ts'

export interface Report {
  /** Valid records, including checkpoints. */
  checked: number
  first: number
  last: number
  /** The last record that a signature covers. */
  signed: number
  /** The first problem. */
  bad?: Bad
}

export interface Bad {
  entry: number
  problem: string
  /** The file with the problem. */
  file?: string
}

/** Ends the reading. */
class Broken extends Error {
  readonly bad: Bad
  constructor(bad: Bad) {
    super(bad.problem)
    this.bad = bad
  }
}

/** Our segments are never larger than a few mebibytes. */
const LONGEST_FILE = 256 << 20

interface Expected {
  key: KeyObject
  /** Bodies of checkpoints that were saved elsewhere: signed, and newer or older than the log. */
  checkpoints?: string[]
  /** Only a part of the log is given: a missing beginning is no problem. */
  part?: boolean
}

/** Reads the segments in order. Throws only the system's errors. */
export function verifySegments(files: string[], { key, checkpoints = [], part = false }: Expected): Report {
  const report: Report = { checked: 0, first: 0, last: 0, signed: 0 }
  try {
    const kept = checkpoints.map((body) => keptCheckpoint(key, body))
    const chain = new Chain(key, report, new Map(kept.map(({ record, body }) => [record.seq, body])))
    for (const file of files) chain.read(file)
    const newest = [chain.signature, ...kept.map(({ record }) => record)]
      .filter((record) => record !== undefined)
      .sort((a, b) => b.seq - a.seq)[0]
    if (newest) checkEnds(report, newest, part)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    report.bad = error.bad
  }
  return report
}

function keptCheckpoint(key: KeyObject, body: string): { record: Checkpoint; body: string } {
  const record = readCheckpoint(key, body)
  if (record) return { record, body }
  const claimed = readBody(body)
  throw new Broken({ entry: claimed?.seq ?? 0, problem: 'the checkpoint that was kept is not signed with this key' })
}

/** What was signed has to exist: the saved beginning, and the end. */
function checkEnds({ checked, first, last }: Report, { seq, checkpoint }: Checkpoint, part: boolean): void {
  const next = checked === 0 ? checkpoint.first : last + 1
  if (next <= seq)
    throw new Broken({ entry: next, problem: `missing: a checkpoint says that there were entries up to ${seq}` })
  if (first > checkpoint.first && !part)
    throw new Broken({ entry: checkpoint.first, problem: 'missing: the beginning of the log was removed' })
}

class Chain {
  signature: Checkpoint | undefined
  private readonly key: KeyObject
  private readonly report: Report
  private readonly kept: Map<number, string>
  private digest = ORIGIN

  constructor(key: KeyObject, report: Report, kept: Map<number, string>) {
    this.key = key
    this.report = report
    this.kept = kept
  }

  read(file: string): void {
    const { report } = this
    const name = basename(file)
    // The first segment's name gives the log's first record, and a signature has to confirm it.
    if (report.checked === 0 && isSegmentName(name)) report.last = Number.parseInt(name, 10) - 1
    const { size } = statSync(file)
    if (size > LONGEST_FILE)
      throw new Broken({ entry: report.last + 1, problem: 'too large for a segment', file: name })
    const bytes = readFileSync(file)
    let beginning = true
    for (let at = 0; at < bytes.length; beginning = false) {
      const frame = readFrame(bytes, at)
      const problem = frame ? this.judge(frame, beginning) : this.unframed(bytes, at)
      if (problem) throw new Broken({ ...problem, file: name })
      at = frame?.end ?? bytes.length
    }
    if (beginning) throw new Broken({ entry: report.last + 1, problem: 'missing: the segment is empty', file: name })
  }

  private unframed(bytes: Buffer, at: number): Bad {
    const cut = bytes.indexOf(10, at) < 0
    return { entry: this.report.last + 1, problem: cut ? 'cut off in the middle' : 'damaged' }
  }

  /** The problem of the next record; undefined if it is the expected one. */
  private judge({ length, digest, body }: Frame, beginning: boolean): Bad | undefined {
    const { report } = this
    const record = readBody(body)
    const checkpoint = record && isCheckpoint(record) ? record : undefined
    // Older segments may have been removed: then the chain starts from a signature.
    const previous = report.checked === 0 && checkpoint ? checkpoint.checkpoint.previous : this.digest
    const expected = report.last + 1
    const intact = digest === digestOf(previous, length, body)
    if (record && record.seq !== expected) return { entry: expected, problem: displaced(record.seq, expected) }
    if (!record || !intact) return { entry: expected, problem: 'changed: its digest is another' }
    if (beginning && !checkpoint) return { entry: expected, problem: 'changed: a segment begins with a checkpoint' }
    if (checkpoint) {
      const problem = this.judgeCheckpoint(checkpoint, body, previous)
      if (problem) return problem
      this.signature = checkpoint
      report.signed = checkpoint.seq
    }
    const kept = this.kept.get(expected)
    if (kept !== undefined && kept !== body)
      return { entry: expected, problem: 'changed: the checkpoint that was kept says something else' }
    if (report.checked === 0) report.first = expected
    report.checked += 1
    report.last = expected
    this.digest = digest
    return undefined
  }

  private judgeCheckpoint({ seq, checkpoint }: Checkpoint, body: string, previous: string): Bad | undefined {
    if (!readCheckpoint(this.key, body)) return { entry: seq, problem: 'the checkpoint is not signed with this key' }
    if (checkpoint.previous === previous) return undefined
    // Somebody has recomputed the digests, but could not sign them.
    const from = (this.signature?.seq ?? this.report.first - 1) + 1
    return { entry: from, problem: `changed: entries ${from} to ${seq - 1} are not those that were signed` }
  }
}

function displaced(seq: number, expected: number): string {
  return seq > expected
    ? `missing: entry ${seq} stands in its place`
    : `missing: entry ${seq}, which was there before, stands in its place`
}
