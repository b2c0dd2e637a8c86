// GET and POST /users, GET, PUT and DELETE /users/{id}.
import * as z from 'zod'
import { Email, Password, Role, UserName } from '../../features/users/rules.ts'
import { createUser, findUser, removeUser, updateUser } from '../../features/users/users.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'
import { User, view } from './user-view.ts'

const COLLECTION = `${PREFIX}/users`
const ONE = `${COLLECTION}/{id}`
const tag = 'Users'
/**
 * Every change updates `updated_at`; members that the contract does not show (a hash, ended tokens) are not part of the
 * version.
 */
const resource = {
  key: ({ id }: { id: string }) => `users/${id}`,
  version: ({ params: { id } }: { params: { id: string } }, { accounts }: ControllerDeps) =>
    view(findUser(accounts, id)),
}
const params = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'Not a user id')
    .describe('User ID'),
})

export const listUsers = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listUsers',
  tag,
  summary: 'List the accounts',
  permission: 'viewer',
  response: z.array(User),
  handle: (_call, { accounts }) => json(accounts.users.all().map(view)),
})

export const createUserEndpoint = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createUser',
  action: 'users.create',
  tag,
  summary: 'Make an account; without a role it is a viewer',
  permission: 'administrator',
  body: z.strictObject({
    username: UserName,
    email: Email.optional(),
    password: Password,
    role: Role.optional(),
  }),
  status: 201,
  response: User,
  errors: [409],
  async handle({ body, principal, audit }, { accounts }) {
    const user = await createUser(accounts, body, principal)
    audit('users.create', `users/${user.id}`)
    return json(view(user), 201, { Location: `${COLLECTION}/${user.id}` })
  },
})

export const getUser = define({
  method: 'GET',
  path: ONE,
  id: 'getUser',
  tag,
  summary: 'Show one account',
  permission: 'viewer',
  params,
  resource,
  response: User,
  errors: [404],
  handle: ({ params: { id } }, { accounts }) => json(view(findUser(accounts, id))),
})

export const updateUserEndpoint = define({
  method: 'PUT',
  path: ONE,
  id: 'updateUser',
  action: 'users.update',
  tag,
  summary: 'Change an account: what is left out stays',
  description: 'A new password, role or active flag ends every token of the account.',
  permission: 'administrator',
  params,
  resource,
  body: z.strictObject({
    email: Email.optional(),
    role: Role.optional(),
    active: z.boolean().optional(),
    password: Password.optional(),
  }),
  response: User,
  errors: [404, 409],
  async handle({ params: { id }, body, principal, audit }, { accounts }) {
    const user = await updateUser(accounts, id, body, principal)
    audit('users.update', `users/${user.id}`)
    return json(view(user))
  },
})

export const deleteUser = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteUser',
  action: 'users.delete',
  tag,
  summary: 'Remove an account, but not your own',
  permission: 'administrator',
  params,
  resource,
  response: Message,
  errors: [404, 409],
  handle({ params: { id }, principal, audit }, { accounts }) {
    removeUser(accounts, id, principal)
    audit('users.delete', `users/${id}`)
    return json({ message: 'user deleted' })
  },
})

export const usersEndpoints = [listUsers, createUserEndpoint, getUser, updateUserEndpoint, deleteUser]
