// Every file and folder of one file system, for changes as root in a tree whose users may rename, replace and link
// anything meanwhile. Each entry is opened by its name in an open folder, without following a link, and handed on as a
// descriptor: what is changed is what was looked at. Other mounts and `.zfs` are left out.
import type { Stats } from 'node:fs'
import { close, mountNumber, namesIn, openEntry, openParent, openSubfolder, statOf } from '../../drivers/descriptor.ts'
import { errno } from '../../errors.ts'

export interface Entry {
  /** Of O_PATH; closed when the next entry is asked for. */
  descriptor: number
  stats: Stats
  /** Relative to the top, in Latin-1: one character for each byte. Empty for the top itself. */
  path: string
}

export interface Walk {
  /** Folders that are not entered, relative to the top. */
  without?: readonly string[] | undefined
  /** What was not entered, and why. */
  skipped: (path: string, reason: string) => void
  /** A folder that was moved while something deep inside of it was walked: the rest of it was not seen. */
  lost: (path: string) => void
  /** How many folders may be open at a time; of a deeper tree the outer ones are closed and opened again. */
  open?: number
}

interface Frame {
  name: string
  dev: number
  ino: number
  descriptor: number | undefined
  /** The names of its folders that are still to be walked. */
  folders: string[]
}

const OPEN = 256
/** Only in the top folder of a ZFS file system, and the same device: snapshots below it are mounts. */
const CONTROL = '.zfs'

/** A name that is gone, or that names something else by now: a link, or a file in the place of a folder. */
const isGone = (error: unknown) => /^(?:ENOENT|ENOTDIR|ELOOP|ESTALE)$/.test(errno(error) ?? '')

/** Folders come before what is in them. `top` stays open. */
export function* walk(top: number, { without = [], skipped, lost, open = OPEN }: Walk): Generator<Entry> {
  const mount = mountNumber(top)
  const first = statOf(top)
  const frames: Frame[] = [{ name: '', dev: first.dev, ino: first.ino, descriptor: top, folders: [] }]
  const pathOf = (name: string) => [...frames.slice(1).map((frame) => frame.name), name].filter(Boolean).join('/')
  try {
    yield { descriptor: top, stats: first, path: '' }
    yield* filesOf(frames[0] as Frame, pathOf, true)
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      const name = frame.folders.pop()
      if (name === undefined) {
        leave(frames)
        continue
      }
      const parent = frame.descriptor ?? reach(frames)
      if (parent === undefined) {
        lost(pathOf(''))
        frame.folders = []
        continue
      }
      frame.descriptor = parent
      if (without.length > 0 && without.includes(pathOf(name))) {
        skipped(pathOf(name), 'it is the recycle bin of a share')
        continue
      }
      const descriptor = orGone(() => openSubfolder(parent, name))
      if (descriptor === undefined) continue
      const stats = statOf(descriptor)
      if (stats.dev !== first.dev || mountNumber(descriptor) !== mount) {
        close(descriptor)
        skipped(pathOf(name), 'another dataset or file system is mounted there')
        continue
      }
      const entered: Frame = { name, dev: stats.dev, ino: stats.ino, descriptor, folders: [] }
      frames.push(entered)
      closeOuter(frames, open)
      yield { descriptor, stats, path: pathOf('') }
      yield* filesOf(entered, pathOf, false)
    }
  } finally {
    for (const { descriptor } of frames.slice(1)) if (descriptor !== undefined) close(descriptor)
  }
}

/** What is in a folder and no folder itself; the names of its folders are noted for later. */
function* filesOf(frame: Frame, pathOf: (name: string) => string, isTop: boolean): Generator<Entry> {
  const folder = frame.descriptor as number
  const names = orGone(() => namesIn(folder)) ?? []
  for (const name of names) {
    if (isTop && name === CONTROL) continue
    const descriptor = orGone(() => openEntry(folder, name))
    if (descriptor === undefined) continue
    try {
      const stats = statOf(descriptor)
      if (stats.isDirectory()) frame.folders.push(name)
      else yield { descriptor, stats, path: pathOf(name) }
    } finally {
      close(descriptor)
    }
  }
}

/** The descriptors of a tree that is thousands of folders deep would be too many for one process. */
function closeOuter(frames: Frame[], open: number): void {
  const outer = frames[frames.length - 1 - open]
  if (!outer || outer === frames[0] || outer.descriptor === undefined) return
  close(outer.descriptor)
  outer.descriptor = undefined
}

/** Back to the folder above, which may have been closed: through `..`, if that still leads to the same folder. */
function leave(frames: Frame[]): void {
  const { descriptor } = frames.pop() as Frame
  const above = frames.at(-1)
  // The top belongs to the caller.
  if (!above || descriptor === undefined) return
  if (above.descriptor === undefined) above.descriptor = same(above, () => openParent(descriptor))
  close(descriptor)
}

/** The innermost folder, by its names from the nearest one that is open. */
function reach(frames: Frame[]): number | undefined {
  let at = frames.findLastIndex(({ descriptor }) => descriptor !== undefined)
  const begin = at
  let reached = frames[at]?.descriptor as number
  while (++at < frames.length) {
    const frame = frames[at] as Frame
    const next = same(frame, () => openSubfolder(reached, frame.name))
    if (at - 1 !== begin) close(reached)
    if (next === undefined) return undefined
    reached = next
  }
  return reached
}

/** What was opened, if it is the folder that it was before. */
function same({ dev, ino }: Frame, open: () => number): number | undefined {
  const descriptor = orGone(open)
  if (descriptor === undefined) return undefined
  const found = statOf(descriptor)
  if (found.dev === dev && found.ino === ino) return descriptor
  close(descriptor)
  return undefined
}

function orGone<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}
