// The ZFSSA surface: how clients of Oracle's ZFS Storage Appliance prove who they are, and how its answers and faults
// look. Nothing here answers 429, and requests of proven callers are not counted: drivers poll several times a second.
import { ownAccount, type Principal } from '../../auth/principal.ts'
import type { SessionStore } from '../../auth/session-store.ts'
import { ApiError, invalid } from '../../errors.ts'
import type { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import type { CredentialCheck } from '../../features/users/credential-check.ts'
import { queryDialect } from '../../http/body/query.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import { refusalAuditor } from '../../http/pipeline/audit-refusal.ts'
import { RequestLimit } from '../../http/pipeline/request-limit.ts'
import { baseHeadersWithXss } from '../../http/reply/base-headers.ts'
import type { Request } from '../../http/request.ts'
import type { Surface } from '../../http/surface.ts'
import { didYouMean, quoted } from '../../nearest.ts'
import { ACCESS } from './context.ts'
import { fault } from './fault.ts'
import { readProof } from './proof.ts'
import { checkVersion, shownVersion } from './versions.ts'

/** Longer than any session's secret, user name or password that can be right. */
const LONGEST_NAME = 256
const LONGEST_SECRET = 1024

/** Requests of strangers from one address, and sessions that an account begins. */
const PER_MINUTE = 100

const OWN = /^\/api\/(?!v[0-9])[^/]*(?:\/|$)/

/** Whether a path belongs to this surface, which decides the shape of a 404. */
export const isZfssaPath = (path: string) => OWN.test(path)

const base = baseHeadersWithXss("default-src 'none'; frame-ancestors 'self'")

/** `Access` of the service `access`. */
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

const dialect = queryDialect({ plus: 'blank', valueless: 'empty', doubled: 'refuse', unknown: 'refuse' })

export function zfssaSurface({
  sessions,
  credentials,
  audit,
  maintenance,
  version,
}: {
  sessions: SessionStore
  credentials: CredentialCheck
  audit: AuditLog
  maintenance: MaintenanceMode
  /** Of the appliance's software. */
  version: string
}): Surface {
  const limit = new RequestLimit(PER_MINUTE)
  const enter = refusalAuditor(audit, { anonymousActor: 'nobody' })
  /** The requests that brought a name and a password, which were wrong. */
  const failed = new WeakSet<Request>()
  const bySession = (secret: string): Principal | undefined => {
    const open = secret.length > LONGEST_SECRET ? undefined : sessions.find(secret)
    if (open) sessions.touch(open.id)
    return open?.principal
  }
  const backedOff = (request: Request, error: unknown): never => {
    if (error instanceof ApiError && error.kind === 'too-many') enter(request, 'auth.login.backoff', '503')
    throw error
  }
  return {
    name: 'zfssa',
    anonymousActor: 'nobody',
    targets: 'resource',
    acceptedIsDone: true,
    parameters: [],
    wire: {
      body: 'optional',
      query: {
        ...dialect,
        unknown: (name, known) =>
          invalid(`Unknown query parameter ${quoted(name)}${didYouMean(name, known())}`, {
            details: { field: name.slice(0, 100), wrong: 'unknown' },
          }),
      },
    },
    headers(request) {
      const { service, major, minor } = shownVersion(request.path) ?? {}
      return {
        ...base(request),
        'X-Frame-Options': 'SAMEORIGIN',
        'X-Zfssa-Version': version,
        'X-Zfssa-Api-Version': `${major ?? 1}.0`,
        ...(service && { [`X-Zfssa-${capitalized(service)}-Api`]: `${major}.${minor}` }),
      }
    },
    gate: ({ path }) => void checkVersion(path),
    // Who is proven may poll; who is not, or begins sessions without end, fills the audit log.
    count(request, principal) {
      if (principal && !(request.method === 'POST' && request.template === ACCESS)) return
      try {
        limit.count(request.address, principal)
      } catch (error) {
        enter(request, 'auth.limited', '503', principal)
        throw error
      }
    },
    authenticate(request) {
      const proof = readProof(request.incoming)
      if (!proof) return undefined
      if ('session' in proof) return bySession(proof.session)
      failed.add(request)
      const { password } = proof
      if (!password || password.username.length > LONGEST_NAME || password.password.length > LONGEST_SECRET)
        return undefined
      try {
        const proven = credentials.check(password, request.address)
        return proven instanceof Promise ? proven.catch((error) => backedOff(request, error)) : proven
      } catch (error) {
        return backedOff(request, error)
      }
    },
    refuse(request, principal) {
      if (ownAccount(principal)) {
        enter(request, 'auth.forbidden', '401', principal)
        // Table 1-2: "This user is not authorized to execute command".
        return new ApiError('unauthenticated', 'The account’s role does not allow this')
      }
      enter(request, failed.has(request) ? 'auth.login.failed' : 'auth.unauthorized', '401')
      return new ApiError(
        'unauthenticated',
        failed.has(request) ? 'Wrong user name or password' : 'A session, or a user name and a password, is needed',
      )
    },
    wrongMethod: (_method, allowed) =>
      new ApiError('wrong-method', 'Method not allowed', { details: { allow: allowed.join(', ') } }),
    refuseChanges: () => maintenance.refuseChanges(),
    renderError: fault,
  }
}
