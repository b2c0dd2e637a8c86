// GET and POST /share-groups, GET, PUT and DELETE /share-groups/{id}: groups of share users, `@name` in a share.
import * as z from 'zod'
import { isAgreed } from '../../features/destruction/agreement.ts'
import { Destruction } from '../../features/destruction/plan.ts'
import {
  createShareGroup,
  getShareGroup,
  listShareGroups,
  removeShareGroup,
  updateShareGroup,
} from '../../features/share-accounts/groups.ts'
import { planGroupRemoval } from '../../features/share-accounts/plan.ts'
import { ShareGroupName } from '../../features/share-accounts/rules.ts'
import type { ShareGroup as Shown } from '../../features/share-accounts/view.ts'
import { Description } from '../../features/shares/rules.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'
import { AccountId, AccountPlan, Problem } from './share-users.ts'

const COLLECTION = `${PREFIX}/share-groups`
const ONE = `${COLLECTION}/{id}`
const tag = 'Share Users'
const params = z.strictObject({ id: AccountId })
const key = (id: string) => `share-groups/${id}`

const ShareGroup = z
  .object({
    id: z.string(),
    gid: z.int(),
    name: z.string(),
    description: z.string(),
    members: z.array(z.string()),
    builtin: z.boolean().describe('true: the group of every share user, which cannot be changed'),
    created_at: Timestamp,
    updated_at: Timestamp,
    problem: Problem,
  })
  .meta({ id: 'ShareGroup' })
const Members = z.array(z.string().max(64)).max(10_000, 'Expected at most 10000 names')

const versionOf = ({ problem: _problem, ...shown }: Shown) => shown

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listShareGroups',
  tag,
  summary: 'List the share groups',
  permission: 'viewer',
  response: z.array(ShareGroup),
  errors: [502, 503],
  handle: async (_call, { shareAccounts }) => json(await listShareGroups(shareAccounts)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createShareGroup',
  action: 'share-groups.create',
  tag,
  summary: 'Create a group of share users',
  permission: 'operator',
  body: z.strictObject({
    name: ShareGroupName,
    description: Description.default(''),
    members: Members.default([]),
  }),
  resource: { key: (_params, { name }) => `share-accounts/${name}`, version: () => undefined },
  status: 201,
  response: ShareGroup,
  errors: [409, 501, 502, 503],
  async handle({ body, audit }, { shareAccounts }) {
    const made = await createShareGroup(shareAccounts, body)
    audit('share-groups.create', key(made.id))
    return { ...json(made, 201, { Location: `${COLLECTION}/${made.id}` }), version: versionOf(made) }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getShareGroup',
  tag,
  summary: 'Show one share group',
  permission: 'viewer',
  params,
  resource: { key: ({ id }) => key(id) },
  response: ShareGroup,
  errors: [404, 502, 503],
  async handle({ params: { id } }, { shareAccounts }) {
    const found = await getShareGroup(shareAccounts, id)
    return { ...json(found), version: versionOf(found) }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateShareGroup',
  action: 'share-groups.update',
  tag,
  summary: 'Change a share group: what is left out stays, and all members change in one step',
  permission: 'operator',
  params,
  body: z.strictObject({ description: Description.optional(), members: Members.optional() }),
  resource: {
    key: ({ id }) => key(id),
    version: async ({ params: { id } }, { shareAccounts }) => versionOf(await getShareGroup(shareAccounts, id)),
  },
  response: ShareGroup,
  errors: [404, 409, 501, 502, 503],
  async handle({ params: { id }, body, audit }, { shareAccounts }) {
    const changed = await updateShareGroup(shareAccounts, id, body)
    audit('share-groups.update', key(id))
    return { ...json(changed), version: versionOf(changed) }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteShareGroup',
  action: 'share-groups.delete',
  tag,
  summary: 'Remove a share group; its users stay',
  description:
    'A group that an SMB share names is refused. Its files stay, and its number is never given to another one. dry_run=true answers the plan.',
  permission: 'operator',
  params,
  query: Destruction,
  resource: {
    key: ({ id }) => key(id),
    version: async ({ params: { id } }, { shareAccounts }) => versionOf(await getShareGroup(shareAccounts, id)),
  },
  response: z.union([Message, AccountPlan]),
  errors: [404, 409, 501, 502, 503],
  async handle({ params: { id }, query, audit }, deps) {
    const plan = await planGroupRemoval({ ...deps, accounts: deps.shareAccounts }, id)
    if (!isAgreed(plan, query, deps.settings['confirm-destroy'])) {
      audit('share-groups.delete.plan', key(id))
      return json(plan)
    }
    await removeShareGroup(deps.shareAccounts, id)
    audit('share-groups.delete', key(id))
    return json({ message: 'share group deleted' })
  },
})

export const shareGroupsEndpoints = [list, create, get, update, remove]
