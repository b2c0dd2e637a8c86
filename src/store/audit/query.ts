// Finds entries, newest first: the index of each segment tells where to look, and only candidates are read. Retention
// may remove the oldest segment during a search, so a missing file only means that its entries are older than the log.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { errno } from '../../errors.ts'
import { Breath } from '../breath.ts'
import { type Entry, isCheckpoint, readBody, readFrame } from './record.ts'
import { RowFiles, Rows, type Terms, type Wanted, want } from './rows.ts'
import { indexFile, listSegments, type Segment } from './segments.ts'

export interface Filter extends Terms {
  /** Only entries older than this one. */
  before?: number | undefined
  limit: number
}

export interface Look {
  /** The rows of the segment that is still being written, from its writer. */
  live?: (first: number) => Rows | undefined
  /** Whether a missing index is written for the next search. */
  keep: boolean
}

/** A record is read in one piece: hardly any is longer. */
const PIECE = 1024

export function findEntries(folder: string, filter: Filter, look: Look): Entry[] {
  const found: Entry[] = []
  for (const _ of search(folder, filter, look, found));
  return found
}

/**
 * The same, but yields to other requests: a log of a gigabyte has hundreds of segments, and a rare filter reads all of
 * them.
 */
export async function findEntriesInTurns(folder: string, filter: Filter, look: Look): Promise<Entry[]> {
  const found: Entry[] = []
  const breath = new Breath()
  for (const _ of search(folder, filter, look, found)) await breath.take()
  return found
}

/** Adds to `found`, and pauses before each segment. */
function* search(folder: string, filter: Filter, { live, keep }: Look, found: Entry[]): Generator<void> {
  const wanted = want(filter)
  const files = new RowFiles()
  const { before = Number.MAX_SAFE_INTEGER, limit } = filter
  const segments = listSegments(folder)
  for (const segment of segments.toReversed()) {
    if (found.length >= limit) break
    if (segment.first >= before) continue
    yield
    let fd: number
    try {
      fd = openSync(segment.path, 'r')
    } catch (error) {
      if (errno(error) === 'ENOENT') continue
      throw error
    }
    try {
      const { size } = fstatSync(fd)
      const full = segment !== segments.at(-1)
      const rows = live?.(segment.first) ?? (full && files.read(indexFile(segment), size)) ?? undefined
      const known = rows || makeRows(segment, keep && full)
      if (collect(fd, known, { filter, wanted, segment, found })) continue
      // The index does not belong to the segment.
      collect(fd, makeRows(segment, keep && full), { filter, wanted, segment, found })
    } finally {
      closeSync(fd)
    }
  }
}

interface Search {
  filter: Filter
  wanted: Wanted
  segment: Segment
  found: Entry[]
}

/** Adds the matching entries; false, with nothing added, if the rows do not lead to entries. */
function collect(fd: number, rows: Rows, { filter, wanted, segment, found }: Search): boolean {
  const { before = Number.MAX_SAFE_INTEGER, limit } = filter
  const had = found.length
  let row = Math.min(rows.count, before - segment.first)
  while (found.length < limit) {
    row = rows.before(row, wanted)
    if (row < 0) return true
    const entry = readAt(fd, rows.offset(row))
    if (!entry) {
      found.length = had
      return false
    }
    if (matches(entry, filter)) found.push(entry)
  }
  return true
}

function readAt(fd: number, offset: number): Entry | undefined {
  for (let size = PIECE; size <= PIECE * 32; size *= 32) {
    const bytes = Buffer.allocUnsafe(size)
    const frame = readFrame(bytes.subarray(0, readSync(fd, bytes, 0, size, offset)), 0)
    if (!frame) continue
    const record = readBody(frame.body)
    return record && !isCheckpoint(record) ? record : undefined
  }
  return undefined
}

function makeRows(segment: Segment, keep: boolean): Rows {
  const bytes = readFileSync(segment.path)
  const rows = Rows.of(bytes)
  try {
    if (keep) rows.save(indexFile(segment), bytes.length)
  } catch {
    // Without the index the next search is only slower.
  }
  return rows
}

function matches(entry: Entry, { actor, action, resource, result, since, until, before }: Filter): boolean {
  const time = since === undefined && until === undefined ? 0 : Date.parse(entry.time)
  return (
    (actor === undefined || entry.actor === actor || entry.name === actor) &&
    (action === undefined || entry.action === action) &&
    (resource === undefined || isAtOrBelow(entry.resource, resource)) &&
    (result === undefined || entry.result === result) &&
    (since === undefined || time >= since) &&
    (until === undefined || time < until) &&
    (before === undefined || entry.seq < before)
  )
}

/** `pools/tank` also matches what is below it: `pools/tank/…`, and `…/tank@snapshot`. */
const isAtOrBelow = (resource: string, wanted: string) =>
  resource.startsWith(wanted) && (resource.length === wanted.length || /[/@]/.test(resource.charAt(wanted.length)))
