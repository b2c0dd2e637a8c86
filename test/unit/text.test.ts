// What Windows makes of a text is read rightly, or named.
import { describe, expect, it } from 'vitest'
import { decodeText } from '../../src/store/text.ts'

const TEXT = '{"name": "Müller 🦆"}\r\n'
const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const utf32 = (text: string) => {
  const bytes = Buffer.alloc([...text].length * 4)
  for (const [i, character] of [...text].entries()) bytes.writeUInt32LE(character.codePointAt(0) as number, i * 4)
  return bytes
}
const mark = (bytes: number[], rest: Buffer) => Buffer.concat([Buffer.from(bytes), rest])

describe('decodeText', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a mark', mark([0xef, 0xbb, 0xbf], Buffer.from(TEXT))],
    ['UTF-16 LE with a mark', mark([0xff, 0xfe], utf16(TEXT))],
    ['UTF-16 BE with a mark', mark([0xfe, 0xff], utf16(TEXT).swap16())],
  ])('reads %s, line ends and all', (_name, bytes) => {
    const before = Buffer.from(bytes)
    expect(decodeText(bytes)).toBe(TEXT)
    expect(bytes).toEqual(before)
  })

  it('takes away one mark, not two', () => {
    expect(decodeText(Buffer.from('\ufeff\ufeffa'))).toBe('\ufeffa')
    expect(decodeText(Buffer.from('a\ufeff'))).toBe('a\ufeff')
    expect(decodeText(utf16('\ufeff\ufeffa'))).toBe('\ufeffa')
  })

  it('reads nothing as nothing, with a mark or without', () => {
    expect(decodeText(Buffer.alloc(0))).toBe('')
    expect(decodeText(Buffer.from([0xef, 0xbb, 0xbf]))).toBe('')
    expect(decodeText(Buffer.from([0xff, 0xfe]))).toBe('')
  })

  it('looks only at its own part of a larger buffer', () => {
    const all = new Uint8Array([0, 0, 97, 98, 0])
    expect(decodeText(all.subarray(2, 4))).toBe('ab')
  })

  it.each([
    ['UTF-16 without a byte order mark', utf16(TEXT)],
    ['UTF-16 without a byte order mark', utf16(TEXT).swap16()],
    ['UTF-16 without a byte order mark', utf16('a')],
    ['UTF-16 without a byte order mark', utf16('secret-token')],
    ['UTF-32', mark([0xff, 0xfe, 0, 0], utf32(TEXT))],
    ['UTF-32', mark([0, 0, 0xfe, 0xff], utf32(TEXT).swap32())],
    ['UTF-32 without a byte order mark', utf32(TEXT)],
    ['UTF-32 without a byte order mark', utf32(TEXT).swap32()],
    ['UTF-16 with half a character at its end', mark([0xff, 0xfe], Buffer.from('abc'))],
    ['UTF-16 with half of a surrogate pair', mark([0xff, 0xfe], utf16('a\ud83e'))],
    ['NUL characters', mark([0xff, 0xfe], utf16('a\0b'))],
    ['NUL bytes', Buffer.from('a long enough line\0with one of them')],
    ['NUL bytes', Buffer.alloc(64)],
    ['bytes that are not UTF-8', Buffer.from('Müller', 'latin1')],
    ['bytes that are not UTF-8', Buffer.from([0xed, 0xa0, 0x80])],
    ['bytes that are not UTF-8', mark([0xef, 0xbb, 0xbf], Buffer.from([0xc3]))],
  ])('names %s', (what, bytes) => {
    expect(() => decodeText(bytes)).toThrow(new Error(what))
  })
})
