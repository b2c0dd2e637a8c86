// Accepts tar only in the form that every tar program reads alike: GNU tar, busybox and tar-stream differ on much of
// the rest. The check and the unpacking are two readings by two programs, and each rule here removes a difference
// between them. Names in pax headers are accepted: what is unpacked is written anew (archive.ts), so no program has to
// understand them.
import { isUtf8 } from 'node:buffer'
import { ApiError } from '../../errors.ts'
import { BLOCK, padding } from './tar-header.ts'

/** Headers that describe the next entry: a name and its NUL, or a few times and numbers. */
const LONG_NAME = 4097
const PAX = 64 * 1024

/** What a pax header may state besides name and size. Vendor extensions that would grant rights are refused. */
const PAX_KEY = /^(?:[acm]time|[ug]id|[ug]name|comment|charset|hdrcharset|(?!GNU\.)[A-Z][A-Za-z0-9]*\..+)$/
const GRANTS = /\.xattr\.(?:security|trusted|system)\./i
const NAMES = ['path', 'linkpath'] as const
/** Some readers detect compression by the first bytes, and some of these could be the name of the first file. */
const COMPRESSED =
  /^(?:BZh|\x1f[\x8b\x9d\x9e\xa0]|\xfd7zXZ|\x28\xb5\x2f\xfd|LZIP|\x89LZO|\x04\x22\x4d\x18|7z\xbc\xaf|PK\x03\x04|Rar!\x1a)/
const ENCRYPTED = /^Salted__/

/** An entry as this reader understands it; names are bytes, one per character. */
export interface FormEntry {
  name: string
  linkname: string
  size: number
}

/** `reason` is fixed text: names from the archive must not appear in responses. */
export const refusal = (reason: string) => new ApiError('invalid', UNABLE, { details: { reason } })
/** The message in the contract. */
export const UNABLE = 'Unable to extract backup archive'

/**
 * Reads headers and skips contents, chunk by chunk. What it passes on is well formed so far; `end` tells whether the
 * archive is complete.
 */
export class TarForm {
  bytes = 0
  entries = 0
  /** Entries that were read and not yet compared with the other reader's. */
  readonly read: FormEntry[] = []
  /** The block or long body that is being collected, and its expected length. */
  #gathered: Buffer[] = []
  #have = 0
  #want = BLOCK
  /** Bytes of content and padding that still have to be skipped. */
  #skip = 0
  /** The type of the header whose body is being collected. */
  #long = ''
  /** Types of descriptions that wait for their entry, and their content. */
  #pending = ''
  #said: Partial<Record<'path' | 'linkpath' | 'size', string>> = {}
  #first = true
  /** Blocks of zeros: two are the end, and nothing else may follow. */
  #zeros = 0

