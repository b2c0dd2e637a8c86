// GET and POST /snapshot-policies, GET, PUT and DELETE /snapshot-policies/{dataset}, and the preview. A policy destroys
// snapshots by its counts alone, so a PUT takes effect at the next run; the preview shows the result beforehand.
import * as z from 'zod'
import { invalid } from '../../errors.ts'
import {
  createPolicy,
  findPolicy,
  findPolicyBelow,
  getPolicy,
  listPolicies,
  previewPolicy,
  removePolicy,
  updatePolicy,
} from '../../features/snapshots/policies.ts'
import { SnapshotPolicy } from '../../features/snapshots/policy.ts'
import { KnownDataset } from '../../features/zfs/names.ts'
import { wholeNumber } from '../../http/body/whole-number.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/snapshot-policies`
const ONE = `${COLLECTION}/{dataset*}`
const tag = 'Snapshots'

const params = z.strictObject({ dataset: KnownDataset })
const Named = z.strictObject(SnapshotPolicy.partial().shape).meta({ id: 'SnapshotPolicyChange' })
const key = (dataset: string) => `snapshot-policies/${dataset}`
const resource = {
  key: (params: { dataset: string }) => key(params.dataset),
  version: ({ params: { dataset } }: { params: { dataset: string } }, { zfs }: ControllerDeps) =>
    getPolicy(zfs, dataset),
}

const count = wholeNumber(0, 10_000, { description: 'as if the policy had this count' })
const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional()
  .describe('as if the policy were set so')

const Preview = z
  .object({
    dataset: z.string(),
    take: z.array(z.string()).describe('what is due now'),
    destroy: z.array(z.string()).describe('what is more than is to be kept'),
    keep: z.array(z.object({ name: z.string(), reason: z.string() })),
  })
  .meta({ id: 'SnapshotPolicyPreview' })

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listSnapshotPolicies',
  tag,
  summary: 'List the snapshot policies',
  permission: 'viewer',
  response: z.array(SnapshotPolicy),
  handle: async (_call, { zfs }) => json(await listPolicies(zfs)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createSnapshotPolicy',
  action: 'snapshot-policies.create',
  tag,
  summary: 'Give a dataset a snapshot policy: a count that is left out is 0, a switch that is left out is on',
  permission: 'operator',
  // The contract uses one schema for both bodies, without required members.
  body: Named.refine(({ dataset }) => dataset !== undefined, { path: ['dataset'], error: 'A dataset is needed' }),
  status: 201,
  response: SnapshotPolicy,
  errors: [404, 409],
  resource: {
    key: (_params, { dataset = '' }) => key(dataset),
    version: ({ body: { dataset = '' } }, { zfs }) => findPolicy(zfs, dataset),
  },
  async handle({ body: { dataset = '', ...wanted }, audit }, { zfs, scheduler }) {
    const made = await createPolicy(zfs, dataset, wanted)
    audit('snapshot-policies.create', key(dataset))
    scheduler.wake()
    return { ...json(made, 201, { Location: encodeURI(`${COLLECTION}/${dataset}`) }), version: made }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getSnapshotPolicy',
  tag,
  summary: 'Show the snapshot policy of a dataset',
  permission: 'viewer',
  params,
  response: SnapshotPolicy,
  errors: [404],
  resource,
  async handle({ params: { dataset } }, { zfs }) {
    const found = await getPolicy(zfs, dataset)
    return { ...json(found), version: found }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateSnapshotPolicy',
  action: 'snapshot-policies.update',
  tag,
  summary: 'Change a snapshot policy: what is left out stays',
  permission: 'operator',
  params,
  body: Named,
  response: SnapshotPolicy,
  errors: [404],
  resource,
  async handle({ params: { dataset }, body: { dataset: named, ...wanted }, audit }, { zfs, scheduler }) {
    if (named !== undefined && named !== dataset)
      throw invalid('A policy cannot be moved to another dataset', { details: { field: 'dataset' } })
    const changed = await updatePolicy(zfs, dataset, wanted)
    audit('snapshot-policies.update', key(dataset))
    scheduler.wake()
    return { ...json(changed), version: changed }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteSnapshotPolicy',
  action: 'snapshot-policies.delete',
  tag,
  summary: 'Remove a snapshot policy; the snapshots that it made stay',
  permission: 'operator',
  params,
  response: Message,
  errors: [404],
  resource,
  async handle({ params: { dataset }, audit }, { zfs }) {
    await removePolicy(zfs, dataset)
    audit('snapshot-policies.delete', key(dataset))
    return json({ message: 'snapshot policy deleted' })
  },
})

const preview = define({
  method: 'GET',
  path: `${ONE}/preview`,
  id: 'previewSnapshotPolicy',
  tag,
  summary: 'What the next run of the policy would take, destroy and keep',
  description:
    'Counts and switches in the query are looked at as if they were saved, also where there is no policy yet. Nothing is changed. ' +
    'Where a dataset of the name preview has a policy, its own path without a query is that policy’s.',
  permission: 'viewer',
  params,
  query: z.object({
    frequent: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    autosnap: flag,
    autoprune: flag,
  }),
  response: z.union([Preview, SnapshotPolicy]),
  errors: [404],
  resource: { key: resource.key },
  async handle({ params: { dataset }, query }, { zfs, now }) {
    // A dataset that is listed can be requested by its name, whatever that ends with.
    const isAsked = Object.values(query).some((value) => value !== undefined)
    const own = isAsked ? undefined : await findPolicyBelow(zfs, dataset, 'preview')
    if (own) return { ...json(own), version: own }
    return json(await previewPolicy(zfs, dataset, now(), query))
  },
})

export const snapshotPoliciesEndpoints = [list, create, get, update, remove, preview]
