// Whether a task that failed was a mere refusal: somebody asked for what cannot be, heard so, and nothing is broken.
import { existsSync } from 'node:fs'
import type { Folders } from '../../folders.ts'
import { scriptFile, type Task } from '../../tasks/task.ts'

/** What scripts say of what was asked for: the storage's words, and the package's (too old, of another product, none, one at work, not ours). */
const CODES: ReadonlySet<string> = new Set([
  ...['INVALID', 'NOT_FOUND', 'CONFLICT', 'BUSY', 'CANCELLED'],
  ...['E1001', 'E1003', 'E1004', 'E1005'],
])

/** A script that refuses its files (a certificate, a licence, settings) leaves `refused` behind: for clients its code is that of any failure. */
export const isRefusal = (folders: Folders, { id, status, error }: Pick<Task, 'id' | 'status' | 'error'>): boolean =>
  status === 'failed' && (CODES.has(error?.code ?? '') || existsSync(scriptFile(folders, id, 'refused')))
