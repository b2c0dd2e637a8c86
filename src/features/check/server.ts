// Whether a server uses this state folder: by its kernel lock, not by the content of a file.
import { join } from 'node:path'
import { isHeld } from '../../store/lock.ts'
import { readRecord, type ServerRecord } from '../../tasks/server-lock.ts'
import { type Finding, note, ok } from './finding.ts'
import type { Place } from './place.ts'

/** The record of the server that uses this folder; undefined if none is running or that cannot be determined. */
export function runningServer({ folders }: Pick<Place, 'folders'>): ServerRecord | undefined {
  return isHeld(join(folders.state, 'locks')) ? readRecord(folders) : undefined
}

export async function lookAtServer({ folders, within }: Place): Promise<Finding[]> {
  if (within) return []
  const subject = folders.state
  const held = isHeld(join(folders.state, 'locks'))
  if (held === undefined) return [note('server.unseen', subject, 'whether a server runs cannot be told')]
  if (!held) return [note('server.stopped', subject, 'no server runs on it')]
  const record = readRecord(folders)
  return [
    ok(
      'server.runs',
      subject,
      record ? `a server runs on it: process ${record.pid}, since ${record.since}` : 'a server runs on it',
    ),
  ]
}
