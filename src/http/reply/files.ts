// Files as answers. The one place that opens a file for a client: always a name of ours in a folder of ours, and never
// through a link.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errno, notFound, raise } from '../../errors.ts'
import { parseWritten } from '../../store/json-text.ts'
import { decodeText } from '../../store/text.ts'
import { OpenFile } from './open-file.ts'
import type { Reply } from './reply.ts'

/**
 * The file, open for reading; undefined when it does not exist. The caller must still check that it is a regular file.
 */
function open(folder: string, name: string): number | undefined {
  try {
    return openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}

/** The content of a small file; undefined when it is not a regular file, or is larger than `most` bytes. */
export function readPlain(folder: string, name: string, most = Number.POSITIVE_INFINITY): Buffer | undefined {
  const fd = open(folder, name)
  if (fd === undefined) return undefined
  try {
    const info = fstatSync(fd)
    return info.isFile() && info.size <= most ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

/** Bytes of the largest file that is read into memory. */
const MOST = 4 << 20

/**
 * A small text that people edit, as UTF-8 whatever encoding the editor used. A file that cannot be decoded, or is
 * large, is sent as it is.
 */
export function editedReply(folder: string, name: string, headers: Record<string, string>): Reply {
  try {
    const body = decodeText(readPlain(folder, name, MOST) ?? raise(notFound()))
    return { status: 200, headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }, body }
  } catch {
    return fileReply(folder, name, headers)
  }
}

/** The same for JSON, and only for JSON: 404, with the reason, for a file that a client's parser would reject. */
export function editedJson(folder: string, name: string, headers: Record<string, string>): Reply {
  const bytes = readPlain(folder, name, MOST) ?? raise(notFound())
  try {
    const body = decodeText(bytes)
    parseWritten(body)
    return { status: 200, headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }, body }
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : 'no text'
    throw notFound('', { cause, words: `${name} on this system is not JSON in UTF-8. Found: ${found}` })
  }
}

/** Streams `<folder>/<name>`, or the requested part of it; 404 when it is not a regular file. */
export function fileReply(folder: string, name: string, headers: Record<string, string>): Reply {
  const fd = open(folder, name)
  if (fd === undefined) throw notFound()
  return { status: 200, headers, body: '', file: new OpenFile(fd) }
}

/** As `fileReply`, as a download under its name. */
export const downloadReply = (folder: string, name: string, type: string): Reply =>
  fileReply(folder, name, {
    'Content-Type': type,
    'Cache-Control': 'max-age=1',
    'Content-Disposition': `attachment; filename="${name}"`,
  })
