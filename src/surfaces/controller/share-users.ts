// GET and POST /share-users, GET, PUT and DELETE /share-users/{id}: who may log in to SMB shares. They are no accounts
// of the console.
import * as z from 'zod'
import { isAgreed } from '../../features/destruction/agreement.ts'
import { Destruction, Plan } from '../../features/destruction/plan.ts'
import { planUserRemoval } from '../../features/share-accounts/plan.ts'
import { FullName, SharePassword, ShareUserName } from '../../features/share-accounts/rules.ts'
import {
  createShareUser,
  getShareUser,
  listShareUsers,
  removeShareUser,
  updateShareUser,
} from '../../features/share-accounts/users.ts'
import type { ShareUser as Shown } from '../../features/share-accounts/view.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { Bytes } from './shapes.ts'

const COLLECTION = `${PREFIX}/share-users`
const ONE = `${COLLECTION}/{id}`
const tag = 'Share Users'
export const AccountId = z.string().max(64).meta({ example: '20001' })
const params = z.strictObject({ id: AccountId })
const key = (id: string) => `share-users/${id}`

const EndedSession = z
  .object({ id: z.string(), client: z.string(), ended: z.boolean().describe('false: still open after five seconds') })
  .meta({ id: 'EndedSession' })
export const Problem = z.string().optional().describe('why the system or Samba does not have it as it should be')
const ShareUser = z
  .object({
    id: z.string(),
    uid: z.int(),
    name: z.string(),
    full_name: z.string(),
    enabled: z.boolean(),
    groups: z.array(z.string()),
    created_at: Timestamp,
    updated_at: Timestamp,
    problem: Problem,
    ended_sessions: z.array(EndedSession).optional().describe('of a change: open sessions of a disabled user'),
  })
  .meta({ id: 'ShareUser' })
/** Names are compared with those of groups in the handler, which says which of them does not exist. */
const Names = z.array(z.string().max(64)).max(256, 'Expected at most 256 names')

/** What a removal would end, and what stands in its way. */
export const AccountPlan = Plan.extend({
  depends: z
    .array(z.object({ object: z.string(), reason: z.string() }))
    .describe('SMB shares that name it: change these first'),
  sessions: z.array(z.object({ id: z.string(), client: z.string() })).describe('open sessions that would be ended'),
  files: z
    .array(z.object({ dataset: z.string(), used: Bytes }))
    .describe('shared datasets with files of it: these stay, and keep the number'),
}).meta({ id: 'ShareAccountPlan' })

const versionOf = ({ ended_sessions: _ended, problem: _problem, ...shown }: Shown) => shown

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listShareUsers',
  tag,
  summary: 'List the share users',
  permission: 'viewer',
  response: z.array(ShareUser),
  errors: [502, 503],
  handle: async (_call, { shareAccounts }) => json(await listShareUsers(shareAccounts)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createShareUser',
  action: 'share-users.create',
  tag,
  summary: 'Create a user for SMB shares',
  description:
    'An account of the system without shell, home and log-in, and of Samba. Samba’s account policy decides how long a password has to be.',
  permission: 'operator',
  body: z.strictObject({
    name: ShareUserName,
    password: SharePassword,
    full_name: FullName.default(''),
    enabled: z.boolean().default(true),
    groups: Names.default([]),
  }),
  // A name is one of a user or of a group.
  resource: { key: (_params, { name }) => `share-accounts/${name}`, version: () => undefined },
  status: 201,
  response: ShareUser,
  errors: [409, 501, 502, 503],
  async handle({ body, audit }, { shareAccounts }) {
    const made = await createShareUser(shareAccounts, body)
    audit('share-users.create', key(made.id))
    return { ...json(made, 201, { Location: `${COLLECTION}/${made.id}` }), version: versionOf(made) }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getShareUser',
  tag,
  summary: 'Show one share user',
  permission: 'viewer',
  params,
  resource: { key: ({ id }) => key(id) },
  response: ShareUser,
  errors: [404, 502, 503],
  async handle({ params: { id } }, { shareAccounts }) {
    const found = await getShareUser(shareAccounts, id)
    return { ...json(found), version: versionOf(found) }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateShareUser',
  action: 'share-users.update',
  tag,
  summary: 'Change a share user: what is left out stays',
  description:
    'Open sessions of a user that is disabled are ended, and named in the answer. Groups hold from the next connection on.',
  permission: 'operator',
  params,
  body: z.strictObject({
    password: SharePassword.optional(),
    full_name: FullName.optional(),
    enabled: z.boolean().optional(),
    groups: Names.optional(),
  }),
  resource: {
    key: ({ id }) => key(id),
    version: async ({ params: { id } }, { shareAccounts }) => versionOf(await getShareUser(shareAccounts, id)),
  },
  response: ShareUser,
  errors: [404, 409, 501, 502, 503],
  async handle({ params: { id }, body, audit }, { shareAccounts }) {
    const changed = await updateShareUser(shareAccounts, id, body)
    audit('share-users.update', key(id))
    return { ...json(changed), version: versionOf(changed) }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteShareUser',
  action: 'share-users.delete',
  tag,
  summary: 'Remove a share user, and end its sessions',
  description:
    'A user that an SMB share names is refused. Its files stay, and its number is never given to another one. dry_run=true answers the plan.',
  permission: 'operator',
  params,
  query: Destruction,
  resource: {
    key: ({ id }) => key(id),
    version: async ({ params: { id } }, { shareAccounts }) => versionOf(await getShareUser(shareAccounts, id)),
  },
  response: z.union([z.object({ message: z.string(), ended_sessions: z.array(EndedSession) }), AccountPlan]),
  errors: [404, 409, 501, 502, 503],
  async handle({ params: { id }, query, audit }, deps) {
    const plan = await planUserRemoval({ ...deps, accounts: deps.shareAccounts }, id)
    if (!isAgreed(plan, query, deps.settings['confirm-destroy'])) {
      audit('share-users.delete.plan', key(id))
      return json(plan)
    }
    const ended_sessions = await removeShareUser(deps.shareAccounts, id)
    audit('share-users.delete', key(id))
    return json({ message: 'share user deleted', ended_sessions })
  },
})

export const shareUsersEndpoints = [list, create, get, update, remove]
