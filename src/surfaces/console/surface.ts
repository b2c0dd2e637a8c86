// The console's surface: its cookie, its headers, and errors in the controller's shape. `/` itself is public, or nobody
// could sign in: there a cookie that is not accepted counts as no cookie.
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import { ApiError } from '../../errors.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import { refusalAuditor } from '../../http/pipeline/audit-refusal.ts'
import { baseHeaders } from '../../http/reply/base-headers.ts'
import { codedFailure } from '../../http/reply/coded-failure.ts'
import { byCookie, FOREIGN, isForeign, refuseCookie } from '../../http/session-cookie.ts'
import type { Surface } from '../../http/surface.ts'
import { PREFIX } from './context.ts'

const headers = baseHeaders(
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
)

/** Whether a path belongs to the console, which decides the shape of a 404. */
export const isConsolePath = (path: string) => path === PREFIX || path.startsWith(`${PREFIX}/`)

export function consoleSurface({ sessions, audit }: { sessions: ConsoleSessions; audit: AuditLog }): Surface {
  const enter = refusalAuditor(audit, { anonymousActor: 'nobody' })
  return {
    name: 'console',
    anonymousActor: 'nobody',
    targets: 'resource',
    parameters: [],
    headers,
    gate(request, endpoint) {
      // Public endpoints can change something, too: a page of another site must not sign a browser in.
      if (endpoint?.permission !== 'public' || request.method === 'GET') return
      if (!isForeign(request.incoming?.headers ?? {})) return
      enter(request, 'auth.csrf', '403')
      throw new ApiError('forbidden', FOREIGN)
    },
    authenticate: (request) => byCookie(request, sessions),
    refuse(request, principal) {
      if (principal) {
        enter(request, 'auth.forbidden', '403', principal)
        return new ApiError('forbidden', 'The account’s role does not allow this')
      }
      const refusal = refuseCookie(request, (...entry) => enter(request, ...entry))
      if (refusal) return refusal
      enter(request, 'auth.unauthorized', '401')
      return new ApiError('unauthenticated', 'Nobody is signed in, or the session has ended')
    },
    wrongMethod: (_method, allowed) =>
      new ApiError('wrong-method', 'Method not allowed', { details: { allow: allowed.join(', ') } }),
    renderError: (error) => codedFailure(error),
  }
}
