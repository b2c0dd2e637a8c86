// Normalizes the request target once, before routing and authentication: anything unusual is refused, nothing is
// repaired. Everything after this (router, HMAC, audit) must use the result, never the raw URL.

/** A request target, taken apart. */
export interface Target {
  /** Completely decoded, once. */
  path: string
  /**
   * Decoded except for encoded slashes, which stay `%2F`: it contains no other percent sign. Only a `{name*}` may
   * contain one (SEC-07).
   */
  route: string
  /** The raw query string. */
  query: string
}

const PLAIN = /^\/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/|$))*$/

/**
 * Splits and decodes a request target (origin-form, or absolute-form as a proxy sends it). Undefined for the targets
 * that SEC-07 lists: empty or dot segments (whether their slashes are encoded or not), backslash, `;`, control
 * characters, malformed or overlong percent-encoding, and an encoded backslash, dot, percent or NUL. The router refuses
 * an encoded slash where no parameter is declared to take it.
 */
export function normalize(raw: string): Target | undefined {
  const target = originForm(raw)
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (PLAIN.test(path)) return { path, route: path, query }
  const route = decode(path)
  return route === undefined ? undefined : { path: route.replaceAll('%2F', '/'), route, query }
}

const originForm = (raw: string) => raw.replace(/^https?:\/\/[^/?#]*/i, '')

/** The raw path, to find out which surface it would belong to. */
export const rawPath = (raw = '') => originForm(raw).split('?', 1)[0] ?? ''

function decode(path: string): string | undefined {
  if (!path.startsWith('/') || /[^\x21-\x7e]|[\\;#]/.test(path)) return undefined
  if (/%(?![0-9a-f]{2})|%(?:2[e5]|5c|3b|[01][0-9a-f]|7f)/i.test(path)) return undefined
  let decoded: string
  try {
    decoded = decodeURIComponent(path.replace(/%2f/gi, '%252F'))
  } catch {
    return undefined
  }
  const segments = decoded.slice(1).split(/\/|%2F/)
  const last = segments.length - 1
  const clean = segments.every((segment, i) => (segment !== '' || i === last) && segment !== '.' && segment !== '..')
  return clean && !/\p{Cc}|%2F$/u.test(decoded) ? decoded : undefined
}
