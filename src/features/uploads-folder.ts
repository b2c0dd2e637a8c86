// Makes room for a file of ours in the uploads, where others may lay folders; and lines in the logs that the scripts write as well.

import { randomBytes } from 'node:crypto'
import { lstatSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '../errors.ts'
import { type Folders, log, uploads } from '../folders.ts'
import { AppendLog } from '../store/append-log.ts'

/** A folder there is given another name, as scripts/lib.sh does it: it is somebody's, so it is not removed. Returns that name. */
export function makeWay(folders: Folders, name: string): string | undefined {
  const path = uploads(folders, name)
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined
  const aside = `in-the-way-${Math.floor(Date.now() / 1000)}-${randomBytes(4).toString('hex')}-${name}`
  try {
    renameSync(path, join(uploads(folders), aside))
  } catch (cause) {
    // Under sudo it may belong to somebody whose things this server may not touch.
    throw new ApiError('exists', `A folder called ${name} is in the way in the uploads`, { cause })
  }
  return aside
}

/** One line, as the scripts write theirs. What cannot be written is left out: a full disk must not change an answer. */
export function sayInLog(folders: Folders, name: string, label: string, text: string): void {
  const lines = new AppendLog(log(folders, name))
  try {
    lines.append(`[${Math.floor(Date.now() / 1000)}][${label}] ${text}`)
  } catch {
    // See above.
  } finally {
    lines.close()
  }
}
