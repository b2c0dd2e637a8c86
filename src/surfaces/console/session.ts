// GET, POST and DELETE /console/session: show the session, sign in, sign out. The cookie's value leaves only in the
// Set-Cookie header; scripts can read only the CSRF token that changes need as well.
import * as z from 'zod'
import type { ConsoleSession } from '../../auth/console-sessions.ts'
import { nameOf, ownAccount, type Principal } from '../../auth/principal.ts'
import type { StoredUser } from '../../auth/users.ts'
import { OPTIONAL_ENDPOINTS } from '../../endpoint-names.ts'
import { ApiError, failedPrecondition, invalid, tooMany } from '../../errors.ts'
import { firstRun } from '../../features/setup/first-run.ts'
import { logInOrRefuse } from '../../features/users/login.ts'
import type { Call } from '../../http/endpoint.ts'
import { JSON_TYPE, json, type Reply } from '../../http/reply/reply.ts'
import { clearCookie, setCookie } from '../../http/session-cookie.ts'
import { type ConsoleDeps, define, firstRunNeeds, PREFIX, TAG } from './context.ts'

const PATH = `${PREFIX}/session`
const TARGET = PATH.slice(1)

/** What the page needs before sign-in, and the session after it. */
function describe(deps: ConsoleDeps, session: ConsoleSession | undefined) {
  const { config, version, sessions } = deps
  const { surfaces, storage, endpoints } = config
  return {
    version,
    controller: surfaces.controller.enabled,
    confirm_destroy: storage['confirm-destroy'],
    endpoints: OPTIONAL_ENDPOINTS.filter((name) => endpoints.includes(name)),
    file_vdevs: storage['file-vdevs'] !== undefined,
    first_run: firstRun(firstRunNeeds(deps)) ?? null,
    session: session
      ? {
          name: nameOf(session.principal),
          role: session.principal.role,
          via: ownAccount(session.principal) ? 'account' : 'token',
          csrf: session.csrf,
          idle_seconds: sessions.idle,
          expires_at: new Date(session.expires * 1000).toISOString(),
          one_time: session.oneTime,
        }
      : null,
  }
}

/** Begins a session for an authenticated user; the browser's previous session ends. */
export async function signedIn(
  deps: ConsoleDeps,
  who: StoredUser | 'token',
  before: Principal | undefined,
): Promise<Reply> {
  if (before?.session) await deps.sessions.end(before.session.id)
  const value = await deps.sessions.begin(who)
  return json(describe(deps, deps.sessions.find(value)), 201, setCookie(value))
}

export const getSession = define({
  method: 'GET',
  path: PATH,
  id: 'getConsoleSession',
  tag: TAG,
  summary: 'Show who is signed in, and what this appliance has',
  permission: 'public',
  response: JSON_TYPE,
  handle: ({ principal }, deps) => json(describe(deps, deps.sessions.get(principal?.session?.id ?? ''))),
})

export const signIn = define({
  method: 'POST',
  path: PATH,
  id: 'signIn',
  action: 'auth.login',
  tag: TAG,
  summary: 'Sign in with an account, or with the API token',
  permission: 'public',
  body: z.strictObject({
    username: z.string().min(1).max(256).optional(),
    password: z.string().min(1).max(1024).optional(),
    token: z.string().min(1).max(1024).optional(),
  }),
  status: 201,
  response: JSON_TYPE,
  errors: [400, 401, 409, 429],
  async handle(call, deps) {
    const { username, password, token } = call.body
    if (token !== undefined && username === undefined && password === undefined)
      return signInWithToken(call, deps, token)
    if (token !== undefined || username === undefined || password === undefined)
      throw invalid('Expected a user name and a password, or the token')
    const { accounts } = deps
    if (!accounts) throw invalid('There are no accounts on this appliance', { details: { field: 'username' } })
    const user = await logInOrRefuse(accounts, accounts.limits, {
      username,
      password,
      address: call.address,
      refused: (event, actor) => call.audit(event, TARGET, actor),
    })
    call.audit('auth.login', `users/${user.id}`, { id: user.id, name: user.username })
    return signedIn(deps, user, call.principal)
  },
})

function signInWithToken(call: Call, deps: ConsoleDeps, token: string): Promise<Reply> | Reply {
  const { tokens, backOff, mode } = deps
  // The first-run phrase is not a token: it opens only set-up.
  if (firstRun(firstRunNeeds(deps))?.phrase) throw failedPrecondition('Set-up comes first')
  const seconds = mode === 'strict' ? backOff.wait(call.address) : 0
  if (seconds > 0) {
    call.audit('auth.login.backoff', TARGET, 'nobody')
    throw tooMany('failed attempts', seconds)
  }
  const proven = tokens.authenticate('', '', { token })
  if (!proven) {
    if (mode === 'strict') backOff.fail(call.address)
    call.audit('auth.login.failed', TARGET, 'nobody')
    throw new ApiError('unauthenticated', 'Wrong token')
  }
  backOff.succeed(call.address)
  call.audit('auth.login', 'token', { id: 'token', name: nameOf(proven) })
  return signedIn(deps, 'token', call.principal)
}

export const signOut = define({
  method: 'DELETE',
  path: PATH,
  id: 'signOut',
  action: 'auth.logout',
  tag: TAG,
  summary: 'End the session of this request',
  permission: 'viewer',
  response: JSON_TYPE,
  async handle({ principal, audit }, { sessions }) {
    await sessions.end(principal?.session?.id ?? '')
    const account = ownAccount(principal)
    audit('auth.logout', account ? `users/${account.id}` : 'token')
    return json({ message: 'signed out' }, 200, clearCookie())
  },
})

export const sessionEndpoints = [getSession, signIn, signOut]
