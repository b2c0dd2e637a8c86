// A job in the contract's terms: its schema and its path.
import * as z from 'zod'
import { Timestamp } from '../../features/timestamp.ts'
import { PREFIX } from './context.ts'

export const COLLECTION = `${PREFIX}/jobs`

export const jobParams = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'Not a job id') })

export const JobStatus = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled']).meta({ id: 'JobStatus' })
export const Job = z
  .object({
    id: z.string(),
    type: z.string(),
    status: JobStatus,
    progress: z.int().min(0).max(100).describe('percent'),
    message: z.string(),
    error: z.string().optional(),
    created_at: Timestamp,
    started_at: Timestamp.optional(),
    completed_at: Timestamp.optional(),
  })
  .meta({ id: 'Job' })
