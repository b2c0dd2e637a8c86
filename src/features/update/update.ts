// Software updates: receives a package, starts the script, reports its progress. The status files in etc/ are written
// by the script (or a vendor's own), and anybody may put files there; they are corrected only for a task of ours that
// died.
import { existsSync, lstatSync, rmSync } from 'node:fs'
import { ApiError } from '../../errors.ts'
import { etc, type Folders, log, uploads } from '../../folders.ts'
import { tail } from '../../store/append-log.ts'
import { readJson, readLine, readText, replaceAtomic } from '../../store/atomic.ts'
import { moveFile } from '../../store/move-file.ts'
import { scriptFile, type Task } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import { neverBegan } from '../installation/never-began.ts'
import { makeWay, sayInLog } from '../uploads-folder.ts'

/** The name sorts after every other package, so the one just uploaded is the one installed (facts: jidoteki.md 5.2). */
export const PACKAGE = 'software_package-zzz.enc'

export const updateRunning = () => new ApiError('invalid', 'Update is already running', { details: { code: 'E1004' } })

/**
 * Starts the update with a received package. Of any number of parallel calls one gets the task, the others are refused.
 */
export async function startUpdate(
  folders: Folders,
  tasks: Tasks,
  file: string,
  by: Asker,
  label: string,
): Promise<Task> {
  const prepare = async () => {
    const aside = makeWay(folders, PACKAGE)
    if (aside) {
      const text = `A folder was in the way of ${PACKAGE} in the uploads, and is called ${aside} now`
      sayInLog(folders, 'update.log', label, text)
    }
    await moveFile(file, uploads(folders, PACKAGE), 0o600)
  }
  const task = await tasks.start('update', { by, prepare })
  if (!task) throw updateRunning()
  return task
}

export interface UpdateStatus {
  /** The members of the status file in its order; only `status` if there is just the older text file. */
  members: Record<string, unknown>
  /** The last ten lines. */
  log: string | null
  message: string | undefined
  code: string | undefined
}

export function readUpdateStatus(folders: Folders, tasks?: Tasks): UpdateStatus {
  if (tasks?.statusIsStale('update', etc(folders, 'status_update.json'))) {
    const members = { status: 'running', percentage: 10 }
    return { members, log: tail(log(folders, 'update.log'), 10) ?? null, message: undefined, code: undefined }
  }
  // Under sudo the files of the previous update are root's and cannot be corrected.
  const silent = tasks?.unreportedFailure('update', etc(folders, 'status_update.json'))
  if (silent)
    return { members: SILENT, log: tail(log(folders, 'update.log'), 10) ?? null, ...silentError(folders, silent) }
  const text = readText(etc(folders, 'status_update.json'))
  const value = readJson(etc(folders, 'status_update.json'))
  // The original's script writes its status in place: a half-written file means that it is running.
  const half = value === undefined && tasks?.isClaimed('update') ? { status: 'running' } : {}
  const object = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : half
  return {
    members: text === undefined ? { status: readLine(etc(folders, 'status_update.txt')) ?? null } : object,
    log: tail(log(folders, 'update.log'), 10) ?? null,
    message: readLine(etc(folders, 'status_error_message.txt')) || undefined,
    code: readLine(etc(folders, 'status_error_code.txt')) || undefined,
  }
}

/** The status file, after a dead task's missing end was recorded. */
export async function updateStatus(folders: Folders, tasks: Tasks): Promise<UpdateStatus> {
  const status = readUpdateStatus(folders, tasks)
  if (status.members['status'] !== 'running') {
    // Clients that see the end may start the next update at once.
    await tasks.released('update')
    return tasks.isClaimed('update') ? status : readUpdateStatus(folders, tasks)
  }
  const task = tasks.latest('update')
  if (!task || !tasks.isDead(task)) return status
  await tasks.settle(task.id)
  const settled = readUpdateStatus(folders, tasks)
  // A full disk can keep the script from writing its end; the response is right all the same.
  if (settled.members['status'] !== 'running') return settled
  return { ...settled, members: { ...settled.members, status: 'failed' }, ...SCRIPT_ERROR }
}

const SILENT = { status: 'failed', percentage: 10 }
/** The texts that clients of the original know. */
const SCRIPT_ERROR = { code: 'E1000', message: 'Script error' }
/** With the original's scripts clients get its texts; the task has the reason. */
const silentError = (folders: Folders, { id, error }: Task) =>
  error && !existsSync(scriptFile(folders, id, 'called')) ? error : SCRIPT_ERROR

/**
 * Records the failure of an update that did not report it because its script could not even start (no sudo, no
 * interpreter): until then the files describe the previous update, which may have been a success.
 */
export function recordUnreportedFailure(folders: Folders, tasks: Tasks): void {
  const task = tasks.unreportedFailure('update', etc(folders, 'status_update.json'))
  if (!task) return
  const { code, message } = silentError(folders, task)
  // A failed package is never retried from disk; if its script did not run, nobody else removes it.
  if (neverBegan(task)) rmSync(uploads(folders, PACKAGE), { force: true })
  const told = ['status_error_message.txt', 'status_error_code.txt'].map((name) => etc(folders, name))
  try {
    replaceAtomic(etc(folders, 'status_error_message.txt'), `${message}\n`, 0o644)
    replaceAtomic(etc(folders, 'status_error_code.txt'), `${code}\n`, 0o644)
    replaceAtomic(etc(folders, 'status_update.txt'), 'failed\n', 0o644)
    replaceAtomic(etc(folders, 'status_update.json'), `${JSON.stringify(SILENT)}\n`, 0o644)
  } catch (error) {
    // Not beside the success of the previous update.
    for (const file of told) if (lstatSync(file, { throwIfNoEntry: false })?.uid === process.geteuid?.()) rmSync(file)
    throw error
  }
}
