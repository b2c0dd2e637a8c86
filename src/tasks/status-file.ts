// The status files that clients read (etc/status_update.json …) are the scripts' own. These functions say when such a file does not speak of
// the newest task: one that has not written it yet, and one that failed before it could.
import { statSync } from 'node:fs'
import { errno } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { readJson } from '../store/atomic.ts'
import type { Claims } from './claims.ts'
import { listTasks, requestFile } from './read.ts'
import { readTask, type Task } from './task.ts'

export class StatusFiles {
  private readonly folders: Folders
  private readonly claims: Claims
  /** By kind, its newest task; '' once that is known to have written its end. */
  private readonly newest = new Map<string, string>()

  constructor(folders: Folders, claims: Claims) {
    this.folders = folders
    this.claims = claims
  }

  started(kind: string, id: string): void {
    this.newest.set(kind, id)
  }

  /**
   * True while a task that this process started under `lock` (with `arg` as its first argument) has not yet rewritten its status file. Costs
   * nothing while no task holds the lock.
   */
  isStale(lock: string, file: string, arg?: string): boolean {
    const id = this.claims.idOf(lock)
    if (id === undefined) return false
    const request = requestFile(this.folders, id)
    const started = statSync(request, { throwIfNoEntry: false })?.mtimeMs
    const written = writtenAt(file)
    if (started === undefined || (written !== undefined && written >= started)) return false
    return arg === undefined || (readJson(request) as { args?: string[] }).args?.[0] === arg
  }

  /**
   * The newest task of a kind when it failed before it could write its status file: its script did not even start (no sudo, no interpreter), so
   * the file still describes an earlier task. Not one that was refused because another was running. Costs nothing after a task that went well.
   */
  unreportedFailure(kind: string, file: string): Task | undefined {
    const known = this.newest.get(kind)
    const task =
      known === undefined ? listTasks(this.folders, { kind, limit: 1 })[0] : known && readTask(this.folders, known)
    const isOver = !task || task.status === 'completed' || task.status === 'cancelled'
    this.newest.set(kind, isOver ? '' : task.id)
    if (isOver || (task.status !== 'failed' && task.status !== 'interrupted')) return undefined
    if (task.error?.code === 'BUSY') return undefined
    const started = statSync(requestFile(this.folders, task.id), { throwIfNoEntry: false })
    return (writtenAt(file) ?? 0) < (started?.mtimeMs ?? 0) ? task : undefined
  }
}

/** When a file was last written, in milliseconds since 1970; undefined where there is none, or a link that leads nowhere. */
function writtenAt(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.mtimeMs
  } catch (error) {
    if (errno(error) === 'ELOOP') return undefined
    throw error
  }
}
