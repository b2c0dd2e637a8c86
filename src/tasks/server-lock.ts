// Allows one server per state folder, and per root folder, whose uploads and unfinished files it cleans up: kernel
// locks that `serve` holds until it ends, in whatever way. The locks are on folders (the one for locks, and etc/), so
// they need no disk space, and every path to such a folder (a link, a bind mount) leads to the same lock.
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
  /** The address from its options, environment or configuration. Older servers did not write it. */
  listen: z.object({ host: z.string(), port: z.int() }).optional(),
})
export type ServerRecord = z.infer<typeof Holder>

/** Another server has the state folder, or the root folder. */
export class StateTaken extends Error {}

const recordOf = (folders: Folders) => join(folders.state, 'server.json')
const why = (error: unknown) => unwritable(error) ?? (error instanceof Error ? error.message : String(error))

/**
 * Takes the state and the root folder for this process; throws `StateTaken` if another server has one of them. Nothing
 * in the folder may be changed before. If the folder is not writable, `warn` is called and the lock is held all the
 * same.
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
  // That server may have another state folder, so it cannot be named.
  if (!hold(join(folders.root, 'etc'))) throw new StateTaken(`${folders.root} is in use by another server`)
  try {
    // Removes the old record first: if the new one cannot be written, no record is better than one of a past process.
    rmSync(file, { force: true })
    writeAtomic(file, `${JSON.stringify({ pid: process.pid, since: new Date().toISOString(), listen })}\n`)
  } catch (error) {
    warn(`the state folder cannot be written: ${why(error)}`, error)
  }
}

/** The record that the last server wrote; it describes a running server only while the lock is held. */
export const readRecord = (folders: Folders): ServerRecord | undefined =>
  Holder.safeParse(readJson(recordOf(folders))).data

function holder(folders: Folders): string {
  const record = readRecord(folders)
  return record ? `another server: process ${record.pid}, since ${record.since}` : 'another server'
}
