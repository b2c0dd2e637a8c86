// Log files: written line by line, read from the end. Another program (logrotate, an operator) may move the file away,
// so before each write the log checks that its open file still has its name.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '../errors.ts'
import { give, giveToGroup, heirOf } from './owner.ts'

/** Bytes, unless the configuration sets another value. */
const MOST = 16 << 20

/** The suffix of a full log: not `.1`, which belongs to logrotate. */
export const oldLog = (file: string) => `${file}.old`

/** Opens a log for appending; a log that replaces a full one gets its rights. */
export function openLog(file: string, mode: number, full?: Stats): number {
  const fd = openSync(file, 'a', mode)
  if (full && fstatSync(fd).size === 0) give(fd, heirOf(full, mode))
  return fd
}

/**
 * Users who may create files in the folder may append to a new log there: the group that root shares the folder with.
 */
const shareLog = (fd: number, { gid, mode }: Stats) => giveToGroup(fd, gid, mode & 0o020)

/**
 * A file that grows up to `most` bytes: then it is kept as `.old`, and a new one begins. Reopened after it was rotated
 * or removed.
 */
export class AppendLog {
  private readonly file: string
  private readonly mode: number
  private readonly most: number
  private fd: number | undefined
  private inode = 0

  constructor(file: string, { mode = 0o640, most = MOST }: { mode?: number; most?: number | undefined } = {}) {
    this.file = file
    this.mode = mode
    this.most = most
  }

  /** Appends one line in a single write, so that lines of several writers never mix. */
  append(line: string): void {
    const now = statSync(this.file, { throwIfNoEntry: false })
    const isFull = now?.isFile() && now.size + line.length >= this.most
    if (isFull) renameSync(this.file, oldLog(this.file))
    if (this.fd === undefined || isFull || now?.ino !== this.inode) {
      this.close()
      this.fd = openLog(this.file, this.mode, isFull ? now : undefined)
      // The original's server, which is not root, appends to the audit log that we create.
      if (!now) shareLog(this.fd, statSync(dirname(this.file)))
      this.inode = fstatSync(this.fd).ino
    }
    writeSync(this.fd, `${line}\n`)
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }
}

/**
 * A range of a file: from byte `offset`, at most `max` bytes. `size` is the size of the whole file. Undefined if there
 * is no file.
 */
export function readFrom(file: string, offset: number, max: number): { bytes: Buffer; size: number } | undefined {
  return withFile(file, (fd, size) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(max, size - offset)))
    return { bytes: bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset)), size }
  })
}

/**
 * The last `count` lines, with their line ends, read backwards so that the cost does not grow with the file. At most 1
 * MiB is read: a single endless line is cut at its beginning. Undefined if there is no file.
 */
export function tail(file: string, count: number): string | undefined {
  return withFile(file, (fd, size) => {
    let bytes = Buffer.alloc(0)
    let start = size
    let found = 0
    while (start > 0 && found <= count && bytes.length < 1 << 20) {
      const length = Math.min(8192, start)
      const block = Buffer.alloc(length)
      start -= length
      readSync(fd, block, 0, length, start)
      for (let at = block.lastIndexOf(10); at >= 0 && found <= count; at = at > 0 ? block.lastIndexOf(10, at - 1) : -1)
        found += 1
      bytes = Buffer.concat([block, bytes])
    }
    const lines = bytes.toString('utf8').split('\n')
    const last = lines.at(-1) === '' ? count + 1 : count
    return lines.slice(-last).join('\n')
  })
}

function withFile<T>(file: string, read: (fd: number, size: number) => T): T | undefined {
  let fd: number
  try {
    // Opening a pipe would block the whole server.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errno(error) ?? '')) return undefined
    throw error
  }
  try {
    const info = fstatSync(fd)
    return info.isFile() ? read(fd, info.size) : undefined
  } finally {
    closeSync(fd)
  }
}
