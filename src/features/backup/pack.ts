// Writes the archive of a backup. What a restore would refuse (a pipe, a name that is not text, a link that leads
// outside) is left out and named, so that one odd file does not prevent the backup. Every folder is opened once and its
// entries are reached through that, so that nobody can replace it with a link meanwhile.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ApiError, errno } from '../../errors.ts'
import { END, type PlainEntry, padding, plainHeader } from './tar-header.ts'
import { Tree } from './tree.ts'

export interface PackOptions {
  /** Absolute. */
  folder: string
  limits: { entries: number; bytes: number; depth: number }
  /** Called for what was left out or changed. Names are bytes, one per character. */
  note: (name: string, what: string) => void
  /** Left out: contents are not read, only counted. */
  write?: ((bytes: Buffer) => void) | undefined
}

const PIECE = 1 << 20
const RECORD = 10_240
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants

/** Names are relative to the folder, bytes as latin1. Returns the size of the archive. A write error is rethrown. */
export function packTree(names: string[], options: PackOptions): { entries: number; size: number } {
  const packer = new Packer(options)
  for (const name of names) packer.top(name)
  packer.end()
  return { entries: packer.entries, size: packer.size }
}

/** The reason why the whole archive, not one entry, could not be restored. */
class Hopeless extends Error {}

class Packer {
  entries = 0
  size = 0
  #bytes = 0
  readonly #options: PackOptions
  readonly #tree: Tree
  /** Files with several names: the first one in the archive. */
  readonly #linked = new Map<string, string>()
  readonly #piece = Buffer.allocUnsafe(PIECE)

  constructor(options: PackOptions) {
    this.#options = options
    this.#tree = new Tree(options.limits)
  }

