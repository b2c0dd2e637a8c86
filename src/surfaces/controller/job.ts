// A job as the contract shows it: a view of a task. The trap: the contract has no word for a task that died; it failed, and the error says
// of what.
import * as z from 'zod'
import { maskedLine } from '../../features/jobs/redact.ts'
import { notFound } from '../../http/errors.ts'
import type { Task } from '../../tasks/task.ts'
import { PREFIX } from './deps.ts'

export const COLLECTION = `${PREFIX}/jobs`

export const jobParams = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'Not a job id') })
export const noJob = (id: string) => notFound('job not found', { details: { object: id } })

export const JobStatus = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled'])
export const Job = z.object({
  id: z.string(),
  type: z.string(),
  status: JobStatus,
  progress: z.int().min(0).max(100).describe('percent'),
  message: z.string(),
  error: z.string().optional(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().optional(),
  completed_at: z.iso.datetime().optional(),
})
export type Job = z.infer<typeof Job>

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
}: Task): Job {
  const died = status === 'interrupted'
  const told = maskedLine(message)
  const reason = error ? maskedLine(error.message) : status === 'failed' ? told : undefined
  return {
    id,
    // A script's name is `snapshot-create`; the contract says `snapshot.create`.
    type: kind.replace('-', '.'),
    status: died ? 'failed' : status,
    progress,
    message: told,
    ...(died
      ? { error: reason ? `interrupted: ${reason}` : 'interrupted' }
      : reason !== undefined && { error: reason }),
    created_at,
    ...(started_at !== undefined && { started_at }),
    ...(completed_at !== undefined && { completed_at }),
  }
}
