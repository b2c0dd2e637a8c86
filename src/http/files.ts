// Files as answers. The one place that opens a file for a client: always a name of ours in a folder of ours, never through a link.
import { closeSync, constants, createReadStream, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeText } from '../store/text.ts'
import { errno, notFound, raise } from './errors.ts'
import type { Reply } from './reply.ts'

/** The file, open for reading; undefined when there is none of that name. Whether it is a regular one is still to be asked. */
function open(folder: string, name: string): number | undefined {
  try {
    return openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}

/** The bytes of a small file; undefined when it is not a regular one. */
export function readPlain(folder: string, name: string): Buffer | undefined {
  const fd = open(folder, name)
  if (fd === undefined) return undefined
  try {
    return fstatSync(fd).isFile() ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

/** A small text that people edit, as UTF-8 whatever an editor made of it. What cannot be read so goes out as it is. */
export function editedReply(folder: string, name: string, headers: Record<string, string>): Reply {
  const bytes = readPlain(folder, name) ?? raise(notFound())
  try {
    const body = decodeText(bytes)
    return { status: 200, headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }, body }
  } catch {
    return fileReply(folder, name, headers)
  }
}

/** Streams `<folder>/<name>`; 404 when it is not a regular file. */
export function fileReply(folder: string, name: string, headers: Record<string, string>): Reply {
  const fd = open(folder, name)
  if (fd === undefined) throw notFound()
  const info = fstatSync(fd)
  const body = createReadStream('', { fd, end: Math.max(0, info.size - 1) })
  if (!info.isFile()) {
    body.destroy()
    throw notFound()
  }
  if (info.size === 0) {
    body.destroy()
    return { status: 200, headers: { ...headers, 'Content-Length': '0' }, body: '' }
  }
  return { status: 200, headers: { ...headers, 'Content-Length': String(info.size) }, body }
}

/** As `fileReply`, for saving under its name. */
export const downloadReply = (folder: string, name: string, type: string): Reply =>
  fileReply(folder, name, {
    'Content-Type': type,
    'Cache-Control': 'max-age=1',
    'Content-Disposition': `attachment; filename="${name}"`,
  })
