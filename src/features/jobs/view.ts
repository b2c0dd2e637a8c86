// A job as every surface shows it: a view of a task. The contract has no word for a task that died: it is shown as failed, and the error
// names the cause.
import { notFound, raise } from '../../errors.ts'
import { Breath } from '../../store/breath.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { maskedLine } from './redact.ts'

export interface JobView {
  id: string
  /** `snapshot.create` */
  type: string
  status: 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'
  /** Percent. */
  progress: number
  message: string
  error?: string
  created_at: string
  started_at?: string
  completed_at?: string
}

export function viewJob({
  id,
  kind,
  status,
  progress,
  message,
  error,
  created_at,
  started_at,
  completed_at,
}: Task): JobView {
  const died = status === 'interrupted'
  const shown = maskedLine(message)
  const reason = error ? maskedLine(error.message) : status === 'failed' ? shown : undefined
  return {
    id,
    // A script's name is `snapshot-create`; the contract says `snapshot.create`.
    type: kind.replace('-', '.'),
    status: died ? 'failed' : status,
    progress,
    message: shown,
    ...(died
      ? { error: reason ? `interrupted: ${reason}` : 'interrupted' }
      : reason !== undefined && { error: reason }),
    created_at,
    ...(started_at !== undefined && { started_at }),
    ...(completed_at !== undefined && { completed_at }),
  }
}

/** What the audit log says of how a task ended; undefined when all is well. */
export function failureOf({ status, error }: Pick<Task, 'status' | 'error'>): string | undefined {
  if (status === 'completed') return undefined
  return error ? `${status}: ${maskedLine(error.message)}` : status
}

/** The newest first, with an end for those that died without one. */
export async function listViews(tasks: Tasks, limit: number): Promise<JobView[]> {
  const found = await tasks.listInTurns(limit)
  const open = found.filter((task) => !isFinal(task)).map(({ id }) => id)
  await Promise.all(open.map((id) => tasks.settle(id)))
  const breath = new Breath()
  const views: JobView[] = []
  for (const task of found) {
    // What has ended never changes again.
    const now = isFinal(task) ? task : tasks.get(task.id)
    if (now) views.push(viewJob(now))
    await breath.take()
  }
  return views
}

/** The task, with an end if it died without one. Undefined when there is no such task. */
export async function settled(tasks: Tasks, id: string): Promise<Task | undefined> {
  const task = tasks.get(id)
  if (!task || isFinal(task)) return task
  await tasks.settle(id)
  return tasks.get(id)
}

export const noJob = (id: string) => notFound('job not found', { details: { object: id } })

/** As `settled`; throws where there is no such job. */
export const getJob = async (tasks: Tasks, id: string): Promise<Task> => (await settled(tasks, id)) ?? raise(noJob(id))
