// Reads tasks from their folders: lists, and how each was started. Nothing is kept in memory, so these functions see what any program wrote.
import { join } from 'node:path'
import type { Folders } from '../folders.ts'
import { readJson } from '../store/atomic.ts'
import { Breath } from '../store/breath.ts'
import { readTask, type Task, taskFolder, taskIds } from './task.ts'

/** Which tasks are listed: of one kind or of all, and at most so many. */
export interface Listed {
  kind?: string
  limit?: number
}

/** Newest first. */
export function listTasks(folders: Folders, { kind, limit = 50 }: Listed = {}): Task[] {
  const found: Task[] = []
  for (const id of taskIds(folders)) {
    const task = readTask(folders, id)
    if (task && (!kind || task.kind === kind)) found.push(task)
    if (found.length >= limit) break
  }
  return found
}

/** The same for every kind. Each task is a file to read, so other requests are served in between. */
export async function listTasksInTurns(folders: Folders, limit: number): Promise<Task[]> {
  const found: Task[] = []
  const breath = new Breath()
  for (const id of taskIds(folders)) {
    const task = readTask(folders, id)
    if (task) found.push(task)
    if (found.length >= limit) break
    await breath.take()
  }
  return found
}

/** What a task's folder keeps of how the task was started. */
export interface TaskRequest {
  lock: string
  args: string[]
  /** It may take days, and is not cancelled for its time. */
  endless: boolean
  /** The original's wrapper does it. */
  wrapped: boolean
}

export const requestFile = (folders: Folders, id: string) => join(taskFolder(folders, id), 'request.json')

export function readRequest(folders: Folders, task: Task): TaskRequest {
  const value = readJson(requestFile(folders, task.id)) as
    | { lock?: unknown; args?: unknown; endless?: unknown; wrapped?: unknown }
    | undefined
  const args = Array.isArray(value?.args) ? value.args.filter((part) => typeof part === 'string') : []
  const lock = typeof value?.lock === 'string' ? value.lock : task.kind
  // The program that did the work has to undo it, even if the configuration names another by now.
  return { lock, args, endless: value?.endless === true, wrapped: value?.wrapped === true }
}
