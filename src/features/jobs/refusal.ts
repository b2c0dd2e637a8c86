// Whether a task that failed was a mere refusal: somebody asked for what cannot be, heard so, and nothing is broken.
import { existsSync } from 'node:fs'
import type { Folders } from '../../folders.ts'
import { scriptFile, type Task } from '../../tasks/task.ts'
import { SYSTEM, viewTask } from './about.ts'

/** Another one is at work, or somebody stopped it: nobody has to act, whoever asked. */
const PASSING: ReadonlySet<string> = new Set(['BUSY', 'CANCELLED'])
/** What scripts say of what was asked for: the storage's words, and the package's (too old, of another product, none, one at work, not ours). */
const CODES: ReadonlySet<string> = new Set([
  ...['INVALID', 'NOT_FOUND', 'CONFLICT', ...PASSING],
  ...['E1001', 'E1003', 'E1004', 'E1005'],
])

/**
 * A script that refuses its files (a certificate, a license, settings) leaves `refused` behind: for clients its code is that of any failure.
 * One that had changed something before it refused leaves `in-part`. What a clock began was asked by nobody who could hear the refusal.
 */
export function isRefusal(folders: Folders, task: Task): boolean {
  const { id, status, error } = task
  if (status !== 'failed') return false
  if (PASSING.has(error?.code ?? '')) return true
  const left = (name: string) => existsSync(scriptFile(folders, id, name))
  if (left('in-part') || viewTask(folders, task).by === SYSTEM) return false
  return CODES.has(error?.code ?? '') || left('refused')
}
