// Streams forms: files go to disk through one function, text fields stay small. No file is stored before `authorize`
// has agreed. Use `pipeline(incoming, busboy)` only: with a bare pipe most malformed bodies end the process.
import { randomBytes } from 'node:crypto'
import { createWriteStream, openSync, rmSync, statfsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Busboy } from 'busboy'
import { ApiError, errno, invalid, isFull, NO_SPACE, noSpace } from '../../errors.ts'
import { loadLater } from '../../loaded-later.ts'
import { quoted } from '../../nearest.ts'
import type { Form, ReceivedFile } from '../endpoint.ts'
import { readBytes } from './json-body.ts'
import { contradiction, type Values } from './query.ts'

export interface UploadOptions {
  form: Form
  /** Names of text fields accepted besides the form's own: credentials, and those that the configuration tolerates. */
  extra: (name: string) => boolean | undefined
  /** Reads a url-encoded form. */
  read: (text: string) => Values
  /** A field may be repeated: the last value counts. */
  lastWins: boolean
  /** A text field may be repeated: all its values are kept. */
  collect?: boolean
  /** Fields that are not declared are dropped, not refused. */
  ignore?: boolean
  /** For forms of text only, the size limit of a field in bytes. A refusal then does not explain how to send a file. */
  textLimit?: number
  /** Size limit in bytes of a file part. */
  limit: (name: string) => number
  /** Folder for a file part while it arrives. */
  folder: (name: string) => string
  /** Milliseconds without a byte after which the upload is aborted. */
  idle: number
  /** Decides, from the text fields so far, whether a file may be stored. Throws the refusal. */
  authorize: (fields: Values) => void
}

export interface Received {
  fields: Values
  files: Record<string, ReceivedFile>
}

type Library = typeof import('busboy')
/** Loaded with the first multipart form, to keep the start lean. */
let library: Library | undefined

/** Bytes that stay free on the disk whatever is uploaded. */
const RESERVE = 16 * 1024 * 1024
const TEXT_LIMIT = 4096
const PARTS = 24
/**
 * Bytes of a body after which its buffers are freed: V8 waits until those of one generation take 32 MB. Needs
 * `--expose-gc`; a collection of young objects takes half a millisecond.
 */
const COLLECT = 8 << 20
/**
 * Bytes of a file that each stage of the way to the disk may hold. By default it is 16 KB, less than a chunk of the
 * socket: every chunk then waits for the write of the one before. Those that arrive during a write go into one writev.
 */
const BUFFER = 256 << 10
/** Bytes of a body outside its files: headers, text, and what stands before, between and after the parts. */
const OVERHEAD = 2 << 20

/** Reads a form. On any failure every file stored so far is removed. */
export async function receive(incoming: IncomingMessage, options: UploadOptions): Promise<Received> {
  const type = incoming.headers['content-type'] ?? ''
  if (/^multipart\/form-data\s*(;|$)/i.test(type)) return receiveMultipart(incoming, options)
  if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    try {
      const fields = options.read((await readBytes(incoming, 16 * TEXT_LIMIT, options.idle)).toString('utf8'))
      for (const name of Object.keys(fields)) if (!isTaken(name, options)) delete fields[name]
      return { fields, files: {} }
    } catch (error) {
      const how = error instanceof ApiError && error.kind !== 'timeout' && howTo(options)
      throw how ? new ApiError(error.kind, error.message && error.message + how, { words: error.words + how }) : error
    }
  }
  // A body of another type, or no body: it cannot contain anything that the endpoint takes.
  const announced = Number(incoming.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in incoming.headers
  const wanted = `Expected a body of type multipart/form-data${howTo(options)}`
  if (announced && type !== '') throw new ApiError('unsupported', wanted)
  if (announced) throw invalid(wanted)
  return { fields: Object.create(null), files: {} }
}

/** Hint for `--data-binary @FILE`, which sends the file as the body itself under a form content type. */
const howTo = ({ form, textLimit }: UploadOptions) => {
  const file = textLimit === undefined && Object.entries(form).find(([, { kind }]) => kind === 'file')?.[0]
  return !file ? '' : `. Send the file as its part ${file}: curl -F ${file}=@FILE`
}

/** A field that the form declares. Own properties only: every object has a `constructor`. */
const declared = (form: Form, name: string) => (Object.hasOwn(form, name) ? form[name] : undefined)

/** Whether the text field of this name is accepted; throws if undeclared fields are refused. */
function isTaken(name: string, { form, extra, ignore }: UploadOptions): boolean {
  const part = declared(form, name)
  if (part?.kind === 'file') throw invalid(`Expected a file for option: ${name}`)
  if (part || extra(name)) return true
  if (ignore) return false
  throw invalid('Unknown parameter')
}

