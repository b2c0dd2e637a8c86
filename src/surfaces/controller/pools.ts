// Pools: list, create, show, destroy, scrub, import, export. A change of a pool is a job that may outlast the request;
// then the answer is 202 with the job, whatever status the contract names.
import * as z from 'zod'
import { Destruction, Plan } from '../../features/destruction/plan.ts'
import { listAvailable } from '../../features/pools/available.ts'
import {
  createPool,
  destroyPool,
  exportPool,
  importPool,
  planPool,
  scrubJob,
  scrubPool,
} from '../../features/pools/change.ts'
import { PoolOptions } from '../../features/pools/options.ts'
import { getLastScrub, getPool, isPathWord, listPools, poolVersion, versionOf } from '../../features/pools/pools.ts'
import { Allowed, VdevWords } from '../../features/pools/vdevs.ts'
import { readUpkeep, type Upkeep } from '../../features/snapshots/upkeep.ts'
import { KnownPool, PoolName } from '../../features/zfs/names.ts'
import { SYSTEM } from '../../features/zfs/options.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import { type ControllerDeps, define } from './context.ts'
import { answerPlan } from './destroy.ts'
import { type Finish, finish } from './finish.ts'
import { Job } from './job-view.ts'
import {
  POOLS as COLLECTION,
  poolKey as key,
  ONE_POOL as ONE,
  poolParams as params,
  poolResource as resource,
} from './pool-resource.ts'
import {
  AvailableView,
  Pool,
  PoolDetails,
  Scrub,
  viewAvailable,
  viewDetails,
  viewPool,
  viewScrub,
} from './pool-view.ts'
import { Message } from './shapes.ts'

const tag = 'ZFS'

/** ZFS would mount a pool called `etc` at /etc, over its content. */
const NewName = PoolName.refine(
  (name) => !isPathWord(name) && name !== 'mnt' && !SYSTEM.test(name),
  'This name is reserved',
)

async function answer(
  pools: ControllerDeps['pools'],
  name: string,
  status: number,
  more: { schedule?: Upkeep } = {},
): Promise<Reply> {
  const pool = await getPool(pools, name)
  const headers: Record<string, string> = status === 201 ? { Location: `${COLLECTION}/${name}` } : {}
  return { ...json({ ...viewDetails(pool), ...more }, status, headers), version: versionOf(pool) }
}

/** Holds the request until the task has ended, or `enough` of it is done. */
const held = (
  call: Call,
  { tasks, settings }: ControllerDeps,
  { object, ...rest }: Pick<Finish, 'task' | 'action' | 'object' | 'done' | 'enough'>,
) => finish(call, { tasks, seconds: settings['apply-seconds'], object, target: key(object), ...rest })

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listPools',
  tag,
  summary: 'List the pools',
  permission: 'viewer',
  response: z.array(Pool),
  errors: [502, 503],
  handle: async (_call, { pools }) => json((await listPools(pools)).map(viewPool)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createPool',
  action: 'pools.create',
  tag,
  summary: 'Make a pool',
  description:
    'vdevs: devices, and before those of a group the word mirror, raidz, raidz2 or raidz3; log, cache, spare, special and dedup ' +
    'begin such a part. A device that holds anything is refused. allow: ["layout-mismatch"] accepts a redundancy or sizes that differ, ' +
    'and nothing else.',
  permission: 'operator',
  body: z.strictObject({
    name: NewName,
    vdevs: VdevWords,
    allow: Allowed.optional(),
    options: PoolOptions.optional(),
  }),
  status: 201,
  response: PoolDetails,
  accepted: Job,
  errors: [409, 502, 503],
  resource: {
    key: (_params, body) => key(body.name),
    version: ({ body }, { pools }) => poolVersion(pools, body.name),
  },
  async handle(call, deps) {
    const { name } = call.body
    const task = await createPool(deps.pools, call.body, call.by)
    return held(call, deps, {
      task,
      action: 'pools.create',
      object: name,
      done: async () => answer(deps.pools, name, 201, { schedule: (await readUpkeep(deps.zfs, name)).upkeep }),
    })
  },
})

const available = define({
  method: 'GET',
  path: `${COLLECTION}/available`,
  id: 'listAvailable',
  tag,
  summary: 'List the disks that nobody uses, and the pools that could be imported',
  permission: 'viewer',
  response: AvailableView,
  errors: [502, 503],
  handle: async (_call, { pools }) => json(viewAvailable(await listAvailable(pools))),
})

