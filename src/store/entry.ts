// Single entries of a tree, for the swap: walk, copy, sync, owner. The trap: a link is always the link itself, never what it leads to.
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
  let stats = lstatSync(from)
  if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to)
    adopt(to, stats)
  } else {
    // It may lie where somebody less trusted can lay a link in its place at this instant.
    const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      stats = fstatSync(fd)
      if (!stats.isFile()) throw new Error(`not a regular file: ${from}`)
      copyFileSync(`/proc/self/fd/${fd}`, to, constants.COPYFILE_EXCL)
    } finally {
      closeSync(fd)
    }
    adopt(to, stats, stats.mode & 0o7777)
  }
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
