// POST /auth/login, POST /auth/logout, PUT /auth/password.
import * as z from 'zod'
import { LIFETIME } from '../../auth/jwt.ts'
import { logIn, logOut } from '../../features/users/login.ts'
import { Password } from '../../features/users/rules.ts'
import { changeOwnPassword } from '../../features/users/users.ts'
import { ApiError, raise } from '../../http/errors.ts'
import { json } from '../../http/reply.ts'
import { define, PREFIX } from './deps.ts'
import { User, view } from './user.ts'
import { Message } from './words.ts'

const TARGET = 'api/v1/auth/login'

export const login = define({
  method: 'POST',
  path: `${PREFIX}/auth/login`,
  id: 'login',
  duringMaintenance: true,
  action: 'auth.login',
  tag: 'Authentication',
  summary: 'Exchange a name and a password for a token',
  permission: 'public',
  body: z.strictObject({
    username: z.string().min(1).max(256),
    password: z.string().min(1).max(1024).meta({ format: 'password' }),
  }),
  repeatable: true,
  unlimited: true,
  response: z.object({ token: z.string(), user: User, expires_in: z.int().describe('seconds') }),
  errors: [400, 401, 429],
  async handle({ body, address, audit }, { accounts, tokens, limits }) {
    // A name goes into the log only when it is an account's: people type passwords into the wrong field.
    const actor = accounts.users.byName(body.username)?.username ?? 'nobody'
    let user: Awaited<ReturnType<typeof logIn>>
    try {
      user = await logIn(accounts, limits, { ...body, address })
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'too-many') audit('auth.login.backoff', TARGET, actor)
      throw error
    }
    if (!user) {
      audit('auth.login.failed', TARGET, actor)
      throw new ApiError('unauthenticated', 'Wrong user name or password')
    }
    const token = await tokens.issue(user)
    audit('auth.login', `users/${user.id}`, { id: user.id, name: user.username })
    return json({ token, user: view(user), expires_in: LIFETIME })
  },
})

export const logout = define({
  method: 'POST',
  path: `${PREFIX}/auth/logout`,
  id: 'logout',
  duringMaintenance: true,
  action: 'auth.logout',
  tag: 'Authentication',
  summary: 'End the token of this request',
  permission: 'viewer',
  repeatable: true,
  // Whoever has used up his requests can still end his token.
  unlimited: true,
  response: Message,
  handle({ principal, audit }, { accounts }) {
    logOut(accounts, principal ?? raise(new ApiError('unauthenticated', 'A valid token is needed')))
    audit('auth.logout', `users/${principal?.session?.user}`)
    return json({ message: 'logged out' })
  },
})

export const changePassword = define({
  method: 'PUT',
  path: `${PREFIX}/auth/password`,
  id: 'changePassword',
  duringMaintenance: true,
  action: 'auth.password',
  tag: 'Authentication',
  summary: 'Change your own password',
  description: 'Ends every token of the account; the answer carries a new one.',
  permission: 'viewer',
  body: z.strictObject({ current: z.string().min(1).max(1024).meta({ format: 'password' }), password: Password }),
  response: z.object({ token: z.string(), expires_in: z.int().describe('seconds') }),
  errors: [429],
  // A change of the account like any other, but what it answers with is not the account.
  resource: { key: (_params, _body, principal) => `users/${principal?.session?.user}`, version: () => undefined },
  async handle({ body, principal, address, audit }, { accounts, tokens, limits }) {
    const session = principal?.session
    const user = await changeOwnPassword(accounts, limits, { ...body, session, address })
    audit('auth.password', `users/${user.id}`)
    return json({ token: await tokens.issue(user), expires_in: LIFETIME })
  },
})

export const authEndpoints = [login, logout, changePassword]
