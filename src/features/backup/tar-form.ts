// Takes tar only in the form that every tar program reads alike: GNU tar, busybox and tar-stream differ on much of the rest.
// The trap: what is screened and what is unpacked are two readings by two programs. Each rule here closes a way to make them differ.
import { ApiError } from '../../http/errors.ts'

export const BLOCK = 512
/** Bodies of headers that describe the next entry: a name and its NUL, or a few times and numbers. */
const LONG_NAME = 4097
const PAX = 64 * 1024

/** What a pax header may say. `path`, `linkpath` and `size` are for some readers only, `GNU.sparse.*` changes all. */
const PAX_KEY = /^(?:[acm]time|[ug]id|[ug]name|comment|(?:SCHILY|LIBARCHIVE)\.(?:dev|ino|nlink|fflags|creationtime))$/
/** Some readers tell compression by the first bytes, and these could be the name of the first file. */
const COMPRESSED = /^(?:BZh|\x1f[\x8b\x9d\x9e\xa0]|\xfd7zXZ|\x28\xb5\x2f\xfd|LZIP|\x89LZO)/

/** `reason` is fixed text: the archive's own names stay out of answers. */
export const refusal = (reason: string) =>
  new ApiError('invalid', 'Unable to extract backup archive', { details: { reason } })

/** Reads headers and skips contents, chunk by chunk. What it lets pass is well formed up to there; `end` says whether it was all. */
export class TarForm {
  bytes = 0
  entries = 0
  /** The block or the long body that is being gathered, and its wanted length. */
  #gathered: Buffer[] = []
  #have = 0
  #want = BLOCK
  /** Bytes of contents and padding still to pass over. */
  #skip = 0
  /** The type of the header whose body is gathered. */
  #long = ''
  /** Types of descriptions that wait for their entry. */
  #pending = ''
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
    else if (long === 'x') checkPax(text)
    else checkLongName(text)
  }

  /** Fields by their offset: name 0, mode 100, size 124, type 156, target of a link 157, magic 257, prefix 345. */
  #header(header: string): void {
    if (this.#first && COMPRESSED.test(header)) throw refusal('the archive is compressed')
    this.#first = false
    if (/^\0*$/.test(header)) {
      this.#zeros++
      if (this.#pending !== '') throw refusal('a description without an entry')
      return
    }
    if (this.#zeros > 0) throw refusal('something follows the end of the archive')
    // busybox takes an empty name for the end; it also reads a prefix where GNU's format keeps other things.
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
      (header[157] !== '\0' || (this.#pending.includes('K') && !'LKx'.includes(type)))
    ) {
      throw refusal('a target of what is no link')
    }
    this.#type(type, readSize(header.slice(124, 136)))
  }

  #type(type: string, size: number): void {
    if (type === 'L' || type === 'K' || type === 'x') {
      if (this.#pending.includes(type)) throw refusal('two descriptions of one entry')
      if (size === 0 || size > (type === 'x' ? PAX : LONG_NAME)) throw refusal('a description too long or empty')
      this.#pending += type
      this.#long = type
      this.#want = size
      return
    }
    this.#pending = ''
    this.entries++
    if (type === '0' || type === '\0') this.#skip = size + padding(size)
    else if (type !== '1' && type !== '2' && type !== '5') throw refusal('neither a file, a folder nor a link')
    else if (size !== 0) throw refusal('a folder or link with contents')
  }
}

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK

/** Octal digits, or GNU's binary for more than 8 GiB. */
function readSize(field: string): number {
  if (/^[0-7]{1,12}[ \0]*$/.test(field)) return Number.parseInt(field, 8)
  const size = field[0] === '\x80' ? Number(`0x${Buffer.from(field.slice(1), 'latin1').toString('hex')}`) : Number.NaN
  if (!Number.isSafeInteger(size)) throw refusal('a size that is no size')
  return size
}

function checkLongName(body: string): void {
  if (!/^[^\0]+\0*$/.test(body)) throw refusal('a long name with something behind its end')
}

/** Records of `LENGTH KEY=VALUE\n`, each as long as it says. */
function checkPax(body: string): void {
  let rest = body
  while (rest !== '') {
    const [, length, key] = /^([1-9]\d{0,5}) ([^=\n]+)=/.exec(rest) ?? []
    const record = rest.slice(0, Number(length))
    if (key === undefined || record.length !== Number(length) || !/^[^\0\n]*\n$/.test(record)) {
      throw refusal('a pax header that cannot be read')
    }
    if (!PAX_KEY.test(key)) throw refusal('a pax header that changes what an entry is')
    rest = rest.slice(record.length)
  }
}
