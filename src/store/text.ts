// Text that people write and edit: UTF-8, or the encodings of Windows editors. It is decoded correctly or refused with
// the name of the problem; no character is silently lost or replaced. CRLF is kept: readers that go by lines handle it.
import { isUtf8 } from 'node:buffer'

/** Bytes that cannot be decoded reliably; `message` says what they are. */
export class TextError extends Error {}

/**
 * The text of `bytes`, without a byte order mark. Throws a TextError with what was found, such as "UTF-16 without a
 * byte order mark".
 */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (begins(buffer, 0xff, 0xfe, 0, 0) || begins(buffer, 0, 0, 0xfe, 0xff)) throw new TextError('UTF-32')
  if (begins(buffer, 0xff, 0xfe)) return withoutNul(utf16(buffer.subarray(2)))
  // A copy, because the bytes are swapped in place.
  if (begins(buffer, 0xfe, 0xff)) return withoutNul(utf16(buffer.subarray(2), (copy) => copy.swap16()))
  if (buffer.includes(0)) throw new TextError(zeros(buffer))
  return utf8(begins(buffer, 0xef, 0xbb, 0xbf) ? buffer.subarray(3) : buffer)
}

const begins = (buffer: Buffer, ...mark: number[]) => mark.every((byte, i) => buffer[i] === byte)

function utf8(buffer: Buffer): string {
  if (!isUtf8(buffer)) throw new TextError('bytes that are not UTF-8')
  return buffer.toString()
}

function utf16(buffer: Buffer, turn = (copy: Buffer) => copy): string {
  if (buffer.length % 2 !== 0) throw new TextError('UTF-16 with half a character at its end')
  const text = turn(Buffer.from(buffer)).toString('utf16le')
  if (/\p{Surrogate}/u.test(text)) throw new TextError('UTF-16 with half of a surrogate pair')
  return text
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new TextError('NUL characters')
  return text
}

/** The most likely encoding of bytes that contain zeros and have no byte order mark. */
function zeros(buffer: Buffer): string {
  const looked = buffer.subarray(0, 4096)
  /** The share of zeros among every `step`th byte, from 0 to 1. */
  const share = (place: number, step: number) => {
    const bytes = looked.filter((_byte, i) => i % step === place)
    return bytes.filter((byte) => byte === 0).length / Math.max(1, bytes.length)
  }
  const [first, second, third, last] = [share(0, 4), share(1, 4), share(2, 4), share(3, 4)] as const
  if ((last === 1 && third > 0.7 && first === 0) || (first === 1 && second > 0.7 && last === 0))
    return 'UTF-32 without a byte order mark'
  const [even, odd] = [share(0, 2), share(1, 2)]
  return (odd > 0.7 && even === 0) || (even > 0.7 && odd === 0) ? 'UTF-16 without a byte order mark' : 'NUL bytes'
}
