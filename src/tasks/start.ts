// Makes the folder of a new task: what was asked, who asked, the first status, the script's inputs.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Folders } from '../folders.ts'
import { syncPaths, writeUnsynced } from '../store/atomic.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { ensureFolder } from '../store/ensure-folder.ts'
import { moveFile } from '../store/move-file.ts'
import { type PendingAudit, pendingAuditFile, pendingAuditText } from './pending-audit.ts'
import { requestFile, type TaskRequest } from './read.ts'
import { type Task, taskFolder, taskIds, tasksFolder } from './task.ts'

/** Text to write, or the path of a received file to move into place. */
export type Input = { text: string } | { file: string }

const STAMPED = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z-/

/** Begins with the time and sorts behind all that are there, also when the clock was set back: the newest task is found by its id. */
export function newTaskId(folders: Folders, starting: Iterable<string>): string {
  const stamp = (time: number) => new Date(time).toISOString().replace(/[-:.]/g, '')
  const there = taskIds(folders).find((id) => STAMPED.test(id))
  // Those that are being started have no folder yet.
  const newest = [...starting, ...(there === undefined ? [] : [there])].sort().at(-1)
  const [, date, hour, minute, second, rest] = newest?.match(STAMPED) ?? []
  const last = Date.parse(`${date?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${hour}:${minute}:${second}.${rest}Z`)
  const time = last >= Date.now() ? last + 1 : Date.now()
  return `${stamp(time)}-${randomBytes(4).toString('hex')}`
}

export interface NewTask {
  request: Partial<TaskRequest> & { lock: string; args: string[] }
  by: { name: string; address: string }
  /** To be written when the task ends. */
  entry: PendingAudit | undefined
  inputs: Record<string, Input>
}

/**
 * Resolves when all of it is on the disk. It is written in one synchronous step, and made durable together: a slow disk holds up this task and no
 * other request. The status comes before the inputs: a kill in between leaves a task that died, not a private key in a folder that nobody
 * looks at.
 */
export async function makeTask(folders: Folders, task: Task, { request, by, entry, inputs }: NewTask): Promise<void> {
  const folder = taskFolder(folders, task.id)
  const input = join(folder, 'input')
  ensureFolder(input)
  checkpoint('task-folder')
  const { id, kind, created_at } = task
  const { lock, args, endless, wrapped } = request
  const asked = { id, kind, lock, args, by, created_at, endless, wrapped: wrapped || undefined }
  const written: string[] = []
  const write = (file: string, text: string, mode?: number) => {
    writeUnsynced(file, text, mode)
    written.push(file)
  }
  write(requestFile(folders, id), `${JSON.stringify(asked)}\n`)
  if (entry) write(pendingAuditFile(folders, id), pendingAuditText(entry))
  write(join(folder, 'status.json'), `${JSON.stringify(task)}\n`)
  checkpoint('task-made')
  for (const [name, given] of Object.entries(inputs)) {
    const target = join(input, name)
    if ('text' in given) write(target, given.text, 0o600)
    else await moveFile(given.file, target, 0o600)
  }
  await syncPaths([...written, input, folder, tasksFolder(folders)])
  checkpoint('task-given')
}
