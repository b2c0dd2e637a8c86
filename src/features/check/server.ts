// Whether a server has this state folder: by its kernel lock, not by what a file says.
import { join } from 'node:path'
import { readJson } from '../../store/atomic.ts'
import { isHeld } from '../../tasks/lock.ts'
import { type Finding, note, ok } from './finding.ts'
import type { Place } from './place.ts'

export async function lookAtServer({ folders, within }: Place): Promise<Finding[]> {
  if (within) return []
  const subject = folders.state
  const held = isHeld(join(folders.state, 'locks'))
  if (held === undefined) return [note('server.unseen', subject, 'whether a server runs cannot be told')]
  if (!held) return [note('server.stopped', subject, 'no server runs on it')]
  const { pid, since } = (readJson(join(folders.state, 'server.json')) ?? {}) as { pid?: unknown; since?: unknown }
  return [
    ok(
      'server.runs',
      subject,
      typeof pid === 'number' ? `a server runs on it: process ${pid}, since ${since}` : 'a server runs on it',
    ),
  ]
}
