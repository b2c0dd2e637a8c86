// Single entries of a tree, for the swap: walk, copy, sync, owner. The trap: a link is the link itself, and what it leads to only for
// `copyContent`.
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { errno } from '../http/errors.ts'
import { withRightsOf } from './rights.ts'

export interface Entry {
  /** Relative to the root of the walk. */
  path: string
  kind: 'file' | 'link' | 'folder' | 'other'
}

/** Everything below `root`, folders before what is in them, in a fixed order. */
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
  // It may lie where somebody less trusted can lay a link in its place at this instant.
  const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`not a regular file: ${from}`)
    copyOpen(fd, to, 0o7777)
  } finally {
    closeSync(fd)
  }
}

/** The same, but of a link to a regular file it copies that file. Any other link is copied as the link that it is. */
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

/** What a link leads to. A link that is not root's shows root no more than its owner could see. */
function openThrough(path: string): number | undefined {
  const link = lstatSync(path)
  // With a second name it may have been taken from elsewhere: then its owner did not lay it here.
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

function copyOpen(fd: number, to: string, bits: number): void {
  const stats = fstatSync(fd)
  copyFileSync(`/proc/self/fd/${fd}`, to, constants.COPYFILE_EXCL)
  adopt(to, stats, stats.mode & bits)
  lutimesSync(to, stats.atime, stats.mtime)
  syncFile(to)
}

/**
 * Gives `path` the owner and group of `like`, as far as we may, and then `mode` (a change of owner clears bits of it). Rights of a group that we may
 * not give it to are not given to ours instead.
 */
export function adopt(path: string, like: Stats, mode?: number): void {
  const now = lstatSync(path)
  try {
    if (now.uid !== like.uid || now.gid !== like.gid) lchownSync(path, like.uid, like.gid)
  } catch {
    try {
      lchownSync(path, -1, like.gid)
    } catch {
      // Not root: then it stays ours.
    }
  }
  if (mode === undefined || now.isSymbolicLink()) return
  chmodSync(path, lstatSync(path).gid === like.gid ? mode : mode & ~0o070)
}

/** Makes the content of a file survive a power cut; a link has none of its own. */
export function syncFile(path: string): void {
  if (!lstatSync(path).isFile()) return
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
