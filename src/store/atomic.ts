// Small files that are either the old ones or the new ones, never half: temporary file, fsync, rename, fsync of the folder.
// Synchronous on purpose: a 200-byte file costs 0.4 ms with its fsyncs, and nobody can see the state in between.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno } from '../errors.ts'
import { give, giveToGroup, heirOf } from './owner.ts'
import { decodeText, TextError } from './text.ts'

/**
 * Replaces `file` with `content`, durably. It keeps the owner, the group and the mode that it has (see owner.ts); `mode` and `group` are those of
 * a new one, which root gives to its folder's group where none is named. Refuses to replace anything that is not a regular file.
 * Throws the system's error (ENOSPC, EACCES…) and leaves no temporary file behind. Returns what could not be kept, in words for a log.
 */
export function writeAtomic(
  file: string,
  content: string | Uint8Array,
  mode = 0o640,
  group?: number,
): string | undefined {
  const there = lstatSync(file, { throwIfNoEntry: false })
  if (!(there?.isFile() ?? true)) throw new Error(`not a regular file: ${file}`)
  return replace(file, content, mode, { there, group })
}

/**
 * The same without its fsyncs, for a file that nobody relies on before the caller has made it durable by `syncPaths`, with its folder. A
 * reader still finds all of it or nothing.
 */
export function writeUnsynced(file: string, content: string, mode = 0o640): void {
  replace(file, content, mode, { there: undefined, synced: false })
}

/** Makes files, and the names in folders, survive a power cut. The event loop goes on meanwhile: a slow disk takes tens of milliseconds. */
export async function syncPaths(paths: Iterable<string>): Promise<void> {
  const all = [...new Set(paths)].map(async (path) => {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
  // Every one has ended before an error is thrown: the caller removes the files then.
  const failed = (await Promise.allSettled(all)).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

/**
 * As writeAtomic where a link may lie in the file's place: it is replaced, never followed, by a file with the owner, group and mode of the one that it
 * leads to. An image that runs from memory lays such links to what it keeps on a disk (scripts/memory-image.sh).
 */
export function replaceAtomic(file: string, content: string | Uint8Array, mode = 0o640): string | undefined {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) return writeAtomic(file, content, mode)
  return replace(file, content, mode, { there: statSync(file, { throwIfNoEntry: false }) })
}

function replace(
  file: string,
  content: string | Uint8Array,
  mode: number,
  { there, group, synced = true }: { there: Stats | undefined; group?: number | undefined; synced?: boolean },
): string | undefined {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`)
  let lost: string | undefined
  try {
    // For nobody else until it is whose it shall be.
    const fd = openSync(temporary, 'wx', there ? 0o600 : mode)
    try {
      if (there) lost = give(fd, heirOf(there, mode))
      else giveToGroup(fd, group ?? statSync(dirname(file)).gid)
      writeFileSync(fd, content)
      if (synced) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (synced) syncFolder(dirname(file))
  return lost
}

/** Makes the names in a folder (a rename, a removal) survive a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Bytes of the largest file that is taken for a small one, and of one whose first line counts. */
const MOST = 16 << 20
const LONGEST_LINE = 1 << 16

/**
 * The bytes of a small file; undefined when it (or its folder) is not there, is not a regular file or is not small. Never a pipe or a device, which would hold
 * up the whole server, and a link only where root or we made it: in a folder that others may write to it could lead to what only root may see.
 * `first`: so many bytes of it are enough.
 */
function readBytes(file: string, first?: number): Buffer | undefined {
  const fd = openSmall(file)
  if (fd === undefined) return undefined
  try {
    const info = fstatSync(fd)
    if (!info.isFile()) return undefined
    if (first !== undefined && info.size > first) {
      const bytes = Buffer.alloc(first)
      return bytes.subarray(0, readSync(fd, bytes))
    }
    return info.size > MOST ? undefined : readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

function openSmall(file: string): number | undefined {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  try {
    return openSync(file, flags | constants.O_NOFOLLOW)
  } catch (error) {
    if (!NOT_THERE.includes(errno(error) ?? '')) throw error
    if (errno(error) !== 'ELOOP' || !isTrustedLink(file)) return undefined
  }
  try {
    return openSync(file, flags)
  } catch (error) {
    if (NOT_THERE.includes(errno(error) ?? '')) return undefined
    throw error
  }
}

/** ELOOP: a link, or one that leads to itself; ENXIO: a socket. */
const NOT_THERE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']

function sizeOf(file: string): number | undefined {
  try {
    const info = statSync(file)
    return info.isFile() ? info.size : undefined
  } catch {
    return undefined
  }
}

function isTrustedLink(file: string): boolean {
  const owner = lstatSync(file, { throwIfNoEntry: false })?.uid
  return owner === 0 || owner === process.geteuid?.()
}

/** The text of a small file that a program of ours wrote, or undefined when there is none. */
export const readText = (file: string): string | undefined => readBytes(file)?.toString('utf8')

/** As `readText`, for a file that people edit, by the encoding that it has. Throws what it is where that cannot be read (see text.ts). */
export function readEdited(file: string, bytes = readBytes(file)): string | undefined {
  // Not as good as none: somebody wrote it.
  if (!bytes && (sizeOf(file) ?? 0) > MOST) throw new TextError(`${file}: larger than ${MOST >> 20} MiB`)
  try {
    return bytes && decodeText(bytes)
  } catch (cause) {
    throw new TextError(`${file}: ${cause instanceof Error ? cause.message : cause}; expected UTF-8`, { cause })
  }
}

/**
 * As `readText`, in a folder of somebody less trusted (uploads): never through a link, never a pipe or a device, which would hold up
 * the whole server, and nothing that is larger than a mebibyte.
 */
export function readForeign(file: string): string | undefined {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errno(error) ?? '')) return undefined
    throw error
  }
  try {
    const info = fstatSync(fd)
    return info.isFile() && info.size <= 1 << 20 ? readFileSync(fd, 'utf8') : undefined
  } finally {
    closeSync(fd)
  }
}

/** The value in a JSON file; undefined when the file is missing, cannot be read as text or does not parse. */
export function readJson(file: string): unknown {
  try {
    const bytes = readBytes(file)
    return bytes && JSON.parse(decodeText(bytes))
  } catch {
    return undefined
  }
}

export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The first line of a small file without its line end; undefined when there is no file. */
export function readLine(file: string): string | undefined {
  const bytes = readBytes(file, LONGEST_LINE)
  return bytes && textOrAscii(bytes).split('\n', 1)[0]?.replace(/\r$/, '')
}

/** What cannot be read rightly is shown by its printable ASCII, which is all that the scripts compare of such a line. */
function textOrAscii(bytes: Buffer): string {
  try {
    return decodeText(bytes)
  } catch {
    return bytes.toString('latin1').replace(/[^\n\r -~]/g, '')
  }
}
