// Range requests (RFC 9110, 13 and 14): a broken download can resume as long as the file is still the same.
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { ApiError } from '../../errors.ts'
import { entityTag, isListed, isUnchanged } from '../pipeline/resource.ts'
import type { Reply } from './reply.ts'

/**
 * The reply as this request wants it: whole, a part (206), or empty because the caller has it (304). `fresh`: the file
 * was made for this very request, so the rest of an earlier one must not be continued with it; only a part from the
 * start, or one under If-Range, is sent.
 */
export function inParts(
  reply: Reply,
  headers: IncomingHttpHeaders,
  { head, fresh }: { head: boolean; fresh: boolean },
): Reply {
  const { file, body } = reply
  const bytes = reply.bytes && body instanceof Uint8Array ? body : undefined
  if (reply.status !== 200 || !(file || bytes)) return reply
  const size = file?.size ?? bytes?.length ?? 0
  const tag = reply.headers['ETag'] ?? file?.tag ?? entityTag(reply.version) ?? '""'
  const about: Record<string, string> = { ...reply.headers, 'Accept-Ranges': 'bytes', ETag: tag }
  const done = (status: number, rest: Partial<Reply> = {}): Reply => {
    file?.close()
    return { status, headers: about, body: '', ...rest }
  }
  try {
    const { 'if-match': match, 'if-none-match': noneMatch } = headers
    if (match !== undefined && !isListed(match, tag, 'If-Match')) throw changed()
    if (isUnchanged(noneMatch, tag)) return done(304)
    // Only a GET has ranges (RFC 9110, 14.2): a HEAD asks for the length of the whole.
    const part = head ? undefined : wanted(headers, { size, tag, fresh })
    if (part === 'none') throw beyond(size)
    const [start, end] = part ?? [0, size - 1]
    about['Content-Length'] = String(end - start + 1)
    if (part) about['Content-Range'] = `bytes ${start}-${end}/${size}`
    const status = part ? 206 : 200
    if (head || size === 0) return done(status)
    if (bytes) return done(status, { body: bytes.subarray(start, end + 1) })
    return { status, headers: about, body: file?.stream(start, end) ?? '' }
  } catch (error) {
    file?.close()
    throw error
  }
}

/**
 * The requested range. Undefined for the whole file: no range, several, or of another version; `none` for a range
 * outside the file.
 */
function wanted(
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  { size, tag, fresh }: { size: number; tag: string; fresh: boolean },
): [start: number, end: number] | 'none' | undefined {
  // A date in If-Range never matches: no Last-Modified is sent.
  if (range === undefined || (ifRange !== undefined && String(ifRange).trim() !== tag)) return undefined
  const [, from = '', to = ''] = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i.exec(range) ?? []
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (from !== '' && to !== '' && Number(to) < start) return undefined
  if (fresh && start > 0 && ifRange === undefined) return undefined
  return start >= size || (from === '' && Number(to) === 0) ? 'none' : [start, end]
}

const changed = () =>
  new ApiError('condition-failed', 'The file has been changed meanwhile', { details: { field: 'If-Match' } })

const beyond = (size: number) =>
  new ApiError('out-of-range', `The file has ${size} bytes`, {
    details: { field: 'Range', contentRange: `bytes */${size}` },
  })

/** The answer to a HEAD: the headers of a GET without its body. */
export function headOnly(reply: Reply, headers: Record<string, string>): void {
  const { body, follow, status } = reply
  if (body instanceof Readable) body.destroy()
  else if (!follow && status !== 304 && status !== 204) headers['Content-Length'] ??= String(Buffer.byteLength(body))
}
