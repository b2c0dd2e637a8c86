// Maintenance mode: while it is on, the controller refuses changes of accounts, storage and services. A file that
// exists but cannot be read means "on": the block must not fail open.
import { join } from 'node:path'
import * as z from 'zod'
import { ApiError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { readJson, writeAtomic } from '../../store/atomic.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { Timestamp } from '../timestamp.ts'

export const Maintenance = z
  .object({
    enabled: z.boolean(),
    message: z.string().max(200).describe('what people are told who try to change something'),
    since: Timestamp.optional(),
  })
  .meta({ id: 'Maintenance' })
export type Maintenance = z.infer<typeof Maintenance>

const OFF: Maintenance = { enabled: false, message: '' }
const UNREADABLE: Maintenance = { enabled: true, message: 'The state of the maintenance mode cannot be read' }

export class MaintenanceMode {
  private readonly file: string
  private readonly state: CachedFile<Maintenance>

  constructor(folders: Folders) {
    this.file = join(folders.state, 'maintenance.json')
    this.state = new CachedFile(this.file, (there) =>
      there ? (Maintenance.safeParse(readJson(this.file)).data ?? UNREADABLE) : OFF,
    )
  }

  get(): Maintenance {
    return this.state.get()
  }

  set({ enabled, message }: { enabled: boolean; message?: string | undefined }): Maintenance {
    const before = this.get()
    const since = enabled ? (before.enabled && before.since) || new Date().toISOString() : undefined
    const state = { enabled, message: enabled ? (message ?? before.message) : '', ...(since && { since }) }
    checkpoint('maintenance-changing')
    writeAtomic(this.file, `${JSON.stringify(state)}\n`)
    checkpoint('maintenance-stored')
    return state
  }

  /** Throws while it is on. */
  refuseChanges(): void {
    const { enabled, message } = this.get()
    if (enabled)
      throw new ApiError('unavailable', message || 'Maintenance: nothing can be changed now', { retryAfter: 60 })
  }
}
