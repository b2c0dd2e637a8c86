// A file that is open to be sent as an answer, or a part of one.
import { closeSync, createReadStream, fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { notFound } from '../../errors.ts'

/** A file that is open: it stays the one that it was, whatever takes its name meanwhile. */
export class OpenFile {
  /** Bytes. What is added later is not part of the answer. */
  readonly size: number
  readonly inode: bigint
  /** Milliseconds since 1970. */
  readonly modified: number
  /** The strong entity tag: which file it is, how long, and when it was written last. */
  tag: string
  private fd: number | undefined

  /** Throws, with the descriptor closed, what a client is told of anything but a regular file: that there is none. */
  constructor(fd: number) {
    const { size, ino, mtimeNs, mtimeMs, isFile } = regular(fd)
    if (!isFile) {
      closeSync(fd)
      throw notFound()
    }
    this.fd = fd
    this.size = Number(size)
    this.inode = ino
    this.modified = Number(mtimeMs)
    this.tag = `"${[ino, size, mtimeNs].map((number) => number.toString(36)).join('-')}"`
  }

  /** From the first to the last byte, both included; closes the file at its end. */
  stream(start: number, end: number): Readable {
    const { fd } = this
    if (fd === undefined) throw new Error('the file is closed')
    this.fd = undefined
    return createReadStream('', { fd, start, end })
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }
}

function regular(fd: number) {
  const info = fstatSync(fd, { bigint: true })
  const { size, ino, mtimeNs, mtimeMs } = info
  return { size, ino, mtimeNs, mtimeMs, isFile: info.isFile() }
}
