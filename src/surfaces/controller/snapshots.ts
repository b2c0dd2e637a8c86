// GET and POST /snapshots, GET and DELETE /snapshots/{name}, POST /snapshots/{name}/rollback. The list may be long, so
// it arrives here already as JSON text.
import * as z from 'zod'
import { accountOf, nameOf } from '../../auth/principal.ts'
import { invalid } from '../../errors.ts'
import { Destruction, MEMBERS, Plan } from '../../features/destruction/plan.ts'
import { MOST_REMOVED, planRemovalOfSeveral, removeSeveral } from '../../features/snapshots/remove-several.ts'
import { planRollback, startRollback } from '../../features/snapshots/rollback.ts'
import {
  findSnapshot,
  getSnapshot,
  listSnapshots,
  planSnapshotRemoval,
  removeSnapshot,
  takeSnapshot,
} from '../../features/snapshots/snapshots.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { KnownDataset, KnownPool, KnownSnapshot, SnapshotLabel } from '../../features/zfs/names.ts'
import { wholeNumber } from '../../http/body/whole-number.ts'
import { json, jsonText } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { answerPlan, RecursiveDestruction } from './destroy.ts'
import { finish } from './finish.ts'
import { Job } from './job-view.ts'
import { Bytes, Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/snapshots`
const ONE = `${COLLECTION}/{name*}`
const tag = 'Snapshots'

const Snapshot = z
  .object({
    name: z.string(),
    dataset: z.string(),
    size: Bytes.describe('bytes that would be free without it'),
    created_at: Timestamp,
  })
  .meta({ id: 'Snapshot' })
const SnapshotDetails = Snapshot.extend({
  guid: z.string().describe('the same wherever it is sent to'),
  referenced: Bytes,
  holds: z.array(z.string()).describe('the tags that keep it from being destroyed'),
  clones: z.array(z.string()),
}).meta({ id: 'SnapshotDetails' })

const params = z.strictObject({ name: KnownSnapshot })
const key = (name: string) => `snapshots/${name}`
const resource = {
  key: (params: { name: string }) => key(params.name),
  // A snapshot cannot change: it is either the same one, or another with the same name.
  version: async ({ params: { name } }: { params: { name: string } }, { zfs }: ControllerDeps) =>
    (await getSnapshot(zfs, name)).guid,
}

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listSnapshots',
  tag,
  summary: 'List snapshots, oldest first within each dataset',
  permission: 'viewer',
  query: z.object({
    dataset: KnownDataset.optional().describe('only those of this dataset itself'),
    pool: KnownPool.optional().describe('only those of this pool'),
    offset: wholeNumber(0, 999_999_999, { description: 'leave out so many' }),
    limit: wholeNumber(0, 1_000_000, { description: 'at most so many' }),
  }),
  response: z.array(Snapshot),
  errors: [404],
  async handle({ query }, { zfs }) {
    if (query.dataset !== undefined && query.pool !== undefined)
      throw invalid('Expected either dataset or pool, not both')
    return jsonText(await listSnapshots(zfs, query))
  },
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createSnapshot',
  action: 'snapshots.create',
  tag,
  summary: 'Take a snapshot',
  permission: 'operator',
  body: z.strictObject({ dataset: KnownDataset, name: SnapshotLabel }),
  status: 201,
  response: SnapshotDetails,
  errors: [404, 409],
  resource: {
    key: (_params, { dataset, name }) => key(`${dataset}@${name}`),
    version: async ({ body }, { zfs }) => (await findSnapshot(zfs, `${body.dataset}@${body.name}`))?.guid,
  },
  async handle({ body, audit }, { zfs }) {
    const name = KnownSnapshot.safeParse(`${body.dataset}@${body.name}`)
    if (!name.success) throw invalid('The name is too long for this dataset', { details: { field: 'name' } })
    const taken = await takeSnapshot(zfs, name.data)
    audit('snapshots.create', key(name.data))
    return { ...json(taken, 201, { Location: encodeURI(`${COLLECTION}/${name.data}`) }), version: taken.guid }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getSnapshot',
  tag,
  summary: 'Show one snapshot, with its holds and clones',
  permission: 'viewer',
  params,
  response: SnapshotDetails,
  errors: [404],
  resource,
  async handle({ params: { name } }, { zfs }) {
    const found = await getSnapshot(zfs, name)
    return { ...json(found), version: found.guid }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteSnapshot',
  action: 'snapshots.delete',
  tag,
  summary: 'Destroy a snapshot that nothing depends on',
  permission: 'operator',
  params,
  query: Destruction,
  response: z.union([Message, Plan]),
  errors: [404, 409],
  resource,
  async handle(call, deps) {
    const { name } = call.params
    const plan = await planSnapshotRemoval(deps.zfs, name)
    const answer = answerPlan(call, deps, { plan, target: key(name), action: 'snapshots.delete' })
    if (answer) return answer
    await removeSnapshot(deps.zfs, deps.tasks, name)
    call.audit('snapshots.delete', key(name))
    return json({ message: 'snapshot deleted' })
  },
})

const removeMany = define({
  method: 'POST',
  path: `${COLLECTION}/remove`,
  id: 'deleteSnapshots',
  action: 'snapshots.delete',
  tag,
  summary: 'Destroy several snapshots that nothing depends on',
  description: `At most ${MOST_REMOVED}. The confirm token of their plan is always needed: ask with dry_run=true first.`,
  permission: 'operator',
  query: Destruction,
  body: z.strictObject({
    names: z
      .array(KnownSnapshot)
      .min(1)
      .max(MOST_REMOVED)
      .refine((names) => new Set(names).size === names.length, 'A name is in it twice'),
  }),
  response: z.union([Message, Plan]),
  errors: [404, 409],
  resource: {
    key: (_params, { names }) => names.map(key),
    version: async ({ body }, { zfs }) => (await planRemovalOfSeveral(zfs, body.names))[MEMBERS],
  },
  async handle(call, deps) {
    const { principal, address, requestId: request, query } = call
    const action = 'snapshots.delete'
    const plan = await planRemovalOfSeveral(deps.zfs, call.body.names)
    // The named snapshots are all that is destroyed, so `recursive` need not be demanded.
    const asked = { query: { ...query, recursive: 'true' }, audit: call.audit }
    const settings = { ...deps.settings, 'confirm-destroy': true }
    const answer = answerPlan(asked, { settings }, { plan, target: 'snapshots', action })
    if (answer) return answer
    call.audit(action, 'snapshots')
    const by = { actor: nameOf(principal) ?? 'nobody', account: accountOf(principal), name: nameOf(principal) }
    const count = await removeSeveral(deps.zfs, deps.tasks, plan, (name) =>
      deps.audit.write({ ...by, event: action, target: key(name), address, request }),
    )
    return json({ message: `${count} snapshots deleted` })
  },
})

const rollback = define({
  method: 'POST',
  path: `${ONE}/rollback`,
  id: 'rollbackSnapshot',
  action: 'snapshots.rollback',
  tag,
  summary: 'Take a dataset back to a snapshot: what was written since is lost',
  description:
    'Where there are newer snapshots, they go for good: recursive=true agrees. dry_run=true answers the plan.',
  permission: 'operator',
  params,
  query: RecursiveDestruction,
  response: z.union([Message, Plan]),
  accepted: Job,
  errors: [404, 409],
  async handle(call, deps) {
    const { name } = call.params
    const plan = await planRollback(deps.zfs, name, (volume) => deps.iscsi.usersOf(volume))
    const [action, target] = ['snapshots.rollback', key(name)]
    const answer = answerPlan(call, deps, { plan, target, action })
    if (answer) return answer
    const task = await startRollback(deps.tasks, plan, call.by)
    const seconds = deps.settings['apply-seconds']
    const done = () => json({ message: 'rolled back' })
    return finish(call, { tasks: deps.tasks, task, action, target, seconds, object: name, done })
  },
})

export const snapshotsEndpoints = [list, create, removeMany, get, remove, rollback]
