// One normalization of the request target, before routing and authentication: whatever is not plain is refused, nothing is repaired.
// The trap: everything after this (router, HMAC, audit) uses the result, never the raw URL.

/** What a request target asks for. */
export interface Target {
  /** Decoded, once and wholly. */
  path: string
  /** Decoded but for its encoded slashes, as `%2F`: there is no other percent sign in it. Only a `{name*}` may hold one (SEC-07). */
  route: string
  /** As it came. */
  query: string
}

const PLAIN = /^\/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/|$))*$/

/**
 * Splits and decodes a request target (origin-form, or absolute-form as a proxy sends it).
 * Undefined for what SEC-07 names: empty or dot segments (whether their slashes are encoded or not), backslash, `;`, control characters,
 * malformed or overlong percent-encoding, and an encoded backslash, dot, percent or NUL. Who routes refuses an encoded slash wherever no
 * parameter is declared to take it.
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

/** The path as it came, for what needs no more of it than whose it would be. */
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
