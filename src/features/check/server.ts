// Whether a server has this state folder: by its kernel lock, not by what a file says.
import { join } from 'node:path'
import { isHeld } from '../../store/lock.ts'
import { readRecord, type ServerRecord } from '../../tasks/server-lock.ts'
import { type Finding, note, ok } from './finding.ts'
import type { Place } from './place.ts'

/** What the server that has this folder wrote of itself; undefined where none runs, or that cannot be told. */
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
