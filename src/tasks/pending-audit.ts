// The audit entry to be written when a task ends. It lies beside the task until it is written, so that a server that was killed writes it after
// its restart. Remove it as soon as it is written: written twice, it would record two changes.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { taskFolder } from './task.ts'

export const PendingAudit = z.object({
  event: z.string(),
  target: z.string(),
  actor: z.string(),
  account: z.string().optional(),
  address: z.string(),
  request: z.string().optional(),
  /** What it was about, where the target does not say it. */
  resource: z.string().optional(),
  /** What the chain calls it, where that is not the event. */
  action: z.string().optional(),
})
/** An entry of the audit log without its result. */
export type PendingAudit = z.infer<typeof PendingAudit>

const file = (folders: Folders, id: string) => join(taskFolder(folders, id), 'owed')

export const savePendingAudit = (folders: Folders, id: string, entry: PendingAudit) =>
  writeAtomic(file(folders, id), `${JSON.stringify(entry)}\n`)
export const hasPendingAudit = (folders: Folders, id: string) => existsSync(file(folders, id))
export const readPendingAudit = (folders: Folders, id: string): PendingAudit | undefined =>
  PendingAudit.safeParse(readJson(file(folders, id))).data
export const removePendingAudit = (folders: Folders, id: string) => rmSync(file(folders, id), { force: true })
