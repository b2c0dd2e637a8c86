// Moves a file under its final name: a rename, or across file systems a durable copy. The target is whole or not there.
// The trap: the target's folder may belong to somebody less trusted (uploads), who could lay a link where the copy is going to be.
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, constants, copyFileSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errno } from '../errors.ts'
import { syncFolder } from './atomic.ts'

export function moveFile(from: string, to: string, mode = 0o640): void {
  chmodSync(from, mode)
  try {
    renameSync(from, to)
  } catch (error) {
    if (errno(error) !== 'EXDEV') throw error
    const temporary = join(dirname(to), `.${basename(to)}.${randomBytes(6).toString('hex')}`)
    try {
      copyFileSync(from, temporary, constants.COPYFILE_EXCL)
      const fd = openSync(temporary, 'r')
      fsyncSync(fd)
      closeSync(fd)
      renameSync(temporary, to)
    } catch (failure) {
      rmSync(temporary, { force: true })
      throw failure
    }
    rmSync(from)
  }
  syncFolder(dirname(to))
}
