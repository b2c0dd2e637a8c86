// A task as its files tell it: `<state>/tasks/<id>/{request,status}.json` and `log`. Nothing else about a task is kept.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { errno } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { readJson } from '../store/atomic.ts'

/** What scripts, hooks and readers of task files may rely on (docs/vendors.md): a new number where something that was promised changes. */
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

/** Of an id that this server made: a time and a few letters. Another folder there is somebody's (`backup-2025`), until a status makes it a task. */
export const isStamped = (id: string) => /^\d{8}T\d{9}Z-[0-9a-z]+$/.test(id)

/** What a task's script wrote: under sudo it has a folder of its own, which this process can only read. */
export function scriptFile(folders: Folders, id: string, name: string): string {
  const work = join(folders.state, 'work', id)
  return join(existsSync(work) ? work : taskFolder(folders, id), name)
}
export const locksFolder = (folders: Folders) => join(folders.state, 'locks')
export const lockFile = (folders: Folders, lock: string) => join(locksFolder(folders), `${lock}.lock`)

/** The task as it last said itself; undefined when there is none of that id. */
export function readTask(folders: Folders, id: string): Task | undefined {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) return undefined
  const own = Task.safeParse(readJson(join(taskFolder(folders, id), 'status.json'))).data
  // Ours is final when the script could not even be started; else the script knows better.
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
