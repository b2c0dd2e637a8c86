// One server for one state folder, and for one root folder, whose uploads and half-made files it tidies up: kernel locks that `serve` holds
// as long as it lives, however it ends. They lie on folders themselves (the locks', and etc/), so that they need no room on the disk, and
// every path to such a folder (a link, a bind mount) leads to the same lock.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { ensureFolder, unwritable } from '../store/ensure-folder.ts'
import { hold } from '../store/lock.ts'

const Holder = z.object({
  pid: z.int(),
  since: z.string(),
  /** Where it was told to listen: by its options, its environment or the configuration. Older servers did not write it. */
  listen: z.object({ host: z.string(), port: z.int() }).optional(),
})
export type ServerRecord = z.infer<typeof Holder>

/** Another server has the state folder, or the root folder. */
export class StateTaken extends Error {}

const recordOf = (folders: Folders) => join(folders.state, 'server.json')
const why = (error: unknown) => unwritable(error) ?? (error instanceof Error ? error.message : String(error))

/**
 * Takes the state and the root folder for this process; throws `StateTaken` when a server has one of them. Before this nothing in the folder may be changed.
 * `warn` hears when the folder cannot be written: the lock is held all the same.
 */
export function takeState(
  folders: Folders,
  listen: { host: string; port: number },
  warn: (text: string, error: unknown) => void,
): void {
  const locks = join(folders.state, 'locks')
  const file = recordOf(folders)
  try {
    ensureFolder(locks)
  } catch (error) {
    throw new Error(`${folders.state}: the state folder cannot be made: ${why(error)}`, { cause: error })
  }
  if (!hold(locks)) throw new StateTaken(`${folders.state} is in use by ${holder(folders)}`)
  // That one may have another state folder, so it cannot be named.
  if (!hold(join(folders.root, 'etc'))) throw new StateTaken(`${folders.root} is in use by another server`)
  try {
    // The old record goes first: when the new one cannot be written, none is better than one that names a process of the past.
    rmSync(file, { force: true })
    writeAtomic(file, `${JSON.stringify({ pid: process.pid, since: new Date().toISOString(), listen })}\n`)
  } catch (error) {
    warn(`the state folder cannot be written: ${why(error)}`, error)
  }
}

/** What the last server wrote of itself: of one that runs only while the lock is held. */
export const readRecord = (folders: Folders): ServerRecord | undefined =>
  Holder.safeParse(readJson(recordOf(folders))).data

function holder(folders: Folders): string {
  const record = readRecord(folders)
  return record ? `another server: process ${record.pid}, since ${record.since}` : 'another server'
}
