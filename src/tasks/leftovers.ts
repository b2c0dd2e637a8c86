// What a task leaves in its folder that nobody needs once it ended: its inputs (a private key, a CHAP password) and what was staged. And
// folders of tasks that never began, because the server was killed while it made them.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { isHeld } from '../store/lock.ts'
import { hasPendingAudit } from './pending-audit.ts'
import { isStamped, lockFile, scriptFile, type Task, taskFolder } from './task.ts'

/** `swap/old` stays: when a swap could not be put back, the only copy of the old files is in there. */
const UNNEEDED = ['input', 'try', 'swap/new']

export function dropUnneeded(folders: Folders, id: string): void {
  for (const name of UNNEEDED) rmSync(join(taskFolder(folders, id), name), { recursive: true, force: true })
}

/** Whether its folder may go for its age. Its old files may be nowhere else, and its entry may still be owed to the audit log. */
export const isSpent = (folders: Folders, id: string): boolean =>
  !existsSync(scriptFile(folders, id, 'swap/plan.json')) &&
  !existsSync(join(taskFolder(folders, id), 'swap/plan.json')) &&
  !hasPendingAudit(folders, id)

/** Whether a script left anything of its own: then there may be something to put back. */
export const hasBegun = (folders: Folders, id: string): boolean =>
  ['writers', 'pid', 'swap/plan.json'].some((name) => existsSync(scriptFile(folders, id, name)))

/**
 * For a folder without a status that can be read. One whose script never began goes, with all that is in it; one whose script did begin
 * gets a status, so that its `recover` ends it. Nothing is done to one whose lock is held. Returns whether the folder is gone.
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
  // Without a request nobody can put its swap back, and the old files may be nowhere else.
  if (existsSync(scriptFile(folders, id, 'swap/plan.json'))) {
    dropUnneeded(folders, id)
    return false
  }
  rmSync(taskFolder(folders, id), { recursive: true, force: true })
  return true
}
