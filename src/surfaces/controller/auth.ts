// POST /auth/login, POST /auth/logout, PUT /auth/password.
import * as z from 'zod'
import { LIFETIME } from '../../auth/jwt.ts'
import { ownAccount } from '../../auth/principal.ts'
import { ApiError, raise } from '../../errors.ts'
import { logInOrRefuse, logOut } from '../../features/users/login.ts'
import { changeOwnPassword } from '../../features/users/own-password.ts'
import { Password } from '../../features/users/rules.ts'
import { json } from '../../http/reply/reply.ts'
import { define, LOGIN, PREFIX } from './context.ts'
import { Message } from './shapes.ts'
import { User, view } from './user-view.ts'

const TARGET = 'api/v1/auth/login'

export const login = define({
  method: 'POST',
  path: `${PREFIX}/auth/login`,
  id: LOGIN,
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
    const refused = (event: string, actor: string) => audit(event, TARGET, actor)
    const user = await logInOrRefuse(accounts, limits, { ...body, address, refused })
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
  // A caller who has used up the request limit can still end the token.
  unlimited: true,
  response: Message,
  handle({ principal, audit }, { accounts, clock }) {
    logOut(accounts, principal ?? raise(new ApiError('unauthenticated', 'A valid token is needed')), clock)
    audit('auth.logout', `users/${ownAccount(principal)?.id}`)
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
  description:
    'Ends every token and session of the account; the answer carries a new token. Not for a session of the console: no script may read a token there.',
  permission: 'viewer',
  body: z.strictObject({ current: z.string().min(1).max(1024).meta({ format: 'password' }), password: Password }),
  response: z.object({ token: z.string().optional(), expires_in: z.int().describe('seconds') }),
  errors: [429],
  // A change of the account like any other, but the answer is not the account.
  resource: { key: (_params, _body, principal) => `users/${ownAccount(principal)?.id}`, version: () => undefined },
  async handle({ body, principal, address, audit }, { accounts, tokens, limits }) {
    const user = await changeOwnPassword(accounts, limits, { ...body, by: principal, address })
    audit('auth.password', `users/${user.id}`)
    if (principal?.via === 'session') return json({ expires_in: 0 })
    return json({ token: await tokens.issue(user), expires_in: LIFETIME })
  },
})

export const authEndpoints = [login, logout, changePassword]
