// Reads files for checks: with time limits, never through a pipe or a device, and with a distinct result for each
// failure.
import { constants, type Stats } from 'node:fs'
import { access, lstat, open, stat } from 'node:fs/promises'
import { errno } from '../../errors.ts'
import { decodeText, TextError } from '../../store/text.ts'
import { groupsOf, type Place, type User } from './place.ts'

export type Read =
  | { state: 'there'; bytes: Buffer; info: Stats }
  | { state: 'missing' }
  /** The user who runs the check may not read it. */
  | { state: 'unseen' }
  | { state: 'wrong'; fault: string }

/** Larger than any list, key or certificate. */
const MOST = 1 << 20

/** A file of any size, if only its `first` bytes are needed. */
export async function readSmall(file: string, first?: number): Promise<Read> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return whyNot(file, errno(error))
  }
  try {
    const info = await handle.stat()
    if (info.isDirectory()) return { state: 'wrong', fault: 'it is a folder' }
    if (!info.isFile()) return { state: 'wrong', fault: 'it is no plain file' }
    if (first !== undefined) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(first), 0, first, 0)
      return { state: 'there', bytes: buffer.subarray(0, bytesRead), info }
    }
    if (info.size > MOST) return { state: 'wrong', fault: 'it is larger than a mebibyte' }
    return { state: 'there', bytes: await handle.readFile(), info }
  } catch (error) {
    return { state: 'wrong', fault: `it cannot be read (${errno(error) ?? 'unknown error'})` }
  } finally {
    await handle.close()
  }
}

async function whyNot(file: string, code: string | undefined): Promise<Read> {
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const link = await lstat(file).catch(() => undefined)
    return link ? { state: 'wrong', fault: 'it is a link to nowhere' } : { state: 'missing' }
  }
  if (code === 'EACCES' || code === 'EPERM') return { state: 'unseen' }
  if (code === 'ELOOP') return { state: 'wrong', fault: 'it is a link that leads to itself' }
  return { state: 'wrong', fault: `it cannot be opened (${code ?? 'unknown error'})` }
}

/**
 * Why the scripts cannot read a list as text, with the wording and rules of `edited` in scripts/lib.sh; undefined if
 * they can.
 */
export function faultForScripts(bytes: Buffer): string | undefined {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === 'feff') return 'it is saved as UTF-16, expected UTF-8'
  return bytes.includes(0) ? 'it holds NUL bytes, expected UTF-8' : undefined
}

/** The text of a file that people edit, or why it cannot be read. */
export function textOf(bytes: Buffer): { text: string; fault?: undefined } | { fault: string } {
  try {
    return { text: decodeText(bytes).replace(/\r$/gm, '') }
  } catch (error) {
    if (!(error instanceof TextError)) throw error
    return { fault: `it holds ${error.message}, expected UTF-8` }
  }
}

/** Whether a user may do what `me` has just done: by owner, groups and mode, if it is a different user. */
export async function mayUse(place: Place, info: Stats, user: User, bits: 4 | 2 | 1): Promise<boolean> {
  return user.uid === place.me.uid || allows(info, user, await groupsOf(place, user), bits)
}

/** Access control lists are not considered. */
function allows(info: Stats, { uid }: User, groups: readonly number[], bits: 4 | 2 | 1): boolean {
  if (uid === 0) return bits !== 1 || info.isDirectory() || (info.mode & 0o111) !== 0
  const shift = info.uid === uid ? 6 : groups.includes(info.gid) ? 3 : 0
  return ((info.mode >> shift) & bits) === bits
}

/** The error code for `user`'s access to a path; undefined if it is allowed, as far as can be seen. */
export async function hinders(place: Place, path: string, user: User, bits: 4 | 2 | 1): Promise<string | undefined> {
  const { me } = place
  const mode = { 4: constants.R_OK, 2: constants.W_OK, 1: constants.X_OK }[bits]
  try {
    await access(path, mode)
  } catch (error) {
    const code = errno(error)
    // A file system that is read-only or noexec is so for everybody.
    if (code === 'EROFS' || user.uid === me.uid || code === 'ENOENT') return code
  }
  if (user.uid === me.uid) return undefined
  const info = await stat(path).catch(() => undefined)
  return !info || (await mayUse(place, info, user, bits)) ? undefined : 'EACCES'
}

/** The path of a program, if tasks would find it. */
export async function findProgram({ path }: Pick<Place, 'path'>, name: string): Promise<string | undefined> {
  for (const folder of path) {
    const file = `${folder}/${name}`
    const usable = await access(file, constants.X_OK).then(
      () => stat(file),
      () => undefined,
    )
    if (usable?.isFile()) return file
  }
  return undefined
}
