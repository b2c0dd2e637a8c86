// Backup and restore: checks what is uploaded, hands it to the script, reports the outcome. Both use one lock: never
// one during the other.
import { createReadStream } from 'node:fs'
import { ApiError, locked } from '../../errors.ts'
import { type Folders, uploads } from '../../folders.ts'
import { parseJson, readForeign } from '../../store/atomic.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import { isObject } from '../settings/upload/document.ts'
import { sayInLog } from '../uploads-folder.ts'
import { DEPTH, screenArchive } from './archive.ts'
import { UNABLE } from './tar-form.ts'
import { WrappedFolder } from './wrapped-folder.ts'

const RUNNING = 'A backup or restore is already running'
const FAILED = '{"status":"failed"}'
/** For a script that could not write it itself, with its reason. */
const failed = ({ error }: Task) => JSON.stringify({ status: 'failed', 'error-message': error?.message })

export async function startBackup(tasks: Tasks, by: Asker): Promise<void> {
  if (!(await tasks.start('backup', { args: ['START'], by }))) throw locked(RUNNING)
}

/** Ends a running backup, or deletes the finished one. */
export async function stopBackup(tasks: Tasks, by: Asker): Promise<void> {
  const task = tasks.latest('backup')
  if (task && !isFinal(task)) await tasks.cancel(task.id)
  if (!(await tasks.start('backup', { args: ['STOP'], by }))) throw locked(RUNNING)
}

export interface BackupStatus {
  /** The status file unchanged, if it is a JSON object; undefined if there is no backup. */
  text: string | undefined
  running: boolean
}

const RUNS: BackupStatus = { text: '{"status":"running"}', running: true }

export async function backupStatus(folders: Folders, tasks: Tasks): Promise<BackupStatus> {
  const read = (): BackupStatus => {
    if (tasks.statusIsStale('backup', uploads(folders, 'backup.json'), 'START')) return RUNS
    const text = readForeign(uploads(folders, 'backup.json'))
    if (text === undefined) return { text, running: false }
    const value = parseJson(text)
    // The file is incomplete or not ours: there may be an archive, but its state is unknown.
    if (!isObject(value)) return tasks.isRunning('backup') ? RUNS : { text: FAILED, running: false }
    return { text, running: value['status'] === 'running' }
  }
  const status = read()
  if (!status.running) {
    await tasks.released('backup')
    const silent = tasks.unreportedFailure('backup', uploads(folders, 'backup.json'))
    if (silent) return { text: failed(silent), running: false }
  }
  const task = status.running ? tasks.latest('backup') : undefined
  if (!task || !tasks.isDead(task)) return status
  await tasks.settle(task.id)
  const settled = read()
  return settled.running ? { text: FAILED, running: false } : settled
}

export interface RestoreLimits {
  entries: number
  /** Bytes after unpacking. */
  bytes: number
}

/**
 * Checks the archive, then lets the script stage and swap it in. Resolves when the data is restored; rejects with
 * everything unchanged, and with the reason, which is also in the log.
 */
export async function restore(
  folders: Folders,
  tasks: Tasks,
  file: string,
  limits: RestoreLimits,
  by: Asker,
  label: string,
): Promise<void> {
  const wrapped = new WrappedFolder(folders.data)
  try {
    await screenArchive(createReadStream(file), { ...limits, depth: DEPTH }, ({ name }) => wrapped.see(name))
    wrapped.refuse()
  } catch (error) {
    if (error instanceof ApiError)
      sayInLog(folders, 'update_backup.log', label, `Restore refused: ${error.details?.['reason'] ?? error.message}`)
    throw error
  }
  const task = await tasks.start('restore', { lock: 'backup', inputs: { 'backup-archive.tar': { file } }, by })
  if (!task) throw locked(RUNNING)
  const ended = await tasks.wait(task.id)
  if (ended?.status === 'completed') return
  if (ended?.error?.code === 'NO_SPACE') throw new ApiError('no-space', ended.error.message)
  throw new ApiError('invalid', UNABLE, {
    cause: ended?.error,
    ...(ended?.error && { details: { reason: ended.error.message } }),
  })
}
