// What a task acts on, and who asked for it, read from its request. A request may hold arguments that must not be shown, so the object is
// taken only from the kinds of task that are listed here.
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../../folders.ts'
import { readJson } from '../../store/atomic.ts'
import { type Task, taskFolder } from '../../tasks/task.ts'
import { type JobView, viewJob } from './view.ts'

const Request = z.object({ args: z.array(z.string()).default([]), by: z.object({ name: z.string() }) })

/** The pool is in the name of its lock. */
const pool = ([lock = '']: string[]) => lock.replace(/^pool-/, '')

/** The lock is one of a device. */
const poolOfDevices = ([, name]: string[]) => name

const OBJECTS: Record<string, (args: string[]) => string | undefined> = {
  'pool-create': pool,
  'pool-destroy': pool,
  'pool-export': pool,
  'pool-import': pool,
  'pool-scrub': pool,
  'disk-wipe': ([, disk]) => disk,
  'pool-replace': poolOfDevices,
  'pool-attach': poolOfDevices,
  'pool-detach': poolOfDevices,
  'pool-online': poolOfDevices,
  'pool-offline': poolOfDevices,
  'pool-add': poolOfDevices,
  'pool-remove': poolOfDevices,
  'pool-clear': poolOfDevices,
  'pool-trim': poolOfDevices,
  'pool-upgrade': poolOfDevices,
  'pool-set': poolOfDevices,
  'dataset-destroy': ([dataset]) => dataset,
  'dataset-permissions': ([dataset]) => dataset,
  'snapshot-create': ([dataset, label]) => `${dataset}@${label}`,
  'snapshot-rollback': ([, snapshot]) => snapshot,
  'snapshot-prune': ([dataset]) => dataset,
}

/** Asks for what a clock began. */
export const SYSTEM = 'system'

export interface TaskView extends JobView {
  /** `tank/data` */
  object?: string
  /** The account's name; `system` for what a clock began. */
  by?: string
}

/** A job with what the console says of it besides. */
export function viewTask(folders: Folders, task: Task): TaskView {
  const { data } = Request.safeParse(readJson(join(taskFolder(folders, task.id), 'request.json')))
  const object = data && OBJECTS[task.kind]?.(data.args)
  return { ...viewJob(task), ...(object && { object }), ...(data && { by: data.by.name }) }
}