  top(name: string): void {
    const parent = this.#attempt(name, () =>
      openSync(Buffer.from(join(this.#options.folder, dirname(name)), 'latin1'), O_RDONLY | O_DIRECTORY),
    )
    if (parent === undefined) return
    try {
      this.#visit(parent, name.slice(name.lastIndexOf('/') + 1), name)
    } finally {
      closeSync(parent)
    }
  }

  end(): void {
    this.#put(END)
    // Whole records, as tar programs write them.
    this.#put(Buffer.alloc((RECORD - (this.size % RECORD)) % RECORD))
  }

  #visit(parent: number, base: string, name: string): void {
    const path = below(parent, base)
    const info = this.#attempt(name, () => lstatSync(path))
    if (!info) return
    if (info.isDirectory()) this.#folder(path, name)
    else if (info.isFile()) this.#file(path, name)
    else if (info.isSymbolicLink()) this.#symlink(path, name, info)
    else this.#options.note(name, `left out: ${kindOf(info)}`)
  }

  #folder(path: Buffer, name: string): void {
    const fd = this.#attempt(name, () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    if (fd === undefined) return
    try {
      const children = this.#attempt(name, () => {
        const found = readdirSync(below(fd, ''), { encoding: 'buffer' })
        this.#tree.folder(name)
        return found.map((child) => child.toString('latin1')).sort()
      })
      if (!children) return
      const info = fstatSync(fd)
      this.#header(name, 'directory', info, { mode: info.mode & 0o3777 })
      for (const child of children) this.#visit(fd, child, `${name}/${child}`)
    } finally {
      closeSync(fd)
    }
  }

  #file(path: Buffer, name: string): void {
    // Non-blocking: a file may have been replaced by a pipe.
    const fd = this.#attempt(name, () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    if (fd === undefined) return
    try {
      const info = fstatSync(fd)
      if (!info.isFile()) {
        this.#options.note(name, `left out: ${kindOf(info)}`)
        return
      }
      const key = info.nlink > 1 ? `${info.dev}:${info.ino}` : undefined
      const first = key === undefined ? undefined : this.#linked.get(key)
      const fits = this.#attempt(name, () => {
        // A failing disk usually fails at the first piece: then nothing of the file is in the archive yet.
        if (first === undefined && info.size > 0 && this.#options.write) readSync(fd, this.#piece, 0, 1, 0)
        if (first === undefined) this.#tree.file(name)
        else this.#tree.hardLink(name, first)
        return true
      })
      if (!fits) return
      if (info.mode & 0o6000) this.#options.note(name, 'taken without its set-user-id and set-group-id bits')
      const mode = info.mode & 0o1777
      if (first !== undefined) {
        this.#header(name, 'link', info, { mode, linkname: first })
        return
      }
      if (key !== undefined) this.#linked.set(key, name)
      this.#bytes += info.size
      if (this.#bytes > this.#options.limits.bytes) throw new Hopeless('too many bytes')
      this.#header(name, 'file', info, { mode, size: info.size })
      this.#contents(fd, name, info.size)
    } finally {
      closeSync(fd)
    }
  }

  /** Exactly as many bytes as the header states, even if the file changes meanwhile. */
  #contents(fd: number, name: string, size: number): void {
    const { write, note } = this.#options
    this.size += size
    for (let left = size; left > 0 && write; ) {
      const want = Math.min(left, PIECE)
      let have = 0
      try {
        have = readSync(fd, this.#piece, 0, want, null)
      } catch (error) {
        note(name, `could not be read to its end (${errno(error)}), and is filled up with zeros`)
      }
      if (have === 0) {
        note(name, 'became shorter while it was read, and is filled up with zeros')
        this.#piece.fill(0)
        for (; left > 0; left -= PIECE) write(this.#piece.subarray(0, Math.min(left, PIECE)))
        break
      }
      write(this.#piece.subarray(0, have))
      left -= have
    }
    this.#put(Buffer.alloc(padding(size)))
  }

  #symlink(path: Buffer, name: string, info: Stats): void {
    const linkname = this.#attempt(name, () => {
      const target = readlinkSync(path, { encoding: 'buffer' }).toString('latin1')
      this.#tree.symlink(name, target)
      return target
    })
    if (linkname !== undefined) this.#header(name, 'symlink', info, { mode: 0o777, linkname })
  }

  #header(
    name: string,
    type: PlainEntry['type'],
    info: Stats,
    more: { mode: number; size?: number; linkname?: string },
  ) {
    const { uid, gid, mtimeMs } = info
    if (++this.entries > this.#options.limits.entries) throw new Hopeless('too many entries')
    this.#put(plainHeader({ name, type, size: 0, uid, gid, mtime: mtimeMs / 1000, ...more }))
  }

  #put(bytes: Buffer): void {
    this.size += bytes.length
    this.#options.write?.(bytes)
  }

  /** Undefined if this entry has to be left out, which is reported. */
  #attempt<T>(name: string, act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      const code = errno(error)
      const reason = error instanceof ApiError ? String(error.details?.['reason']) : code && (WORDS[code] ?? code)
      if (reason === undefined) throw error
      if (reason === 'too many entries') throw new Hopeless(reason)
      this.#options.note(name, `left out: ${reason}`)
      return undefined
    }
  }
}

const WORDS: Record<string, string> = {
  ENOENT: 'it went away meanwhile',
  EACCES: 'it cannot be read',
  EPERM: 'it cannot be read',
  EIO: 'its disk cannot read it',
  ELOOP: 'it became a link meanwhile',
  ENOTDIR: 'it is no folder any more',
  ENAMETOOLONG: 'a name too long',
}

const below = (fd: number, name: string) => Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1')

function kindOf(info: Stats): string {
  if (info.isFIFO()) return 'a pipe'
  if (info.isSocket()) return 'a socket'
  return 'a device'
}

/** Why the archive as a whole could not be restored, if so. */
export const hopeless = (error: unknown) => (error instanceof Hopeless ? error.message : undefined)

/** A readable name for a log, whatever its bytes. */
export function shownName(name: string): string {
  const bytes = Buffer.from(name, 'latin1')
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return JSON.stringify(text)
  return JSON.stringify(name).replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)
}
