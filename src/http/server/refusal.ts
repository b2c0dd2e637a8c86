// Answers given below the application: to bytes that are not HTTP, and to HTTP that is ambiguous.
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { ApiError, type ErrorKind, invalid } from '../../errors.ts'

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
}

/** Its connection is closed after it: what follows may start in the middle of a message. */
export const refusal = (status: number) => ({
  status,
  body: `{"Status":"${status} ${REASONS[status]}"}`,
  headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff', Connection: 'close' },
})

/** The statuses of unparsable requests, and their error kinds. */
const KINDS = {
  400: 'invalid',
  405: 'wrong-method',
  408: 'timeout',
  413: 'too-large',
  431: 'headers-too-large',
  505: 'wrong-version',
} as const satisfies Record<number, ErrorKind>
export type UnparsedStatus = keyof typeof KINDS

export const kindOf = (status: UnparsedStatus): ErrorKind => KINDS[status]

/** The same as the bytes of a complete answer. */
export const refusalText = (status: number): string => answerText(refusal(status))

/** A complete answer as bytes; its connection ends with it. */
export function answerText({
  status,
  headers,
  body,
}: {
  status: number
  headers: Record<string, string>
  body: string
}) {
  const lines = Object.entries({ ...headers, 'Content-Length': String(Buffer.byteLength(body)) }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const reason = REASONS[status] ?? STATUS_CODES[status] ?? 'Refused'
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${body}`
}

/** The status for an error of Node's parser or its timeout; undefined if no peer is left to answer. */
export function statusOfError(code: string | undefined): UnparsedStatus | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413
  if (code === 'HPE_INVALID_VERSION') return 505
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  return code?.startsWith('HPE_') ? 400 : undefined
}

/** `uri-host [ ":" port ]` (RFC 9110, 7.2; the port may be empty), without user names, blanks and percent signs. */
const HOST = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,255})(?::(\d{0,5}))?$/
export function isHost(text: string): boolean {
  const match = HOST.exec(text)
  return match !== null && Number(match[1] || 0) <= 65535 && (text[0] !== '[' || URL.canParse(`http://${text}`))
}

/**
 * As a browser spells it in `Origin`: an IPv6 address can be written in many ways, and Node's adapter takes only that
 * one.
 */
export function plainHost(host: string): string {
  if (host[0] !== '[') return host.endsWith(':') ? host.slice(0, -1) : host
  const [, address = '', port = ''] = /^(.*\]):?(.*)$/.exec(host) ?? []
  return `${new URL(`http://${address}`).hostname}${port && `:${port}`}`
}

/**
 * Headers that may occur once: of two, Node silently keeps the first, and a proxy in front may have used the second.
 */
const SINGLE = new Set(['host', 'authorization', 'content-type', 'content-length', 'transfer-encoding', 'x-csrf-token'])
const LENGTHS = new Set([...SINGLE].map(({ length }) => length))

/** Header lines of one request. Node silently drops those above its limit, for example the `If-Match` of a change. */
export const MOST_HEADERS = 1000

/** Cached: browsers and scripts send the same one each time. */
let goodHost = ''

/** What is wrong with a request head, in the surface's dialect; undefined if it is well-formed. */
export function objectionTo({ url, rawHeaders, headers, httpVersion }: IncomingMessage): ApiError | undefined {
  if (httpVersion === '0.9') return invalid('', { words: 'Expected HTTP/1.1' })
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return objection('wrong-version', 'Expected HTTP/1.1')
  // The limit is reached: there may have been more.
  if (rawHeaders.length >= 2 * MOST_HEADERS)
    return objection('headers-too-large', `Too many header lines. Allowed: < ${MOST_HEADERS}`)
  let seen: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!LENGTHS.has(name.length)) continue
    const lower = name.toLowerCase()
    if (!SINGLE.has(lower)) continue
    if (seen?.includes(lower)) return about(name, `Expected one ${name} header`)
    if (seen) seen.push(lower)
    else seen = [lower]
  }
  // The library below would answer these the same for every surface.
  if (url?.includes('\\')) return invalid('', { words: 'Expected a path without a backslash' })
  if (url?.[0] !== '/' && !isAbsolute(url)) return invalid('', { words: 'Expected a path, or an address with http://' })
  const { host, 'transfer-encoding': coding } = headers
  if (coding !== undefined) {
    // Chunked encoding came with HTTP/1.1: a proxy in front may have read an HTTP/1.0 message differently (RFC 9112,
    // 6.1).
    if (httpVersion === '1.0') return about('Transfer-Encoding', 'Transfer-Encoding needs HTTP/1.1')
    // Node decodes only the last coding of a list, and would deliver the still encoded rest as the body.
    if (coding.toLowerCase() !== 'chunked')
      return objection('not-implemented', 'Expected Transfer-Encoding: chunked', 'Transfer-Encoding')
  }
  if (httpVersion === '1.0' && !host) return undefined
  if (host === goodHost && host) return undefined
  if (host === undefined) return about('Host', 'Expected a Host header')
  if (!isHost(host)) return about('Host', 'Expected a host name or an address, with or without a port')
  goodHost = host
  return undefined
}

/** A target as clients send it to a proxy; the library accepts these schemes in lower case only. */
const isAbsolute = (url = '') => /^https?:\/\//.test(url) && URL.canParse(url)

const about = (field: string, words: string) => objection('invalid', words, field)
const objection = (kind: ErrorKind, words: string, field?: string) =>
  new ApiError(kind, '', { words, ...(field !== undefined && { details: { field } }) })
