// Raw tar blocks, also the ones that no tar program would write. Everything is bytes: strings are latin1. The checksum
// is computed last; a field set after that makes a merely damaged archive.

export const ZEROS = Buffer.alloc(512)
export const END = Buffer.alloc(1024)
export const USTAR = 'ustar\x0000'
export const GNU = 'ustar  \0'

export interface Raw {
  name?: string
  type?: string
  link?: string
  content?: string
  /** Written as the size, whatever the content is. */
  size?: string
  mode?: string
  magic?: string
  prefix?: string
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const padded = (content: Buffer) => Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])
const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')

export function header(raw: Raw): Buffer {
  const block = Buffer.alloc(512)
  const put = (text: string, at: number, length: number) => latin1(text).copy(block, at, 0, length)
  put(raw.name ?? 'file', 0, 100)
  put(raw.mode ?? '0000644\0', 100, 8)
  // Whoever runs the tests: giving files away is not what they are about.
  put(`${octal(process.getuid!(), 7)}\0`, 108, 8)
  put(`${octal(process.getgid!(), 7)}\0`, 116, 8)
  put(raw.size ?? `${octal(latin1(raw.content ?? '').length, 11)}\0`, 124, 12)
  put(`${octal(0, 11)}\0`, 136, 12)
  put('        ', 148, 8)
  put(raw.type ?? '0', 156, 1)
  put(raw.link ?? '', 157, 100)
  put(raw.magic ?? USTAR, 257, 8)
  put(raw.prefix ?? '', 345, 155)
  put(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
    8,
  )
  return block
}

export const entry = (raw: Raw) => Buffer.concat([header(raw), padded(latin1(raw.content ?? ''))])

/** GNU's long name (`L`) or long target of a link (`K`) for the next entry. */
export const long = (name: string, type: 'L' | 'K' = 'L') =>
  entry({ name: '././@LongLink', type, content: `${name}\0` })

export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}
export const pax = (records: string, type = 'x') => entry({ name: 'PaxHeader', type, content: records })

export const archive = (...parts: Buffer[]) => Buffer.concat([...parts, END])
