// Reads the outer tar of a package as strictly as the appliance's script (scripts/package.sh): two plain members,
// zeros, nothing else. It uses no tar library: those tolerate bytes between members and unknown fields, and exactly
// these bytes are not signed.
import { notDecrypted, notVerified } from './failure.ts'

const NAMES: Record<string, 'data' | 'sign'> = {
  'software_package.tar.gz': 'data',
  'software_package.tar.gz.sign': 'sign',
}
const BLOCK = 512
const MAX_SIGNATURE = 16 * 1024
/**
 * The padding of the archiver's last record comes after the second block of zeros; no archiver writes more than this.
 */
const MAX_FILLING = 1024 * 1024

export type Visit = (kind: 'data' | 'sign', body: AsyncIterable<Buffer>) => Promise<void>

/**
 * Throws E1005 for anything that is not a package's outer tar: `decrypting` if it is not one from the start, or ends
 * early.
 */
export async function readOuterTar(chunks: AsyncIterable<Buffer>, visit: Visit): Promise<void> {
  const reader = new Reader(chunks)
  const seen = new Set<string>()
  for (;;) {
    const block = await reader.take(BLOCK)
    if (isZero(block)) break
    if (!isHeader(block)) throw seen.size > 0 ? notVerified() : notDecrypted()
    const { kind, size } = member(block)
    if (seen.has(kind)) throw notVerified()
    seen.add(kind)
    const body = reader.stream(size)
    await visit(kind, body)
    // A visitor may stop before the end.
    for await (const _ of reader.stream(size - reader.streamed));
    if (!isZero(await reader.take((BLOCK - (size % BLOCK)) % BLOCK))) throw notVerified()
  }
  if (seen.size < 2) throw notVerified()
  const filling = await reader.rest(MAX_FILLING)
  if (filling.length < BLOCK || filling.length >= MAX_FILLING || filling.length % BLOCK > 0 || !isZero(filling)) {
    throw notVerified()
  }
}

/** Cuts chunks of any size into the requested pieces. */
class Reader {
  /** How much of the last `stream` was delivered. */
  streamed = 0
  private readonly chunks: AsyncIterator<Buffer>
  private buffer: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.stream(size)) parts.push(part)
    return Buffer.concat(parts)
  }

  async *stream(size: number): AsyncGenerator<Buffer> {
    this.streamed = 0
    while (this.streamed < size) {
      if (this.buffer.length === 0 && !(await this.fill())) throw notDecrypted()
      const part = this.buffer.subarray(0, size - this.streamed)
      this.buffer = this.buffer.subarray(part.length)
      this.streamed += part.length
      yield part
    }
  }

  /** Everything that is left, up to a little more than `limit`. */
  async rest(limit: number): Promise<Buffer> {
    const parts = [this.buffer]
    let size = this.buffer.length
    while (size < limit && (await this.fill())) {
      parts.push(this.buffer)
      size += this.buffer.length
    }
    return Buffer.concat(parts)
  }

  private async fill(): Promise<boolean> {
    const next = await this.chunks.next()
    this.buffer = next.done ? Buffer.alloc(0) : next.value
    return !next.done
  }
}

const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0)
const text = (block: Buffer, from: number, to: number) => block.toString('latin1', from, to)

/** Checks the checksum (both encodings) and the magic (three variants), so that every header byte is covered. */
function isHeader(block: Buffer): boolean {
  const written = /^([0-7]{6})(\0 | \0)$/.exec(text(block, 148, 156))?.[1]
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  return Number.parseInt(written ?? '', 8) === sum && /^(ustar\x0000|ustar {2}\0|\0{8})$/.test(text(block, 257, 265))
}

const OCTAL = /^[0-7]+[\0 ]*$/
/** A number too large for its octal field is binary, after 0x80. */
const NUMBER = /^(\x80|[0-7]+[\0 ]*$)/
const TEXT = /^[^\0-\x1f\x7f]*\0*$/

function member(block: Buffer): { kind: 'data' | 'sign'; size: number } {
  const is = (pattern: RegExp, from: number, to: number) => pattern.test(text(block, from, to))
  const sane =
    is(/^[\x000]$/, 156, 157) &&
    isZero(block.subarray(157, 257)) &&
    isZero(block.subarray(345)) &&
    is(OCTAL, 100, 108) &&
    is(NUMBER, 108, 116) &&
    is(NUMBER, 116, 124) &&
    is(OCTAL, 124, 136) &&
    is(OCTAL, 136, 148) &&
    is(TEXT, 265, 297) &&
    is(TEXT, 297, 329) &&
    (isZero(block.subarray(329, 345)) || (is(OCTAL, 329, 337) && is(OCTAL, 337, 345)))
  const name = /^([^\0]+)\0+$/.exec(text(block, 0, 100))?.[1] ?? ''
  const kind = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  const size = Number.parseInt(text(block, 124, 136), 8)
  if (!sane || !kind || size < 1 || (kind === 'sign' && size > MAX_SIGNATURE)) throw notVerified()
  return { kind, size }
}
