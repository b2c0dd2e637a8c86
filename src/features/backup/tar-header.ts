// Writes tar headers in the one form that GNU tar and busybox read alike: GNU's, with long names in entries of their
// own. Names are bytes, one per character (latin1).

export interface PlainEntry {
  name: string
  type: 'file' | 'directory' | 'symlink' | 'link'
  /** In bytes; only for files. */
  size: number
  mode: number
  /** Seconds since 1970. */
  mtime: number
  linkname?: string
  uid?: number
  gid?: number
}

export const BLOCK = 512
export const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK
/** Two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK)

const TYPES = { file: '0', link: '1', symlink: '2', directory: '5' } as const
const LONGEST = 100
/** The maximum of eleven octal digits. */
const OCTAL = 8 ** 11

/** The entry's header, with the long-name entries that have to precede it. */
export function plainHeader(entry: PlainEntry): Buffer {
  const name = entry.type === 'directory' ? `${entry.name.replace(/\/+$/, '')}/` : entry.name
  const { linkname = '' } = entry
  return Buffer.concat([
    ...(linkname.length > LONGEST ? longName('K', linkname) : []),
    ...(name.length > LONGEST ? longName('L', name) : []),
    block({ ...entry, name, type: TYPES[entry.type] }),
  ])
}

function longName(type: 'K' | 'L', text: string): Buffer[] {
  const body = Buffer.from(`${text}\0`, 'latin1')
  const header = block({ name: '././@LongLink', type, size: body.length, mode: 0o644, mtime: 0 })
  return [header, body, Buffer.alloc(padding(body.length))]
}

function block({
  name,
  type,
  size,
  mode,
  mtime,
  linkname = '',
  uid = 0,
  gid = 0,
}: Omit<PlainEntry, 'type'> & { type: string }): Buffer {
  const header = Buffer.alloc(BLOCK)
  const put = (text: string, at: number, length: number) => header.write(text, at, length, 'latin1')
  put(name, 0, LONGEST)
  put(octal(mode & 0o7777, 7), 100, 8)
  put(octal(id(uid), 7), 108, 8)
  put(octal(id(gid), 7), 116, 8)
  if (size < OCTAL) put(octal(size, 11), 124, 12)
  else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
  }
  put(octal(Math.min(Math.max(Math.trunc(mtime), 0), OCTAL - 1), 11), 136, 12)
  put('        ', 148, 8)
  put(type, 156, 1)
  put(linkname, 157, LONGEST)
  put('ustar  ', 257, 8)
  put(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
    8,
  )
  return header
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
/** An owner that does not fit is stored as nobody: a restore ignores it. */
const id = (value: number) => (value < 8 ** 7 ? value : 0o177776)
