// Removes what nobody needs in a task's folder after its end: its inputs (a private key, a CHAP password) and staged
// files; and folders of tasks that never began, because the server was killed while it made them.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { isHeld } from '../store/lock.ts'
import { hasPendingAudit } from './pending-audit.ts'
import { isStamped, lockFile, scriptFile, type Task, taskFolder } from './task.ts'

/** `swap/old` is kept: if a swap could not be undone, it has the only copy of the old files. */
const UNNEEDED = ['input', 'try', 'swap/new']

export function dropUnneeded(folders: Folders, id: string): void {
  for (const name of UNNEEDED) rmSync(join(taskFolder(folders, id), name), { recursive: true, force: true })
}

/**
 * Whether its folder is old enough to be removed. It may still hold the only copy of old files, or an audit entry that
 * was not written yet.
 */
export const isSpent = (folders: Folders, id: string): boolean =>
  !existsSync(scriptFile(folders, id, 'swap/plan.json')) &&
  !existsSync(join(taskFolder(folders, id), 'swap/plan.json')) &&
  !hasPendingAudit(folders, id)

/** Whether the script left any files: then there may be something to undo. */
export const hasBegun = (folders: Folders, id: string): boolean =>
  ['writers', 'pid', 'swap/plan.json'].some((name) => existsSync(scriptFile(folders, id, name)))

/**
 * For a folder without a readable status. If its script never began, the folder is removed; if it did begin, it gets a
 * status, so that its `recover` ends it. Nothing is done while its lock is held. Returns whether the folder is gone.
 */
export function settleNameless(folders: Folders, id: string): boolean {
  if (!isStamped(id)) return false
  const { kind, lock } = (readJson(join(taskFolder(folders, id), 'request.json')) ?? {}) as Record<string, unknown>
  if (typeof lock === 'string' && isHeld(lockFile(folders, lock)) !== false) return false
  if (hasBegun(folders, id) && typeof kind === 'string') {
    const status: Task = { id, kind, status: 'running', progress: 0, message: '', created_at: new Date().toISOString() }
    writeAtomic(join(taskFolder(folders, id), 'status.json'), `${JSON.stringify(status)}\n`)
    return false
  }
  // Without a request its swap cannot be undone, and the folder may have the only copy of the old files.
  if (existsSync(scriptFile(folders, id, 'swap/plan.json'))) {
    dropUnneeded(folders, id)
    return false
  }
  rmSync(taskFolder(folders, id), { recursive: true, force: true })
  return true
}
