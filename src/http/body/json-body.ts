// Reads and parses a JSON body: limited in size, of the right type, without `__proto__` keys. A body over the limit is
// left unread, not destroyed: otherwise the client could not read the refusal.
import type { IncomingMessage } from 'node:http'
import { ApiError, invalid } from '../../errors.ts'
import { quoted } from '../../nearest.ts'
import { doubtIn } from '../../store/json-names.ts'

/** Bytes. Anything larger is an upload. */
export const JSON_LIMIT = 64 * 1024

/** Refuses by the headers alone, before the first byte. `typeless`: the Content-Type may be missing. */
export function checkJsonHeaders(incoming: IncomingMessage, limit: number, { typeless = false } = {}): void {
  const { 'content-type': type = '', 'content-encoding': encoding, 'content-length': announced } = incoming.headers
  const isJson =
    (typeless && type === '') || /^application\/json\s*(?:;\s*(?:charset="?utf-8"?\s*;?\s*)?)?$/i.test(type)
  if (!isJson || !/^\s*(?:identity)?\s*$/i.test(encoding ?? ''))
    throw new ApiError('unsupported', 'Expected a body of type application/json')
  if (Number(announced ?? 0) > limit) throw tooLong(limit)
}

const tooLong = (limit: number) => new ApiError('too-large', `Body too large. Allowed: <= ${limit} bytes`)

/** Reads the body. `idle` is in milliseconds without a byte; the whole may take four times as long. */
export function readBytes(incoming: IncomingMessage, limit: number, idle: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (settle: () => void) => {
      clearTimeout(silence)
      clearTimeout(late)
      incoming.off('data', take)
      incoming.pause()
      settle()
    }
    const give = (message: string) => end(() => reject(new ApiError('timeout', message)))
    const silence = setTimeout(give, idle, 'The body stopped arriving')
    const late = setTimeout(give, idle * 4, 'The body arrives too slowly')
    const take = (chunk: Buffer) => {
      silence.refresh()
      size += chunk.length
      if (size > limit) return end(() => reject(tooLong(limit)))
      chunks.push(chunk)
    }
    incoming.on('data', take)
    incoming.once('end', () => end(() => resolve(Buffer.concat(chunks))))
    const broken = () => end(() => reject(invalid('The body is incomplete')))
    incoming.once('error', broken)
    incoming.once('close', broken)
  })
}

/**
 * Throws a 400 unless the bytes are UTF-8 and JSON; also on a member called `__proto__` at any depth, on an unpaired
 * surrogate (`"\ud800"`), and on anything that JSON.parse would silently drop or round.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  let parsed: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    parsed = JSON.parse(text, (name, value: unknown) => {
      if (name === '__proto__' || (typeof value === 'string' && /\p{Surrogate}/u.test(value))) throw new SyntaxError()
      return value
    })
  } catch {
    // Nesting that is too deep (a RangeError) is the client's mistake as well.
    throw invalid('The body is not valid JSON')
  }
  const doubt = doubtIn(text)
  if (doubt)
    throw invalid(`The member ${quoted(doubt.path)} ${doubt.what}`, { details: { field: doubt.path.slice(0, 100) } })
  return parsed
}
