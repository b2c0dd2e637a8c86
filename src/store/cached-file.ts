// A small file that every request needs, read again only after a change. Call `get` at each use, since other programs replace the file at any
// time. Checking costs 2 µs, reading 10, and a missing file as an exception 20; so of many requests that arrive together only the first checks.
import { statSync } from 'node:fs'
import { errno } from '../errors.ts'
import { writes } from './atomic.ts'

/**
 * Calls `read` at first, and whenever the file was written, replaced, created or removed since. A change by another program is seen in the next turn
 * of the event loop at the latest; one by this process (store/atomic.ts) at once, and so is
 * what a program did whose end this process has just seen (`filesMayHaveChanged`).
 */
export class CachedFile<T> {
  private readonly file: string
  private readonly read: (there: boolean) => T
  private inode = -1
  private changed = -1
  private size = -1
  private value: T | undefined
  /** In which turn of the event loop it was looked at, and after how many writes of this process. */
  private looked = -1
  private written = -1

  /** `read` learns whether there is a regular file. A value is cached only if `read` does not throw. */
  constructor(file: string, read: (there: boolean) => T) {
    this.file = file
    this.read = read
  }

  /** The next `get` reads again, changed or not: for a read that failed. */
  forget(): void {
    this.inode = -1
    this.looked = -1
  }

  get(): T {
    if (this.looked === turn() && this.written === writes()) return this.value as T
    const info = look(this.file)
    const there = info?.isFile() ?? false
    const inode = there ? info!.ino : 0
    // The time of the last change, in steps of a quarter microsecond: finer than file systems store.
    const changed = there ? info!.ctimeMs : 0
    const size = there ? info!.size : 0
    if (inode !== this.inode || changed !== this.changed || size !== this.size) {
      this.value = this.read(there)
      this.inode = inode
      this.changed = changed
      this.size = size
    }
    this.looked = turn()
    this.written = writes()
    return this.value as T
  }
}

/** Another program's work is known to be done: every file is checked again, in this turn, too. */
export function filesMayHaveChanged(): void {
  turns += 1
}

let turns = 0
let isCounted = false

/** The number of this turn of the event loop. */
function turn(): number {
  if (!isCounted) {
    isCounted = true
    setImmediate(() => {
      turns += 1
      isCounted = false
    })
  }
  return turns
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
