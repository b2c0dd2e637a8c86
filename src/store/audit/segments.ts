// The files of the audit log: `<state>/audit/NNNNNNNNNNNN.log`, named by the number of their first record, with the
// index beside them, the last signed checkpoint and the public key. Files with other names are ignored.
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errno } from '../../errors.ts'

export interface Segment {
  first: number
  path: string
}

export const publicKeyFile = (folder: string) => join(folder, 'audit.pub')
export const checkpointFile = (folder: string) => join(folder, 'checkpoint')
export const indexFile = ({ path }: Segment) => path.replace(/\.log$/, '.index')
export const segmentAt = (folder: string, first: number): Segment => ({
  first,
  path: join(folder, `${String(first).padStart(12, '0')}.log`),
})

export const isSegmentName = (name: string) => /^[0-9]{12}\.log$/.test(name)

/** Oldest first; empty if there is no such folder. */
export function listSegments(folder: string): Segment[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw error
  }
  return names
    .filter(isSegmentName)
    .sort()
    .map((name) => segmentAt(folder, Number.parseInt(name, 10)))
}

/** The oldest segments that have to be removed so that the rest takes at most `most` bytes; the newest always stays. */
export function tooMany(segments: Segment[], most: number): Segment[] {
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const sizes = segments.map((segment) => sizeOf(segment.path) + sizeOf(indexFile(segment)))
  let total = sizes.reduce((sum, size) => sum + size, 0)
  let gone = 0
  while (total > most && gone < segments.length - 1) total -= sizes[gone++] as number
  return segments.slice(0, gone)
}

export function removeSegment(segment: Segment): void {
  rmSync(segment.path, { force: true })
  rmSync(indexFile(segment), { force: true })
}