const importEndpoint = define({
  method: 'POST',
  path: `${COLLECTION}/import`,
  id: 'importPool',
  action: 'pools.import',
  tag,
  summary: 'Import a pool, by its name or its id',
  permission: 'operator',
  body: z.strictObject({
    name: KnownPool.optional(),
    id: z
      .string()
      .regex(/^[0-9]{1,20}$/, 'Not the id of a pool')
      .optional(),
    new_name: NewName.optional().describe('what it is called from now on'),
    force: z.boolean().optional().describe('also when another system was the last to use it, and did not export it'),
  }),
  response: PoolDetails,
  accepted: Job,
  errors: [404, 409, 502, 503],
  async handle(call, deps) {
    const { name, id, new_name: newName, force } = call.body
    const started = await importPool(deps.pools, { name, id, newName, force }, call.by)
    const { task, name: object } = started
    return held(call, deps, { task, action: 'pools.import', object, done: () => answer(deps.pools, object, 200) })
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getPool',
  tag,
  summary: 'Show one pool, with its devices',
  permission: 'viewer',
  params,
  response: PoolDetails,
  errors: [404, 502, 503],
  resource,
  handle: ({ params: { name } }, { pools }) => answer(pools, name, 200),
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deletePool',
  action: 'pools.delete',
  tag,
  summary: 'Destroy a pool, with everything in it',
  description: 'dry_run=true answers the plan and destroys nothing. What something depends on stays.',
  permission: 'operator',
  params,
  query: Destruction,
  response: z.union([Message, Plan]),
  accepted: Job,
  errors: [404, 409, 502, 503],
  resource,
  async handle(call, deps) {
    const { name } = call.params
    const plan = await planPool(deps.pools, name)
    // A pool is always destroyed with everything in it.
    const asked = { query: { ...call.query, recursive: 'true' }, audit: call.audit }
    const answered = answerPlan(asked, deps, { plan, target: key(name), action: 'pools.delete' })
    if (answered) return answered
    const task = await destroyPool(deps.pools, plan, call.by)
    return held(call, deps, {
      task,
      action: 'pools.delete',
      object: name,
      done: () => json({ message: 'pool deleted' }),
    })
  },
})

const startScrub = define({
  method: 'POST',
  path: `${ONE}/scrub`,
  id: 'scrubPool',
  action: 'pools.scrub',
  tag,
  summary: 'Start a scrub; its job goes on until the scrub ends, and stops it when it is cancelled',
  permission: 'operator',
  params,
  response: Message.extend({ job: z.string() }),
  accepted: Job,
  errors: [404, 409, 502, 503],
  async handle(call, deps) {
    const { name } = call.params
    const task = await scrubPool(deps.pools, name, call.by)
    return held(call, deps, {
      task,
      action: 'pools.scrub',
      object: name,
      enough: ({ message }) => message === 'scrubbing',
      done: () => json({ message: 'scrub started', job: task.id }),
    })
  },
})

const getScrub = define({
  method: 'GET',
  path: `${ONE}/scrub`,
  id: 'getPoolScrub',
  tag,
  summary: 'Show how the scrub goes, or how the last one went',
  permission: 'viewer',
  params,
  response: Scrub,
  errors: [404, 502, 503],
  async handle({ params: { name } }, { pools }) {
    return json(viewScrub(await getLastScrub(pools, name), scrubJob(pools, name)?.id))
  },
})

const exportEndpoint = define({
  method: 'POST',
  path: `${ONE}/export`,
  id: 'exportPool',
  action: 'pools.export',
  tag,
  summary: 'Export a pool, so that its disks can go to another machine',
  permission: 'operator',
  params,
  response: Message,
  accepted: Job,
  errors: [404, 409, 502, 503],
  resource,
  async handle(call, deps) {
    const { name } = call.params
    const task = await exportPool(deps.pools, name, call.by)
    return held(call, deps, {
      task,
      action: 'pools.export',
      object: name,
      done: () => json({ message: 'pool exported' }),
    })
  },
})

export const poolsEndpoints = [
  list,
  create,
  available,
  importEndpoint,
  get,
  remove,
  startScrub,
  getScrub,
  exportEndpoint,
]
