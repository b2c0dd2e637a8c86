// Finds the last record of the audit log at the start, after cutting off a torn one. Only bytes at the very end that
// cannot be a record are cut; damage in the middle is left for `edge-admin audit verify` to report.
import { readFileSync, truncateSync } from 'node:fs'
import { readFrom } from '../append-log.ts'
import { readBody, readFrame } from './record.ts'
import { removeSegment, type Segment } from './segments.ts'

export interface Found {
  segment: Segment
  /** The size of the segment without what was cut off. */
  size: number
  seq: number
  digest: string
}

/** The last record of the newest segment that has one, and how many bytes after it were cut off. */
export function recover(segments: Segment[]): { found: Found | undefined; torn: number } {
  let torn = 0
  for (const segment of segments.toReversed()) {
    const bytes = readFileSync(segment.path)
    const found = lastRecord(segment, bytes)
    torn += bytes.length - (found?.size ?? 0)
    if (found) {
      if (found.size < bytes.length) truncateSync(segment.path, found.size)
      return { found, torn }
    }
    // It was started, but no record of it reached the disk.
    removeSegment(segment)
  }
  return { found: undefined, torn }
}

function lastRecord(segment: Segment, bytes: Buffer): Found | undefined {
  const starts: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const frame = readFrame(bytes, at)
    if (frame) starts.push(at)
    const line = bytes.indexOf(10, at)
    at = frame?.end ?? (line < 0 ? bytes.length : line + 1)
  }
  for (const start of starts.toReversed()) {
    const { body, digest, end } = readFrame(bytes, start)!
    const record = readBody(body)
    if (record) return { segment, size: end, seq: record.seq, digest }
  }
  return undefined
}

/** The body of a segment's first record. */
export function headOf({ path }: Segment): string | undefined {
  const head = readFrom(path, 0, 1024)
  return head && readFrame(head.bytes, 0)?.body
}
