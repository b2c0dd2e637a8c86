// What a request that started a task still owes the audit log: the entry of how it ended. It lies beside the task until it is made, so that a
// server that was killed makes it after its restart. The trap: made twice it would tell of two changes; whoever makes it takes it away.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { taskFolder } from './task.ts'

export const Owed = z.object({
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
export type Owed = z.infer<typeof Owed>

const file = (folders: Folders, id: string) => join(taskFolder(folders, id), 'owed')

export const owe = (folders: Folders, id: string, entry: Owed) =>
  writeAtomic(file(folders, id), `${JSON.stringify(entry)}\n`)
export const isOwed = (folders: Folders, id: string) => existsSync(file(folders, id))
export const readOwed = (folders: Folders, id: string): Owed | undefined =>
  Owed.safeParse(readJson(file(folders, id))).data
export const clearOwed = (folders: Folders, id: string) => rmSync(file(folders, id), { force: true })
