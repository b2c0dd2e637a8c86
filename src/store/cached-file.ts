// A small file that every request needs, read again only after a change. Call `get` at each use, since other programs
// replace the file at any time: checking costs 2 µs, reading 10, and a missing file as an exception 20.
import { statSync } from 'node:fs'
import { errno } from '../errors.ts'

/** Calls `read` at first, and whenever the file was written, replaced, created or removed since. */
export class CachedFile<T> {
  private readonly file: string
  private readonly read: (there: boolean) => T
  private inode = -1
  private changed = -1
  private size = -1
  private value: T | undefined

  /** `read` learns whether there is a regular file. A value is cached only if `read` does not throw. */
  constructor(file: string, read: (there: boolean) => T) {
    this.file = file
    this.read = read
  }

  /** The next `get` reads again, changed or not: for a read that failed. */
  forget(): void {
    this.inode = -1
  }

  get(): T {
    const info = look(this.file)
    const there = info?.isFile() ?? false
    const inode = there ? info!.ino : 0
    // The time of the last change, in steps of a quarter microsecond: finer than file systems store.
    const changed = there ? info!.ctimeMs : 0
    const size = there ? info!.size : 0
    if (inode === this.inode && changed === this.changed && size === this.size) return this.value as T
    this.value = this.read(there)
    this.inode = inode
    this.changed = changed
    this.size = size
    return this.value
  }
}

function look(file: string) {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    // A link that leads to itself.
    if (errno(error) === 'ELOOP') return undefined
    throw error
  }
}
