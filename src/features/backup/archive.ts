// Checks a backup archive before it is unpacked: reads it completely, once, and keeps only digests of its names. It has
// to be unpacked into an empty folder, because existing links there are not checked.
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Header } from 'tar-stream'
import { ApiError, errno } from '../../errors.ts'
import { Breath } from '../../store/breath.ts'
import { refusal, TarForm } from './tar-form.ts'
import { END, type PlainEntry, padding, plainHeader } from './tar-header.ts'
import { Tree } from './tree.ts'

export interface ArchiveLimits {
  /** Entries, including the folders that they imply. */
  entries: number
  /** Bytes of all contents together. */
  bytes: number
  /** The nesting of folders, including the entry itself. */
  depth: number
  /** Bytes of the archive itself. */
  archiveBytes?: number
}

export interface ArchiveEntry {
  name: string
  type: Header['type']
  /** bytes */
  size: number
}

/** Bytes: headers of 32 entries. */
const PIECE = 16 * 1024
/** The nesting of folders that a backup may have. */
export const DEPTH = 64

/**
 * Refuses an archive that could write outside its folder, or that two tar programs could read differently. `source` is
 * always consumed or destroyed. A failure of the source itself is rethrown.
 */
export const screenArchive = (source: Readable, limits: ArchiveLimits, onEntry?: (entry: ArchiveEntry) => void) =>
  readArchive(source, limits, onEntry)

/**
 * As `screenArchive`, and writes the same entries to `out`, for unpacking, in the one form that every tar program reads
 * alike.
 */
export async function plainArchive(source: Readable, limits: ArchiveLimits, out: Writable): Promise<void> {
  await readArchive(source, limits, undefined, async (header, contents) => {
    const { type, size, mode } = header
    const entry = { name: header.name, type: type as PlainEntry['type'], size, mode, linkname: header.linkname ?? '' }
    await send(out, plainHeader({ ...entry, mtime: changed(header) }))
    for await (const chunk of contents as AsyncIterable<Buffer>) await send(out, chunk)
    if (padding(size) > 0) await send(out, Buffer.alloc(padding(size)))
  })
  await send(out, END)
}

/**
 * Seconds since 1970. A pax header has the fraction; Python rounds the header's own field, so a new file would be half
 * a second in the future.
 */
function changed({ mtime, pax }: Header): number {
  const { mtime: exact } = (pax ?? {}) as { mtime?: string }
  return exact && /^\d{1,12}(?:\.\d*)?$/.test(exact) ? Number(exact) : (mtime?.getTime() ?? 0) / 1000
}

async function send(out: Writable, bytes: Buffer): Promise<void> {
  if (!out.write(bytes)) await once(out, 'drain')
}

async function readArchive(
  source: Readable,
  limits: ArchiveLimits,
  onEntry?: (entry: ArchiveEntry) => void,
  pass?: (header: Header, contents: Readable) => Promise<void>,
): Promise<{ entries: number; bytes: number }> {
  const form = new TarForm()
  const tree = new Tree(limits)
  const total = { entries: 0, bytes: 0 }

  // The format is checked first: tar-stream sees only what has passed.
  async function* wellFormed(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of inPieces(chunks)) {
      form.take(chunk)
      if (form.bytes > (limits.archiveBytes ?? Number.POSITIVE_INFINITY)) throw refusal('the archive is too large')
      yield chunk
    }
    form.end()
  }

  const check = (header: Header) => {
    const own = form.read.shift()
    // The text of a pax header was decoded; it is known to be UTF-8.
    const { path, linkpath } = (header.pax ?? {}) as { path?: string; linkpath?: string }
    const bytes = (text: string | null | undefined, decoded: unknown) =>
      decoded === undefined ? (text ?? '') : Buffer.from(text ?? '').toString('latin1')
    header.name = bytes(header.name, path)
    header.linkname = bytes(header.linkname, linkpath)
    if (own?.name !== header.name || own.linkname !== header.linkname || own.size !== header.size)
      throw refusal('two readings that differ')
    if (++total.entries > limits.entries) throw refusal('too many entries')
    total.bytes += header.size
    if (!(total.bytes <= limits.bytes)) throw refusal('too many bytes')
    onEntry?.({ name: Buffer.from(header.name, 'latin1').toString(), type: header.type, size: header.size })
    place(tree, header)
  }

  const { extract } = await import('tar-stream')
  // Names stay bytes, one per character: decoding would make different names equal.
  const reader = extract({ filenameEncoding: 'latin1' } as Parameters<typeof extract>[0])
  reader.on('entry', (header, contents, next) => {
    // A refusal also has to reach the content stream; without a listener there it would end the process.
    contents.on('error', () => {})
    try {
      check(header)
    } catch (error) {
      return next(error as Error)
    }
    if (pass) return void pass(header, contents as unknown as Readable).then(() => next(), next)
    contents.on('end', next)
    contents.resume()
  })
  try {
    await pipeline(source, wellFormed, reader as unknown as NodeJS.WritableStream)
  } catch (cause) {
    // Our errors and those of the source have a code; those of tar-stream do not.
    if (cause instanceof ApiError || errno(cause) !== undefined) throw cause
    throw refusal('not a tar archive, or a damaged one')
  }
  if (total.entries === 0) throw refusal('the archive is empty')
  if (total.entries !== form.entries) throw refusal('two readings that differ')
  return total
}

/**
 * A few entries at a time, with a turn for other requests in between: an archive of empty files has hundreds of entries
 * in each chunk.
 */
async function* inPieces(chunks: AsyncIterable<Buffer>) {
  const breath = new Breath()
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      yield chunk.subarray(at, at + PIECE)
      await breath.take()
    }
  }
}

function place(tree: Tree, { type, name, linkname, mode }: Header): void {
  // busybox's tar always sets these bits. On a folder the group bit is common, and harmless.
  if ((type === 'file' || type === 'link') && (mode & 0o6000) !== 0) throw refusal('a set-user-id or set-group-id file')
  if (type === 'file') tree.file(name)
  else if (type === 'directory') tree.folder(name)
  else if (type === 'symlink') tree.symlink(name, linkname ?? '')
  else if (type === 'link') tree.hardLink(name, linkname ?? '')
  else throw refusal('neither a file, a folder nor a link')
}