  take(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, chunk.length - at)
        this.#skip -= passed
        at += passed
        continue
      }
      const part = chunk.subarray(at, at + this.#want - this.#have)
      this.#gathered.push(part)
      this.#have += part.length
      at += part.length
      if (this.#have === this.#want) this.#whole(Buffer.concat(this.#gathered))
    }
    this.bytes += chunk.length
  }

  end(): void {
    // A small one may be shorter than a header.
    if (this.#first) refuseOthers(Buffer.concat(this.#gathered).toString('latin1'))
    if (this.#zeros < 2 || this.#have > 0) throw refusal('the archive is cut short')
  }

  #whole(block: Buffer): void {
    const long = this.#long
    const text = block.toString('latin1')
    this.#gathered = []
    this.#have = 0
    this.#want = BLOCK
    this.#long = ''
    if (long !== '') this.#skip = padding(block.length)
    if (long === '') this.#header(text)
    else if (long === 'x') this.#pax(parsePax(text))
    else if (long === 'g') this.#global(parsePax(text))
    else this.#said[long === 'L' ? 'path' : 'linkpath'] = longName(text)
  }

  #pax(records: Map<string, string>): void {
    for (const key of NAMES) {
      const value = records.get(key)
      if (value === undefined) continue
      if (this.#said[key] !== undefined) throw refusal('two names for one entry')
      if (value === '' || !isUtf8(Buffer.from(value, 'latin1'))) throw refusal('a name that is not UTF-8')
      this.#said[key] = value
    }
    const size = records.get('size')
    if (size !== undefined) this.#said.size = size
  }

  /** A global header must not apply to entries for which it is wrong. */
  #global(records: Map<string, string>): void {
    for (const key of [...NAMES, 'size']) if (records.has(key)) throw refusal('a pax header that names all that follow')
  }

  /** Fields by their offset: name 0, mode 100, size 124, type 156, target of a link 157, magic 257, prefix 345. */
  #header(header: string): void {
    if (this.#first) refuseOthers(header)
    this.#first = false
    if (/^\0*$/.test(header)) {
      this.#zeros++
      if (this.#pending !== '') throw refusal('a description without an entry')
      return
    }
    if (this.#zeros > 0) throw refusal('something follows the end of the archive')
    // busybox takes an empty name for the end; it also reads a prefix where GNU's format stores other data.
    if (header[0] === '\0') throw refusal('an empty name')
    const magic = header.slice(257, 265)
    if (magic !== 'ustar\x0000' && magic !== 'ustar  \0') throw refusal('not a tar archive of a known format')
    if (magic === 'ustar  \0' && header[345] !== '\0') throw refusal('a prefix in a format without prefixes')
    if (!/^ *[0-7]+[ \0]*$/.test(header.slice(100, 108))) throw refusal('a mode that is no mode')
    const type = header[156]!
    // busybox makes a hard link of an empty file that has a target.
    if (
      type !== '1' &&
      type !== '2' &&
      (header[157] !== '\0' || (this.#said.linkpath !== undefined && !'LKxg'.includes(type)))
    ) {
      throw refusal('a target of what is no link')
    }
    this.#type(type, this.#size(type, readSize(header.slice(124, 136))), header)
  }

  /** A pax header may give the size where the header's own field is too small, but must agree with it elsewhere. */
  #size(type: string, field: number): number {
    const said = 'LKxg'.includes(type) ? undefined : this.#said.size
    if (said === undefined) return field
    const size = /^\d{1,15}$/.test(said) ? Number(said) : Number.NaN
    const tooLarge = size >= 8 ** 11 && (field === 0 || field === 8 ** 11 - 1)
    if (size !== field && !tooLarge) throw refusal('two sizes for one entry')
    return size
  }

  #type(type: string, size: number, header: string): void {
    if (type === 'L' || type === 'K' || type === 'x' || type === 'g') {
      if (type === 'g' ? this.#pending !== '' : this.#pending.includes(type))
        throw refusal('two descriptions of one entry')
      if (size === 0 || size > ('xg'.includes(type) ? PAX : LONG_NAME)) throw refusal('a description too long or empty')
      if (type !== 'g') this.#pending += type
      this.#long = type
      this.#want = size
      return
    }
    const { path = ownName(header), linkpath = text(header, 157, 257) } = this.#said
    this.read.push({ name: path, linkname: linkpath, size })
    this.#pending = ''
    this.#said = {}
    this.entries++
    if (type === '0' || type === '\0') this.#skip = size + padding(size)
    else if (type !== '1' && type !== '2' && type !== '5') throw refusal('neither a file, a folder nor a link')
    else if (size !== 0) throw refusal('a folder or link with contents')
  }
}

function refuseOthers(start: string): void {
  if (COMPRESSED.test(start)) throw refusal('the archive is compressed')
  if (ENCRYPTED.test(start)) throw refusal('the archive is encrypted')
}

const text = (header: string, from: number, to: number) => header.slice(from, to).split('\0', 1)[0] as string

/** The older format stores the part of a name here that does not fit. */
function ownName(header: string): string {
  const prefix = header.startsWith('ustar\0', 257) ? text(header, 345, 500) : ''
  return (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100)
}

/** Octal digits, or GNU's binary form for more than 8 GiB. */
function readSize(field: string): number {
  if (/^[0-7]{1,12}[ \0]*$/.test(field)) return Number.parseInt(field, 8)
  const size = field[0] === '\x80' ? Number(`0x${Buffer.from(field.slice(1), 'latin1').toString('hex')}`) : Number.NaN
  if (!Number.isSafeInteger(size)) throw refusal('a size that is no size')
  return size
}

function longName(body: string): string {
  if (!/^[^\0]+\0*$/.test(body)) throw refusal('a long name with something behind its end')
  return body.replace(/\0+$/, '')
}

/** Records of `LENGTH KEY=VALUE\n`, each exactly LENGTH bytes. A value that we do not use may be any bytes. */
function parsePax(body: string): Map<string, string> {
  const records = new Map<string, string>()
  let rest = body
  while (rest !== '') {
    const [start, length, key] = /^([1-9]\d{0,5}) ([^=\n]+)=/.exec(rest) ?? []
    const record = rest.slice(0, Number(length))
    if (start === undefined || key === undefined || record.length !== Number(length) || !record.endsWith('\n'))
      throw refusal('a pax header that cannot be read')
    if (record.length <= start.length) throw refusal('a pax header that cannot be read')
    const value = record.slice(start.length, -1)
    // Readers that search for line ends would find another record in such a value.
    if (/[\0\n]/.test(value) && !/^(?:SCHILY|LIBARCHIVE)\.xattr\./.test(key))
      throw refusal('a pax header that cannot be read')
    if (records.has(key)) throw refusal('two descriptions of one entry')
    const named = key === 'path' || key === 'linkpath' || key === 'size'
    if (!named && (!PAX_KEY.test(key) || GRANTS.test(key))) throw refusal('a pax header that changes what an entry is')
    records.set(key, value)
    rest = rest.slice(record.length)
  }
  return records
}
