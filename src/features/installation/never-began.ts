// A task whose script never began: no sudo, no flock, a key that is not root's. Its own log is where people look for what became of it, and only
// the server can write there now.
import type { Folders } from '../../folders.ts'
import type { Task } from '../../tasks/task.ts'
import { sayInLog } from '../uploads-folder.ts'

/** By kind: the log in `log/` that the script would have written. */
const LOGS: Record<string, string> = {
  update: 'update.log',
  backup: 'update_backup.log',
  restore: 'update_backup.log',
  settings: 'update_settings.log',
  storage: 'update_storage.log',
  certs: 'update_certs.log',
  license: 'update_license.log',
  logs: 'update_logs.log',
  debug: 'update_debug.log',
}

/** A script says when it started before anything else. */
export const neverBegan = ({ status, started_at }: Task): boolean => status === 'failed' && started_at === undefined

export function sayNeverBegan(folders: Folders, label: string, task: Task): void {
  const file = LOGS[task.kind]
  if (file !== undefined && neverBegan(task)) sayInLog(folders, file, label, task.message)
}
