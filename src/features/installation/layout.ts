// The folders of an appliance (facts: jidoteki.md 1.2). Whatever is already there keeps its mode and its owner.
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errno } from '../../errors.ts'
import { type Folders, uploads } from '../../folders.ts'
import { syncFolder } from '../../store/atomic.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'

/** Makes what is missing, and answers the paths made. */
export function makeFolders(folders: Folders): string[] {
  const { root, sysconf, data, state } = folders
  return [
    ...makeFolder(root, 0o755),
    ...makeFolder(join(root, 'etc'), 0o750),
    ...makeFolder(join(root, 'log'), 0o750),
    ...makeFolder(join(root, 'tmp'), 0o700),
    ...makeFolder(join(root, 'bin'), 0o755),
    ...makeFolder(uploads(folders), 0o750),
    ...makeFolder(sysconf, 0o755),
    ...makeFolder(data, 0o755),
    ...makeFolder(state, 0o700),
  ]
}

/** A folder with this mode; the ones above it, when missing, are open to look into. */
export function makeFolder(path: string, mode: number): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return []
  ensureFolder(dirname(path), 0o755)
  mkdirSync(path, { mode })
  return [path]
}

/** A new file, whole or not at all. One that exists (or a link of that name) stays as it is. */
export function makeFile(path: string, content: string, mode: number): string[] {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    const fd = openSync(temporary, 'wx', mode)
    try {
      writeFileSync(fd, content)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    // Unlike rename, link never replaces.
    linkSync(temporary, path)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
    return []
  } finally {
    rmSync(temporary, { force: true })
  }
  syncFolder(dirname(path))
  return [path]
}
