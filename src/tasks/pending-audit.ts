// The audit entry to be written when a task ends. It lies beside the task until it is written, so that a server that was killed writes it after
// its restart. Remove it as soon as it is written: written twice, it would record two changes.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { isFinal, readTask, type Task, taskFolder } from './task.ts'

export const PendingAudit = z.object({
  event: z.string(),
  target: z.string(),
  actor: z.string(),
  account: z.string().optional(),
  address: z.string(),
  request: z.string().optional(),
  /** What it was about, where the target does not say it. */
  resource: z.string().optional(),
  /** What the chain calls it, where that is not the event. */
  action: z.string().optional(),
})
/** An entry of the audit log without its result. */
export type PendingAudit = z.infer<typeof PendingAudit>

export const pendingAuditFile = (folders: Folders, id: string) => join(taskFolder(folders, id), 'owed')

export const savePendingAudit = (folders: Folders, id: string, entry: PendingAudit): void => {
  writeAtomic(pendingAuditFile(folders, id), pendingAuditText(entry))
}
export const pendingAuditText = (entry: PendingAudit) => `${JSON.stringify(entry)}\n`
export const hasPendingAudit = (folders: Folders, id: string) => existsSync(pendingAuditFile(folders, id))
export const readPendingAudit = (folders: Folders, id: string): PendingAudit | undefined =>
  PendingAudit.safeParse(readJson(pendingAuditFile(folders, id))).data
export const removePendingAudit = (folders: Folders, id: string) =>
  rmSync(pendingAuditFile(folders, id), { force: true })

export interface AuditOptions {
  folders: Folders
  /**
   * Writes the entry of a task whose request did not wait for its end, or did not live to see it. Resolves when it is on the disk. `again`: a
   * server that was killed may have written it already.
   */
  onPendingAudit?: (entry: PendingAudit, task: Task, again: boolean) => Promise<void>
  warn: (text: string, error?: unknown) => void
}

/** Who writes the entry of a task's end: the request that waits for the task, or else this process when the task ends. */
export class PendingAudits {
  private readonly options: AuditOptions
  /** Requests wait for these tasks, and write their entries themselves. */
  private readonly awaited = new Set<string>()
  /** Started by this process: a server before it cannot have written their entries. */
  private readonly ours = new Set<string>()

  constructor(options: AuditOptions) {
    this.options = options
  }

  started(id: string): void {
    this.ours.add(id)
  }

  /** From now on a request waits for this task and writes its entry. */
  awaits(id: string): void {
    this.awaited.add(id)
  }

  /** The same; `entry` is written by this process, or the next one, if the request does not live to write it. */
  attend(id: string, entry: PendingAudit): void {
    this.awaits(id)
    try {
      savePendingAudit(this.options.folders, id, entry)
    } catch (error) {
      // The work has begun: a full disk must not make it look refused.
      this.options.warn('what the audit log is owed cannot be written down', error)
    }
  }

  /** The request has written the entry. */
  attended(id: string): void {
    this.written(id)
    this.awaited.delete(id)
  }

  /** The request stops waiting. Returns the task as it is now: if it has just ended, the request still writes its entry. */
  leave(id: string): Task | undefined {
    const task = readTask(this.options.folders, id)
    if (task && !isFinal(task)) this.awaited.delete(id)
    return task
  }

  /** Writes the entry of a task that ended, unless a request waits for the task or it is written already. */
  async enter(task: Task): Promise<void> {
    const { folders, onPendingAudit, warn } = this.options
    const entry = this.awaited.has(task.id) ? undefined : readPendingAudit(folders, task.id)
    if (!entry) return
    try {
      await onPendingAudit?.(entry, task, !this.ours.delete(task.id))
    } catch (error) {
      // The file stays: the next start writes the entry.
      return warn('the end of a task could not be entered in the audit log', error)
    }
    this.written(task.id)
  }

  private written(id: string): void {
    try {
      removePendingAudit(this.options.folders, id)
    } catch (error) {
      this.options.warn('an end that was entered may be entered again at the next start', error)
    }
  }
}