async function receiveMultipart(incoming: IncomingMessage, options: UploadOptions): Promise<Received> {
  const fields: Values = Object.create(null)
  const files: Record<string, ReceivedFile> = Object.create(null)
  const stored: string[] = []
  const seen = new Set<string>()
  const writes: Promise<void>[] = []
  let refusal: unknown
  let outside = 0
  const { textLimit = TEXT_LIMIT } = options
  library ??= (await loadLater(() => import('busboy'))).default
  const parser = createParser(library, incoming, textLimit)
  // The first refusal wins and ends the parser, and with it the whole pipeline.
  const refuse = (error: unknown) => {
    refusal ??= error
    parser.destroy(error instanceof Error ? error : undefined)
  }
  parser.on('partsLimit', () => refuse(invalid('Too many parts in the form')))
  parser.on('field', (name, value, { nameTruncated, valueTruncated }) => {
    try {
      if (nameTruncated || valueTruncated) throw invalid(`A text part is longer than ${textLimit} bytes`)
      if (!isTaken(name, options)) return
      const known = fields[name]
      if (known !== undefined && options.collect) fields[name] = [known, value].flat()
      else if (known !== undefined && !options.lastWins && known !== value) throw contradiction(name)
      else fields[name] = value
    } catch (error) {
      refuse(error)
    }
  })
  parser.on('file', (name, stream, { filename }) => {
    // Ending the parser raises an error on every part that is still open; the refusal is the one that counts.
    stream.on('error', () => {})
    try {
      const part = declared(options.form, name)
      if (!part && options.ignore) {
        stream.resume()
        return
      }
      if (!part) throw invalid('Unknown parameter')
      if (!options.lastWins && seen.has(name)) throw invalid(`The option ${quoted(name)} came more than once`)
      seen.add(name)
      if (part.kind === 'text') throw invalid(`Expected text, not a file, for option: ${name}`)
      options.authorize(fields)
      if (!filename) {
        stream.resume()
        return
      }
      const path = join(options.folder(name), `upload-${randomBytes(12).toString('hex')}`)
      const order = stored.push(path)
      clearTimeout(late)
      stream.on('data', (chunk: Buffer) => {
        outside -= chunk.length
      })
      const write = storeFile(stream, path, name, options.limit(name)).then((size) => {
        // The last of a repeated part wins, as with parameters, whichever reached the disk first.
        const other = files[name]
        const last = !other || stored.indexOf(other.path) < order
        const dropped = last ? other?.path : path
        if (dropped) rmSync(dropped, { force: true })
        if (last) files[name] = { path, name: filename, size }
      })
      writes.push(write)
      write.catch(refuse)
    } catch (error) {
      refuse(error)
    }
  })
  const calm = watchIdle(incoming, options.idle, refuse)
  // A client that sends a byte now and then would satisfy the idle limit for days; the text before the first file takes
  // seconds.
  const late = setTimeout(() => refuse(new ApiError('timeout', 'The body arrives too slowly')), options.idle * 4)
  let uncollected = 0
  const measure = (chunk: Buffer) => {
    outside += chunk.length
    uncollected += chunk.length
    if (uncollected > COLLECT) {
      uncollected = 0
      globalThis.gc?.({ type: 'minor' })
    }
    if (outside > OVERHEAD) refuse(new ApiError('too-large', 'Too much in the form besides its files'))
  }
  incoming.on('data', measure)
  try {
    await pipeline(incoming, parser)
    await Promise.all(writes)
    if (refusal) throw refusal
    return { fields, files }
  } catch (error) {
    await Promise.allSettled(writes)
    for (const path of stored) rmSync(path, { force: true })
    throw asApiError(refusal ?? error)
  } finally {
    calm()
    clearTimeout(late)
    incoming.off('data', measure)
  }
}

function createParser(busboy: Library, incoming: IncomingMessage, textLimit: number): Busboy {
  try {
    return busboy({
      headers: incoming.headers,
      defParamCharset: 'utf8',
      ...{ highWaterMark: BUFFER, fileHwm: BUFFER },
      limits: { parts: PARTS, fields: PARTS, files: 8, fieldSize: textLimit, fieldNameSize: 64, headerPairs: 16 },
    })
  } catch {
    throw invalid('Malformed multipart body')
  }
}

/** Writes one file part and flushes it to the disk. Returns its size in bytes. */
async function storeFile(stream: Readable, path: string, name: string, limit: number): Promise<number> {
  const { blocks, bavail, bsize } = statfsSync(dirname(path))
  // A file system that does not report its size is not considered full.
  const free = blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
  // Open synchronously: an async open could recreate the file after cleanup removed it.
  const fd = openSync(path, 'wx', 0o600)
  let size = 0
  // Counted beside the pipeline: one more stage in it would cost a tenth of the speed.
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > limit) stream.destroy(tooLarge(name, limit, size))
    else if (size > free - RESERVE) stream.destroy(new ApiError('no-space', NO_SPACE))
  })
  // In the same tick as the listener above, because a stream with a `data` listener flows at once. `flush` calls fsync
  // before the close.
  await pipeline(stream, createWriteStream('', { fd, flush: true, highWaterMark: BUFFER }))
  return size
}

/** The refusal of a file over its limit; `size` is its known size in bytes. */
export const tooLarge = (name: string, limit: number, size: number) =>
  new ApiError('too-large', `File too large for option: ${name}. Allowed: <= ${limit} bytes, received: ${size} bytes`)

/** Calls `give` when no byte has arrived for `idle` milliseconds; returns a function that ends the watch. */
function watchIdle(incoming: IncomingMessage, idle: number, give: (error: ApiError) => void): () => void {
  const timer = setTimeout(() => give(new ApiError('timeout', 'The body stopped arriving')), idle)
  const touch = () => timer.refresh()
  incoming.on('data', touch)
  return () => {
    clearTimeout(timer)
    incoming.off('data', touch)
  }
}

function asApiError(error: unknown): unknown {
  if (error instanceof ApiError) return error
  if (isFull(error)) return noSpace(error)
  const code = errno(error)
  if (code?.startsWith('E') && !code.startsWith('ERR_') && code !== 'ECONNRESET' && code !== 'EPIPE') return error
  return invalid('Malformed multipart body', { cause: error })
}
