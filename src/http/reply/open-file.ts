// An open file, to be sent whole or in part.
import { closeSync, createReadStream, fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { notFound } from '../../errors.ts'

/** An open file: it stays the same file, even if another one takes its name. */
export class OpenFile {
  /** Size in bytes when it was opened. What is appended later is not sent. */
  readonly size: number
  readonly inode: bigint
  /** Milliseconds since 1970. */
  readonly modified: number
  /** The strong entity tag: made from the file's identity, size and time of modification. */
  tag: string
  private fd: number | undefined

  /** Throws the 404 for anything but a regular file, and closes the descriptor. */
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

  /** From the first to the last byte, both included; closes the file at the end. */
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
