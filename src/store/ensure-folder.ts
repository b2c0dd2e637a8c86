// Creates a folder and its missing parents. Node's recursive mkdir reports ENOENT on a read-only file system, which is
// misleading; this reports the real cause.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '../errors.ts'

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** Existing folders keep their mode. Throws the system's error for the first folder that cannot be created. */
export function ensureFolder(folder: string, mode = 0o750): void {
  if (isFolder(folder)) return
  ensureFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Another process was faster.
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

/** Why something cannot be written; undefined if the error has another cause. */
export const unwritable = (error: unknown): string | undefined => WORDS[errno(error) ?? '']
