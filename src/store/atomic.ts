// Replaces small files atomically: temporary file, fsync, rename, fsync of the folder. Synchronous on purpose: a
// 200-byte file costs 0.4 ms with its fsyncs, and nobody can see a state in between.
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
 * Replaces `file` with `content`, durably. The file keeps its owner, group and mode (see owner.ts); `mode` and `group`
 * are for a new file, which root gives to its folder's group if none is named. Refuses to replace anything that is not
 * a regular file. Throws the system's error (ENOSPC, EACCES…) and leaves no temporary file behind. Returns what could
 * not be kept, as text for a log.
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
 * The same without its fsyncs, for a file that nobody relies on until the caller has made it durable with `syncPaths`,
 * together with its folder. A reader still finds all of it or nothing.
 */
export function writeUnsynced(file: string, content: string, mode = 0o640): void {
  replace(file, content, mode, { there: undefined, synced: false })
}

/**
 * Makes files, and the names in folders, survive a power cut. Asynchronous, because a slow disk takes tens of
 * milliseconds.
 */
export async function syncPaths(paths: Iterable<string>): Promise<void> {
  const all = [...new Set(paths)].map(async (path) => {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
  // Wait for all of them before throwing an error: the caller removes the files then.
  const failed = (await Promise.allSettled(all)).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

/**
 * As writeAtomic, but a link in the file's place is replaced, never followed, by a file with the owner, group and mode
 * of the link's target. An image that runs from memory has such links to files that it keeps on a disk
 * (scripts/memory-image.sh).
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
    // Closed to others until it has its final owner.
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
    replaced += 1
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (synced) syncFolder(dirname(file))
  return lost
}

let replaced = 0
/** How many files this process has replaced: what was read before may be old. */
export const writes = (): number => replaced

/** Makes the names in a folder (a rename, a removal) survive a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The maximum size in bytes of a small file, and of a file whose first line is read. */
const MOST = 16 << 20
const LONGEST_LINE = 1 << 16

/**
 * The bytes of a small file; undefined if it (or its folder) does not exist, is not a regular file or is too large.
 * Never reads a pipe or a device, which would block the whole server, and follows a link only if root or this user made
 * it: in a folder that others can write to it could lead to a file that only root may read. `first`: read only so many
 * bytes.
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

/** ELOOP: a link that must not be followed, or a circular one; ENXIO: a socket. */
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

/** The text of a small file that one of our programs wrote; undefined if there is none. */
export const readText = (file: string): string | undefined => readBytes(file)?.toString('utf8')

/**
 * As `readText`, for a file that people edit, in its own encoding. Throws a description if it cannot be decoded (see
 * text.ts).
 */
export function readEdited(file: string, bytes = readBytes(file)): string | undefined {
  // Not treated as missing: somebody wrote it.
  if (!bytes && (sizeOf(file) ?? 0) > MOST) throw new TextError(`${file}: larger than ${MOST >> 20} MiB`)
  try {
    return bytes && decodeText(bytes)
  } catch (cause) {
    throw new TextError(`${file}: ${cause instanceof Error ? cause.message : cause}; expected UTF-8`, { cause })
  }
}

/**
 * As `readText`, in a folder of a less trusted user (uploads): never through a link, never a pipe or a device, which
 * would block the whole server, and nothing larger than a mebibyte.
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

/** The value in a JSON file; undefined if the file does not exist, cannot be read as text or does not parse. */
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

/** The first line of a small file without its line end; undefined if there is no file. */
export function readLine(file: string): string | undefined {
  const bytes = readBytes(file, LONGEST_LINE)
  return bytes && textOrAscii(bytes).split('\n', 1)[0]?.replace(/\r$/, '')
}

/**
 * Bytes that cannot be decoded are reduced to printable ASCII, which is all that the scripts compare of such a line.
 */
function textOrAscii(bytes: Buffer): string {
  try {
    return decodeText(bytes)
  } catch {
    return bytes.toString('latin1').replace(/[^\n\r -~]/g, '')
  }
}
