// Text that people write and edit: UTF-8, or what Windows makes of it. It is read rightly, or refused by the name of what it is; a character is
// never lost or replaced without a word. CRLF stays: readers that go by lines take it away.
import { isUtf8 } from 'node:buffer'

/** Bytes that are no text that can be read rightly; `message` says what they are. */
export class TextError extends Error {}

/** The text of `bytes`, without its one byte order mark. Throws a TextError that says what was found, such as "UTF-16 without a byte order mark". */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (begins(buffer, 0xff, 0xfe, 0, 0) || begins(buffer, 0, 0, 0xfe, 0xff)) throw new TextError('UTF-32')
  if (begins(buffer, 0xff, 0xfe)) return withoutNul(utf16(buffer.subarray(2)))
  // A copy, because the bytes are turned round in place.
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

/** What bytes with zeros among them, and no mark before them, are most likely meant to be. */
function zeros(buffer: Buffer): string {
  const looked = buffer.subarray(0, 4096)
  /** How many of every `step`th byte are zero, from 0 to 1. */
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
