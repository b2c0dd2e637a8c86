// The controller surface: Bearer tokens, 401 for unknown callers, 403 for missing permission. An expired token is not a
// guess and never delays its address; only failed logins do.
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import type { Tokens } from '../../auth/jwt.ts'
import type { MetricsToken } from '../../auth/metrics-token.ts'
import { ownAccount } from '../../auth/principal.ts'
import { ApiError, invalid } from '../../errors.ts'
import type { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import type { LoginLimits } from '../../features/users/login-limits.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import { refusalAuditor } from '../../http/pipeline/audit-refusal.ts'
import type { Answers } from '../../http/pipeline/idempotency.ts'
import { RequestLimit, WINDOW } from '../../http/pipeline/request-limit.ts'
import { baseHeaders } from '../../http/reply/base-headers.ts'
import { byCookie, refuseCookie } from '../../http/session-cookie.ts'
import type { Surface } from '../../http/surface.ts'
import { LOGIN, METRICS } from './context.ts'
import { failure } from './shapes.ts'

const headers = baseHeaders("default-src 'none'; frame-ancestors 'none'")

/**
 * Everything below /api/v1 except the admin surface, whether it exists or not: a misspelled path is refused in the
 * intended dialect.
 */
const OWN = /^\/(?:healthz|metrics|api\/v1(?!\/admin(?:\/|$)))(?:\/|$)/

/** Whether a path belongs to the controller, which decides the shape of a 404. */
export const isControllerPath = (path: string) => OWN.test(path)

export function controllerSurface({
  tokens,
  metrics,
  limits,
  answers,
  perMinute,
  audit,
  maintenance,
  sessions,
}: {
  tokens: Tokens
  /** The token that reads only /metrics. */
  metrics: MetricsToken
  /** The console's sessions, if it is on. */
  sessions: ConsoleSessions | undefined
  limits: LoginLimits
  answers: Answers
  /** Requests; 0 means no limit. */
  perMinute: number
  audit: AuditLog
  maintenance: MaintenanceMode
}): Surface {
  const enter = refusalAuditor(audit, { anonymousActor: 'nobody' })
  const limit = perMinute > 0 ? new RequestLimit(perMinute) : undefined
  const rateLimitHeaders = { 'X-RateLimit-Limit': String(perMinute), 'X-RateLimit-Window': String(WINDOW) }
  return {
    name: 'controller',
    anonymousActor: 'nobody',
    targets: 'resource',
    parameters: [],
    headers: limit ? (request) => ({ ...headers(request), ...rateLimitHeaders }) : headers,
    answers,
    gate(request, endpoint) {
      if (endpoint?.id !== LOGIN) return
      try {
        limits.check(request.address)
      } catch (error) {
        enter(request, 'auth.login.backoff', '429')
        throw error
      }
    },
    authenticate(request) {
      const header = request.incoming?.headers.authorization
      // Of several, Node keeps the first, which need not be the one that a proxy checked.
      if ((request.incoming?.headersDistinct['authorization']?.length ?? 0) > 1)
        throw invalid('Expected one Authorization header', { details: { field: 'Authorization' } })
      if (header !== undefined)
        return (request.template === METRICS && metrics.authenticate(header)) || tokens.authenticate(header)
      const principal = byCookie(request, sessions)
      // This surface does not accept the appliance's one token.
      return ownAccount(principal) && principal
    },
    ...(limit && {
      count(request, principal) {
        try {
          limit.count(request.address, principal)
        } catch (error) {
          enter(request, 'auth.limited', '429', principal)
          throw error
        }
      },
    }),
    refuse(request, principal) {
      if (principal) {
        enter(request, 'auth.forbidden', '403', principal)
        return new ApiError('forbidden', 'The account’s role does not allow this')
      }
      const refusal = refuseCookie(request, (...entry) => enter(request, ...entry))
      if (refusal) return refusal
      enter(request, 'auth.unauthorized', '401')
      return new ApiError('unauthenticated', 'A valid token is needed')
    },
    refuseChanges: () => maintenance.refuseChanges(),
    wrongMethod: (_method, allowed) =>
      new ApiError('wrong-method', 'Method not allowed', { details: { allow: allowed.join(', ') } }),
    renderError: failure,
  }
}
