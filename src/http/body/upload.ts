// Forms, streamed: files go to disk through one function, text stays small. Nothing of a file is stored before `authorize` agreed.
// The trap: only `pipeline(incoming, busboy)` survives malformed bodies; a bare pipe ends the process on most of them.
import { randomBytes } from 'node:crypto'
import { createWriteStream, openSync, rmSync, statfsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Busboy } from 'busboy'
import { ApiError, errno, invalid } from '../../errors.ts'
import { quoted } from '../../nearest.ts'
import type { Form, ReceivedFile } from '../endpoint.ts'
import { readBytes } from './json-body.ts'
import { contradiction, type Values } from './query.ts'

export interface UploadOptions {
  form: Form
  /** Names of text parts taken besides the form's own: credentials, and what the configuration tolerates. */
  extra: (name: string) => boolean | undefined
  /** Reads a url-encoded form. */
  read: (text: string) => Values
  /** A part may come again with another value: then the last one counts. */
  lastWins: boolean
  /** A text part may come again: all its values are kept. */
  collect?: boolean
  /** Parts that nobody takes are dropped, not refused. */
  ignore?: boolean
  /** The form is about its text (bytes of a part): a refusal does not say how its file is sent. */
  textLimit?: number
  /** Size limit in bytes of a file part. */
  limit: (name: string) => number
  /** Folder for a file part while it arrives. */
  folder: (name: string) => string
  /** Milliseconds without a byte after which the client is given up. */
  idle: number
  /** Decides, from the text parts so far, whether a file may be stored. Throws the refusal. */
  authorize: (fields: Values) => void
}

export interface Received {
  fields: Values
  files: Record<string, ReceivedFile>
}

type Library = typeof import('busboy')
/** Loaded with the first such form: a start needs none. */
let library: Library | undefined

/** Bytes that a disk keeps free whatever is uploaded. */
const RESERVE = 16 * 1024 * 1024
const TEXT_LIMIT = 4096
const PARTS = 24
/** Bytes of a body outside its files: headers, text, and what stands before, between and after the parts. */
const OVERHEAD = 2 << 20

/** Reads a form. On any failure every file stored so far is gone again. */
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
  // A body of another type, or none: there is nothing in it that an endpoint could want.
  const announced = Number(incoming.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in incoming.headers
  const wanted = `Expected a body of type multipart/form-data${howTo(options)}`
  if (announced && type !== '') throw new ApiError('unsupported', wanted)
  if (announced) throw invalid(wanted)
  return { fields: Object.create(null), files: {} }
}

/** `--data-binary @FILE` sends the file as the body itself, and under a type of form. */
const howTo = ({ form, textLimit }: UploadOptions) => {
  const file = textLimit === undefined && Object.entries(form).find(([, { kind }]) => kind === 'file')?.[0]
  return !file ? '' : `. Send the file as its part ${file}: curl -F ${file}=@FILE`
}

/** A part of the form's own: `constructor` is a name that every object has. */
const declared = (form: Form, name: string) => (Object.hasOwn(form, name) ? form[name] : undefined)

/** Whether somebody takes the text of this name; throws where what nobody takes is refused. */
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
  library ??= (await import('busboy')).default
  const parser = createParser(library, incoming, textLimit)
  // The first refusal wins, ends the parser, and with it the whole pipeline.
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
    // The end of the parser is an error of every part that is still open; the one that counts is the refusal.
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
  // A byte now and then keeps that watch content for days; the text before the first file takes seconds.
  const late = setTimeout(() => refuse(new ApiError('timeout', 'The body arrives too slowly')), options.idle * 4)
  const measure = (chunk: Buffer) => {
    outside += chunk.length
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
      limits: { parts: PARTS, fields: PARTS, files: 8, fieldSize: textLimit, fieldNameSize: 64, headerPairs: 16 },
    })
  } catch {
    throw invalid('Malformed multipart body')
  }
}

/** Writes one file part, to the disk's surface. Returns its size in bytes. */
async function storeFile(stream: Readable, path: string, name: string, limit: number): Promise<number> {
  const { blocks, bavail, bsize } = statfsSync(dirname(path))
  // A file system that does not tell its size is not full.
  const free = blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
  // Opened here and now: an open that is still under way when the client goes would make the file after it was removed.
  const fd = openSync(path, 'wx', 0o600)
  let size = 0
  // Counted beside the pipeline, not in it: one more stage would cost a tenth of the speed.
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > limit) stream.destroy(tooLarge(name, limit, size))
    else if (size > free - RESERVE) stream.destroy(new ApiError('no-space', 'Not enough free disk space'))
  })
  // In the same step as the listener above: a stream that somebody listens to flows. `flush` is an fsync before the close.
  await pipeline(stream, createWriteStream('', { fd, flush: true }))
  return size
}

/** The refusal of a file over its limit; `size` is what is known of it, in bytes. */
export const tooLarge = (name: string, limit: number, size: number) =>
  new ApiError('too-large', `File too large for option: ${name}. Allowed: <= ${limit} bytes, received: ${size} bytes`)

/** Calls `give` when no byte came for `idle` milliseconds; returns the function that ends the watch. */
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
  const code = errno(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ApiError('no-space', 'Not enough free disk space', { cause: error })
  if (code?.startsWith('E') && !code.startsWith('ERR_') && code !== 'ECONNRESET' && code !== 'EPIPE') return error
  return invalid('Malformed multipart body', { cause: error })
}
