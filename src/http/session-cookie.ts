// The console's cookie, on whichever surface it comes: what it proves, and why it was not taken. The trap: a browser sends it by itself, also
// for a page of somebody else's; so a change needs a header that only our own page knows, and a request that another site began is nobody's.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { ConsoleSession, ConsoleSessions } from '../auth/console-sessions.ts'
import type { Principal } from '../auth/principal.ts'
import { ApiError } from '../errors.ts'
import type { Request } from './request.ts'

/** `__Host-`: a browser takes it only from this very host, over TLS, for all paths. */
export const COOKIE = '__Host-edge-admin'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
const FIND = new RegExp(`(?:^|;)[ \\t]*${COOKIE}=([^;]*)`)
const VALUE = /^[A-Za-z0-9_-]{43}$/

export const setCookie = (value: string) => ({ 'Set-Cookie': `${COOKIE}=${value}; ${ATTRIBUTES}` })
export const clearCookie = () => ({ 'Set-Cookie': `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0` })

/** The session of a request's cookie, whether or not it may act by it. */
export function sessionOf(request: Request, sessions: ConsoleSessions): ConsoleSession | undefined {
  const value = FIND.exec(request.incoming?.headers.cookie ?? '')?.[1]?.trim()
  return value !== undefined && VALUE.test(value) ? sessions.find(value) : undefined
}

/**
 * Whom the cookie of a request proves. Undefined without one, and for one that is not taken: then `request.cookie` says why. `changes`:
 * whether the request may change something.
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
    // A page that nobody looks at asks by itself; whoever only listens is no sign of life either.
    if (headers['x-background'] !== '1' && !request.template.endsWith('/events')) sessions.touch(session.id)
    return principal
  }
  return undefined
}

/** The refusal of a request whose cookie would be in force, and was not taken; `enter` notes it. Undefined where that is not the reason. */
export function refuseCookie(
  { cookie }: Request,
  enter: (event: string, failure: string, principal: Principal) => void,
): ApiError | undefined {
  if (!cookie?.principal) return undefined
  enter('auth.csrf', '403', cookie.principal)
  return new ApiError('forbidden', cookie.why === 'site' ? FOREIGN : 'The X-CSRF-Token header is missing or wrong')
}

export const FOREIGN = 'The request comes from another site'

/** Whether a browser says that it was not our own page that began it. Old ones tell the origin only, and only of changes. */
export function isForeign({ 'sec-fetch-site': site, origin, host }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site !== 'same-origin'
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase())
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
