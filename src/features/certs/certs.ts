// TLS certificates: hands a new pair to the script, which verifies and installs it, and reports the outcome.
import { readFileSync, writeFileSync } from 'node:fs'
import { invalid, locked } from '../../errors.ts'
import { etc, type Folders, log } from '../../folders.ts'
import { AppendLog, tail } from '../../store/append-log.ts'
import { readLine } from '../../store/atomic.ts'
import type { Task } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import { type Fault, look } from './look.ts'

export interface CertificateFiles {
  public: string
  private: string
  ca?: string | undefined
}

/**
 * Refuses files that are recognizably wrong, and says which and why; valid files are normalized, whatever an editor did
 * to them. The reasons are also written to the log that has the script's refusals.
 */
export function checkCerts(folders: Folders, label: string, files: CertificateFiles): void {
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file))
  const { faults, texts } = look({
    public: readFileSync(files.public),
    private: readFileSync(files.private),
    ca: read(files.ca),
  })
  if (faults.length > 0) {
    writeFaults(folders, label, faults)
    throw invalid(REFUSAL, { details: { errors: faults } })
  }
  for (const [name, text] of Object.entries(texts)) {
    const file = files[name as keyof CertificateFiles]
    if (file !== undefined) writeFileSync(file, text ?? '')
  }
}

const REFUSAL = 'Invalid or missing TLS certificate files'

function writeFaults(folders: Folders, label: string, faults: Fault[]): void {
  const lines = new AppendLog(log(folders, 'update_certs.log'))
  try {
    const stamp = `[${Math.floor(Date.now() / 1000)}][${label}]`
    lines.append(`${stamp} Validating and adding TLS certificates`)
    for (const { field, message } of faults) lines.append(`${field}: ${message}`)
    lines.append(`${stamp} ${REFUSAL}`)
  } catch {
    // A full disk, or a log that belongs to root: the response has the reason all the same.
  } finally {
    lines.close()
  }
}

export async function startCerts(tasks: Tasks, files: CertificateFiles, by: Asker): Promise<Task> {
  const inputs = {
    'appliance.pem': { file: files.public },
    'appliance.key': { file: files.private },
    ...(files.ca && { 'ca.pem': { file: files.ca } }),
  }
  const task = await tasks.start('certs', { by, inputs })
  if (!task) throw locked('A certificates update is already running')
  return task
}

export interface CertsStatus {
  status: string | null
  log: string | null
  /** Why the script could not even report its failure. */
  message?: string | undefined
}

export async function certsStatus(folders: Folders, tasks: Tasks): Promise<CertsStatus> {
  const read = () => ({
    status: tasks.statusIsStale('certs', etc(folders, 'status_certs.txt'))
      ? 'running'
      : (readLine(etc(folders, 'status_certs.txt')) ?? null),
    log: tail(log(folders, 'update_certs.log'), 10) ?? null,
  })
  const status = read()
  if (status.status !== 'running') {
    await tasks.released('certs')
    const silent = tasks.unreportedFailure('certs', etc(folders, 'status_certs.txt'))
    if (silent) return { ...status, status: 'failed', message: silent.error?.message }
  }
  const task = status.status === 'running' ? tasks.latest('certs') : undefined
  if (!task || !tasks.isDead(task)) return status
  await tasks.settle(task.id)
  const settled = read()
  return settled.status === 'running' ? { ...settled, status: 'failed' } : settled
}
