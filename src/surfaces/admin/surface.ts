// The admin surface: its parameters, its gate, and how credentials are checked and refused. The order matters: pending
// set-up comes before back-off, back-off before credentials, credentials before the method.
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import { prepareFirstRun } from '../../auth/first-run.ts'
import { phraseWords } from '../../config.ts'
import { ApiError, invalid, tooMany } from '../../errors.ts'
import { lenientQuery, originalQuery } from '../../http/body/query.ts'
import { refusalAuditor } from '../../http/pipeline/audit-refusal.ts'
import { baseHeadersWithXss } from '../../http/reply/base-headers.ts'
import type { Request } from '../../http/request.ts'
import { byCookie, refuseCookie, sessionOf } from '../../http/session-cookie.ts'
import type { Surface } from '../../http/surface.ts'
import { type AdminDeps, PREFIX } from './context.ts'
import { failure } from './shapes.ts'

const headers = baseHeadersWithXss(
  "default-src 'none'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)

/** `index.html` and `v` are names that the original accepts and ignores. */
const PARAMETERS = ['token', 'hash', 'v', 'index.html'] as const

/** The only GET request that changes something. */
const REBOOT = `${PREFIX}/reboot`

/** Whether an endpoint of this surface may have the path; with a slash at its end, it may be the same path. */
export const isAdminPath = (path: string) => /^\/(?:$|docs(?:\/|$)|api\/v1\/admin\/)/.test(path)

/** Why credentials were refused; `proven`: the sender has the token all the same. */
interface WhyNot {
  field: 'token' | 'hash'
  message: string
  proven: boolean
}
const NOTHING: WhyNot = { field: 'hash', message: 'Expected a hash or a token', proven: false }
const PENDING = {
  field: 'newtoken',
  message: 'Set-up is pending: set the token first, with the phrase that the appliance made',
}

type Needs = Pick<AdminDeps, 'folders' | 'config' | 'tokens' | 'backOff' | 'audit' | 'mode'> & {
  /** The console's sessions, if it is on. */
  sessions?: ConsoleSessions | undefined
}

export function adminSurface({ folders, config, tokens, backOff, audit, mode, sessions }: Needs): Surface {
  const words = phraseWords(config)
  if (words > 0) prepareFirstRun(folders, words)
  const firstRun = () => (words > 0 ? tokens.pending() : undefined)
  const enter = refusalAuditor(audit, { longest: Number.POSITIVE_INFINITY })
  const patient = mode === 'strict'
  const mustNotWait = (request: Request) => {
    const seconds = patient ? backOff.wait(request.address) : 0
    if (seconds === 0) return
    enter(request, 'token.backoff', '429')
    throw tooMany('failed attempts', seconds)
  }
  const whyNot = new WeakMap<Request, WhyNot>()
  const explain = (
    { method, path }: Request,
    { token, hash }: { token?: string | undefined; hash?: string | undefined },
  ): WhyNot => {
    if (!hash) return token ? { field: 'token', message: 'This is not the token', proven: false } : NOTHING
    const right = tokens.rightElsewhere(method, path, hash)
    return right === undefined
      ? {
          field: 'hash',
          message: `The hash does not match ${method}, this path and the current token`,
          proven: false,
        }
      : { field: 'hash', message: `This hash is right for ${right}`, proven: true }
  }
  return {
    name: 'admin',
    anonymousActor: 'admin',
    targets: 'word',
    parameters: [...PARAMETERS, ...config.parameters],
    wire: { query: mode === 'original' ? originalQuery : lenientQuery },
    headers,
    gate(request, endpoint) {
      if (endpoint?.permission === 'public') return
      if (endpoint?.permission !== 'set-up' && firstRun()) {
        enter(request, 'token.firstrun.failed', '403')
        throw new ApiError('forbidden', 'Authentication error', { details: { errors: [PENDING] } })
      }
      // A valid session makes no guesses: a script with an old token behind the same address must not lock the user out
      // of the console. (Set-up is an exception.)
      if (endpoint?.permission === 'set-up' || !sessions || !sessionOf(request, sessions)) mustNotWait(request)
    },
    authenticate(request, { token, hash }) {
      // A guess counts even when a session comes with it.
      if (token || hash) mustNotWait(request)
      else return byCookie(request, sessions, request.method !== 'GET' || request.template === REBOOT)
      // A token is an attempt whatever cookie comes with it. (A form is authenticated twice.)
      if (request.cookie) request.cookie = undefined
      const signed = (method: string) => tokens.authenticate(method, request.path, { token, hash })
      // A HEAD may be signed as HEAD or as the corresponding GET.
      const principal = signed(request.method) ?? (request.head ? signed('HEAD') : undefined)
      if (!principal && patient) whyNot.set(request, explain(request, { token, hash }))
      if (principal) backOff.succeed(request.address)
      return principal
    },
    refuse(request, principal) {
      if (principal) {
        enter(request, 'auth.forbidden', '403', principal)
        return new ApiError('forbidden', 'The account’s role does not allow this')
      }
      const refusal = refuseCookie(request, (...entry) => enter(request, ...entry))
      if (refusal) return refusal
      // An expired session is not a guess.
      if (request.cookie) {
        enter(request, 'auth.unauthorized', '403')
        return new ApiError('forbidden', 'Authentication error')
      }
      const why = whyNot.get(request) ?? NOTHING
      if (patient && !why.proven) backOff.fail(request.address)
      enter(request, 'token.authenticate.failed', '403')
      return new ApiError('forbidden', 'Authentication error', {
        details: { errors: [{ field: why.field, message: why.message }] },
      })
    },
    wrongMethod(method, allowed) {
      if (method !== 'GET' && method !== 'POST')
        return new ApiError('wrong-method', '', { details: { allow: allowed.join(', ') } })
      return invalid(`Invalid authentication method. Expected ${allowed[0]}`, {
        details: { allow: allowed.join(', ') },
      })
    },
    renderError: (error) => failure(error, firstRun(), mode),
  }
}
