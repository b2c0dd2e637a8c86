// Whether a task that failed was only a refusal: the request could not be granted, its caller was told, and nothing is broken.
import { existsSync } from 'node:fs'
import type { Folders } from '../../folders.ts'
import { scriptFile, type Task } from '../../tasks/task.ts'
import { SYSTEM, viewTask } from './about.ts'

/** Another task was running, or somebody stopped this one: no action is needed. */
const PASSING: ReadonlySet<string> = new Set(['BUSY', 'CANCELLED'])
/** What scripts say of what was asked for: the storage's words, and the package's (too old, of another product, none, one at work, not ours). */
const CODES: ReadonlySet<string> = new Set([
  ...['INVALID', 'NOT_FOUND', 'CONFLICT', ...PASSING],
  ...['E1001', 'E1003', 'E1004', 'E1005'],
])

/**
 * A script that refuses its files (a certificate, a license, settings) leaves `refused` behind: for clients its code is that of any failure.
 * One that had changed something before it refused leaves `in-part`. A task that the scheduler started has no caller who was told, so its failure is not a mere refusal.
 */
export function isRefusal(folders: Folders, task: Task): boolean {
  const { id, status, error } = task
  if (status !== 'failed') return false
  if (PASSING.has(error?.code ?? '')) return true
  const left = (name: string) => existsSync(scriptFile(folders, id, name))
  if (left('in-part') || viewTask(folders, task).by === SYSTEM) return false
  return CODES.has(error?.code ?? '') || left('refused')
}
