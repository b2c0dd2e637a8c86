// Moves a file under its final name: a rename, or across file systems a copy. The target is whole or not there, and durable at the end. The target's
// folder may belong to a less trusted user (uploads), who could put a link where a copy is going to be.
import { randomBytes } from 'node:crypto'
import { chmodSync, constants, renameSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno } from '../errors.ts'
import { syncPaths } from './atomic.ts'

/** On one file system the rename is done when this returns its promise. A copy lets the event loop go on. */
export async function moveFile(from: string, to: string, mode = 0o640): Promise<void> {
  chmodSync(from, mode)
  try {
    renameSync(from, to)
  } catch (error) {
    if (errno(error) !== 'EXDEV') throw error
    const temporary = join(dirname(to), `.${basename(to)}.${randomBytes(6).toString('hex')}`)
    try {
      await copyFile(from, temporary, constants.COPYFILE_EXCL)
      await syncPaths([temporary])
      renameSync(temporary, to)
    } catch (failure) {
      rmSync(temporary, { force: true })
      throw failure
    }
    rmSync(from)
  }
  await syncPaths([dirname(to)])
}
