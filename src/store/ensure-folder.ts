// A folder with all that is missing above it. The trap: Node's own recursive mkdir answers ENOENT on a read-only file system, and so sends people to look for
// what is not missing.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '../errors.ts'

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** What is there keeps its mode. Throws what the system said of the first folder that cannot be made. */
export function ensureFolder(folder: string, mode = 0o750): void {
  if (isFolder(folder)) return
  ensureFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Somebody else was faster.
    if (errno(error) !== 'EEXIST' || !isFolder(folder)) throw error
  }
}

const WORDS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'its file system is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
}

/** Why something cannot be written; undefined when it is no matter of that kind. */
export const unwritable = (error: unknown): string | undefined => WORDS[errno(error) ?? '']
