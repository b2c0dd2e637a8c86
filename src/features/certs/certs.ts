// TLS certificates: hand a new pair to the script, which checks and installs it; tell how that went.
import { etc, type Folders, log } from '../../folders.ts'
import { busy } from '../../http/errors.ts'
import { tail } from '../../store/append-log.ts'
import { readLine } from '../../store/atomic.ts'
import type { Task } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'

export interface CertificateFiles {
  public: string
  private: string
  ca?: string | undefined
}

export function startCerts(tasks: Tasks, files: CertificateFiles, by: Asker): Task {
  const inputs = {
    'appliance.pem': { file: files.public },
    'appliance.key': { file: files.private },
    ...(files.ca && { 'ca.pem': { file: files.ca } }),
  }
  const task = tasks.start('certs', { by, inputs })
  if (!task) throw busy('A certificates update is already running')
  return task
}

export interface CertsStatus {
  status: string | null
  log: string | null
}

export async function certsStatus(folders: Folders, tasks: Tasks): Promise<CertsStatus> {
  const read = () => ({
    status: tasks.isUnspoken('certs', etc(folders, 'status_certs.txt'))
      ? 'running'
      : (readLine(etc(folders, 'status_certs.txt')) ?? null),
    log: tail(log(folders, 'update_certs.log'), 10) ?? null,
  })
  const status = read()
  if (status.status !== 'running') {
    await tasks.released('certs')
    if (tasks.silentFailure('certs', etc(folders, 'status_certs.txt'))) return { ...status, status: 'failed' }
  }
  const task = status.status === 'running' ? tasks.latest('certs') : undefined
  if (!task || !tasks.isDead(task)) return status
  await tasks.settle(task.id)
  const settled = read()
  return settled.status === 'running' ? { ...settled, status: 'failed' } : settled
}
