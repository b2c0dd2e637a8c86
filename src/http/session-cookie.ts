// The console's session cookie on any surface: what it proves, and why it was not accepted. A browser also sends it for
// pages of other sites; so a change needs a header that only our page knows, and requests started by another site are
// refused.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { ConsoleSession, ConsoleSessions } from '../auth/console-sessions.ts'
import type { Principal } from '../auth/principal.ts'
import { ApiError } from '../errors.ts'
import type { Request } from './request.ts'

/** `__Host-`: a browser accepts it only from this host, over TLS, for all paths. */
export const COOKIE = '__Host-edge-admin'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
const FIND = new RegExp(`(?:^|;)[ \\t]*${COOKIE}=([^;]*)`)
const VALUE = /^[A-Za-z0-9_-]{43}$/

export const setCookie = (value: string) => ({ 'Set-Cookie': `${COOKIE}=${value}; ${ATTRIBUTES}` })
export const clearCookie = () => ({ 'Set-Cookie': `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0` })

/** The session of a request's cookie, whether or not the cookie authorizes this request. */
export function sessionOf(request: Request, sessions: ConsoleSessions): ConsoleSession | undefined {
  const value = FIND.exec(request.incoming?.headers.cookie ?? '')?.[1]?.trim()
  return value !== undefined && VALUE.test(value) ? sessions.find(value) : undefined
}

/**
 * The caller that a request's cookie proves. Undefined without a cookie, and for one that is not accepted: then
 * `request.cookie` has the reason. `changes`: the request may change something.
 */
export function byCookie(
  request: Request,
  sessions: ConsoleSessions | undefined,
  changes = request.method !== 'GET',
): Principal | undefined {
  const headers = request.incoming?.headers
  if (!sessions || !headers?.cookie || !FIND.test(headers.cookie)) return undefined
  const session = sessionOf(request, sessions)
  if (!session) {
    request.cookie = { why: 'over' }
    return undefined
  }
  const { principal } = session
  if (isForeign(headers)) request.cookie = { why: 'site', principal }
  else if (changes && !isSame(headers['x-csrf-token'], session.csrf)) request.cookie = { why: 'csrf', principal }
  else {
    // Background polls and event streams do not extend the idle timeout.
    if (headers['x-background'] !== '1' && !request.template.endsWith('/events')) sessions.touch(session.id)
    return principal
  }
  return undefined
}

/**
 * The refusal of a request whose cookie is valid but was not accepted; `enter` writes it to the audit log. Undefined
 * for other reasons.
 */
export function refuseCookie(
  { cookie }: Request,
  enter: (event: string, failure: string, principal: Principal) => void,
): ApiError | undefined {
  if (!cookie?.principal) return undefined
  enter('auth.csrf', '403', cookie.principal)
  return new ApiError('forbidden', cookie.why === 'site' ? FOREIGN : 'The X-CSRF-Token header is missing or wrong')
}

export const FOREIGN = 'The request comes from another site'

/**
 * Whether the browser reports that another site started the request. Old browsers send only the origin, and only with
 * changes.
 */
export function isForeign({ 'sec-fetch-site': site, origin, host }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site !== 'same-origin'
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase())
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
