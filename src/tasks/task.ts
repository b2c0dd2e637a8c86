// A task as its files describe it: `<state>/tasks/<id>/{request,status}.json` and `log`. Nothing else about a task is
// stored.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { errno } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { readJson } from '../store/atomic.ts'

/**
 * The contract version for scripts, hooks and readers of task files (docs/vendors.md): raised when something that was
 * promised changes.
 */
export const CONTRACT = 1

export const FINAL_STATES = ['completed', 'failed', 'cancelled', 'interrupted'] as const
export const TaskState = z.enum(['pending', 'running', ...FINAL_STATES])

export const Task = z.object({
  id: z.string(),
  kind: z.string(),
  status: TaskState,
  progress: z.int().min(0).max(100).describe('percent'),
  message: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  pid: z.int().optional(),
  created_at: z.string(),
  started_at: z.string().optional(),
  completed_at: z.string().optional(),
})
export type Task = z.infer<typeof Task>

export const isFinal = (task: Task) => (FINAL_STATES as readonly string[]).includes(task.status)

export const tasksFolder = (folders: Folders) => join(folders.state, 'tasks')
export const taskFolder = (folders: Folders, id: string) => join(tasksFolder(folders), id)

/**
 * Whether this server made the id: a time and a few letters. A folder of another name (`backup-2025`) is not a task,
 * unless it has a status.
 */
export const isStamped = (id: string) => /^\d{8}T\d{9}Z-[0-9a-z]+$/.test(id)

/**
 * The files that a task's script writes: under sudo they are in a separate folder, which this process can only read.
 */
export function scriptFile(folders: Folders, id: string, name: string): string {
  const work = join(folders.state, 'work', id)
  return join(existsSync(work) ? work : taskFolder(folders, id), name)
}
export const locksFolder = (folders: Folders) => join(folders.state, 'locks')
export const lockFile = (folders: Folders, lock: string) => join(locksFolder(folders), `${lock}.lock`)

/** The task by its latest status; undefined if there is no such id. */
export function readTask(folders: Folders, id: string): Task | undefined {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) return undefined
  const own = Task.safeParse(readJson(join(taskFolder(folders, id), 'status.json'))).data
  // The server's status is final if the script could not even be started; otherwise the script's is newer.
  if (!own || isFinal(own)) return own
  return Task.safeParse(readJson(scriptFile(folders, id, 'status.json'))).data ?? own
}

/** The ids of all tasks, newest first: an id begins with its time. */
export function taskIds(folders: Folders): string[] {
  try {
    return readdirSync(tasksFolder(folders))
      .filter((id) => /^[A-Za-z0-9-]{1,64}$/.test(id))
      .sort()
      .reverse()
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw error
  }
}
