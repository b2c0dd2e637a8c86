// Single entries of a tree, for a file transaction: walk, copy, sync, owner. A link is treated as a link; only
// `copyContent` copies what it leads to.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { errno } from '../errors.ts'
import { withRightsOf } from './rights.ts'

export interface Entry {
  /** Relative to the root of the walk. */
  path: string
  kind: 'file' | 'link' | 'folder' | 'other'
}

/** Everything below `root`, parents before children, in a fixed order. */
export function* walk(root: string, under = ''): Generator<Entry> {
  const found = readdirSync(join(root, under), { withFileTypes: true })
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(under, entry.name)
    if (entry.isDirectory()) {
      yield { path, kind: 'folder' }
      yield* walk(root, path)
    } else {
      yield { path, kind: entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other' }
    }
  }
}

/** Copies one file or link with mode, owner and times, durably. Replaces what a killed copy left behind. */
export function copyEntry(from: string, to: string): void {
  rmSync(to, { force: true })
  const stats = lstatSync(from)
  if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to)
    adopt(to, stats)
    lutimesSync(to, stats.atime, stats.mtime)
    return
  }
  // The folder may allow a less trusted user to put a link in its place at this moment.
  const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`not a regular file: ${from}`)
    copyOpen(fd, to, 0o7777)
  } finally {
    closeSync(fd)
  }
}

/** The same, but a link to a regular file is replaced by a copy of that file. Any other link is copied as a link. */
export function copyContent(from: string, to: string): void {
  const fd = openThrough(from)
  if (fd === undefined) {
    copyEntry(from, to)
    return
  }
  try {
    rmSync(to, { force: true })
    copyOpen(fd, to, 0o777)
  } finally {
    closeSync(fd)
  }
}

/** The target of a link. A link that is not root's must not show root more than its owner could see. */
function openThrough(path: string): number | undefined {
  const link = lstatSync(path)
  // A file with a second name may have been linked from elsewhere, so its owner did not necessarily put it here.
  if (!link.isSymbolicLink() || link.nlink !== 1) return undefined
  const open = () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let fd: number
  try {
    fd = process.geteuid?.() === 0 && link.uid !== 0 ? withRightsOf(link, open) : open()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENXIO'].includes(errno(error) ?? '')) return undefined
    throw error
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  return undefined
}

function copyOpen(from: number, to: string, bits: number): void {
  const stats = fstatSync(from)
  // Not copyFileSync: it sets the mode first, including setuid, while the copy still belongs to us.
  const fd = openSync(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    copyBytes(from, fd)
    adoptOpen(fd, stats, stats.mode & bits)
    futimesSync(fd, stats.atime, stats.mtime)
    fsyncSync(fd)
  } catch (error) {
    // A partial copy would use space on a full disk, and may be half a key.
    rmSync(to, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

function copyBytes(from: number, to: number): void {
  for (const piece of pieces(from)) for (let at = 0; at < piece.length; ) at += writeSync(to, piece, at)
}

/** The bytes from here to the end. Each piece is valid only until the next: a file may be larger than memory. */
export function* pieces(fd: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(256 * 1024)
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) yield buffer.subarray(0, length)
}

/** O_PATH, for opening a path whatever its type and mode (open(2)); Node has no name for it. */
const O_PATH = 0o10000000

/**
 * Gives `path` the owner and group of `like`, as far as allowed, and then `mode` (changing the owner clears bits of it;
 * a link has none). Rights for an owner or a group that we may not set are not given to ours instead.
 */
export function adopt(path: string, like: Stats, mode?: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    adoptOpen(fd, like, fstatSync(fd).isSymbolicLink() ? undefined : mode)
  } finally {
    closeSync(fd)
  }
}

/** Through the open file: once it belongs to another user, that user may put something else under its name. */
function adoptOpen(fd: number, like: Stats, mode?: number): void {
  const path = `/proc/self/fd/${fd}`
  const before = fstatSync(fd)
  try {
    if (before.uid !== like.uid || before.gid !== like.gid) chownSync(path, like.uid, like.gid)
  } catch {
    try {
      chownSync(path, -1, like.gid)
    } catch {
      // Not root: then it stays ours.
    }
  }
  if (mode === undefined) return
  const { uid, gid } = fstatSync(fd)
  const others = (uid === like.uid ? 0 : 0o4000) | (gid === like.gid ? 0 : 0o2070)
  chmodSync(path, mode & ~others)
}

/** Makes the content of a file survive a power cut; a link has none. */
export function syncFile(path: string): void {
  if (!lstatSync(path).isFile()) return
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
