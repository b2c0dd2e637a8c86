// Upkeep of a pool: trim, upgrade, and the properties that can be changed.
import * as z from 'zod'
import { PoolPlan } from '../../features/pools/layout-plan.ts'
import { PoolOptions } from '../../features/pools/options.ts'
import { getPool, versionOf } from '../../features/pools/pools.ts'
import { getTrim, setPoolOptions, startTrim, stopTrim, upgradePool } from '../../features/pools/upkeep.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { json } from '../../http/reply/reply.ts'
import { define } from './context.ts'
import { finish } from './finish.ts'
import { Job } from './job-view.ts'
import { Agreed, carryOut, changed, PoolChanged } from './pool-devices.ts'
import { ONE_POOL, poolParams as params, poolKey, poolResource as resource } from './pool-resource.ts'
import { PoolDetails, viewDetails } from './pool-view.ts'
import { Message } from './shapes.ts'

const tag = 'ZFS'

const TrimView = z
  .object({
    status: z
      .enum(['none', 'running', 'paused', 'finished', 'unsupported'])
      .describe(
        'finished: on every disk that can be trimmed; none: never, or the last trim was cancelled on one of them or more; unsupported: none of the disks can be trimmed',
      ),
    progress: z.number().min(0).max(100).describe('percent'),
    disks: z.array(
      z.object({
        name: z.string(),
        status: z.enum(['unsupported', 'none', 'running', 'suspended', 'finished']),
        progress: z.number().min(0).max(100),
        at: Timestamp.optional().describe('when it began or ended'),
      }),
    ),
    job: z.string().optional().describe('the job that follows it'),
  })
  .meta({ id: 'Trim' })

const getTrimEndpoint = define({
  method: 'GET',
  path: `${ONE_POOL}/trim`,
  id: 'getPoolTrim',
  tag,
  summary: 'Show how the trim of each disk goes, or went',
  permission: 'viewer',
  params,
  response: TrimView,
  errors: [404, 502, 503],
  async handle({ params: { name } }, { pools }) {
    const { status, percent, disks, job } = await getTrim(pools, name)
    return json({
      status,
      progress: Math.round(percent),
      disks: disks.map(({ name: disk, state, percent: done, at }) => ({
        name: disk,
        status: state,
        progress: done,
        ...(at !== undefined && { at: new Date(at).toISOString() }),
      })),
      ...(job !== undefined && { job }),
    })
  },
})

const trim = define({
  method: 'POST',
  path: `${ONE_POOL}/trim`,
  id: 'trimPool',
  action: 'pools.trim',
  tag,
  summary: 'Start, continue, suspend or cancel a trim; its job goes on until the trim ends',
  permission: 'operator',
  params,
  body: z.strictObject({
    action: z
      .enum(['start', 'suspend', 'cancel'])
      .default('start')
      .describe('start continues a trim that is suspended'),
    rate: z
      .string()
      .regex(/^[1-9][0-9]{0,8}[KMGT]?$/, 'Expected bytes a second such as 100M')
      .optional()
      .describe('bytes a second for each disk'),
    secure: z.boolean().optional().describe('the disks guarantee that the old data is gone'),
  }),
  response: Message.extend({ job: z.string().optional() }),
  accepted: Job,
  errors: [404, 409, 502, 503],
  async handle(call, deps) {
    const { name } = call.params
    const { action, ...options } = call.body
    const target = poolKey(name)
    if (action !== 'start') {
      await stopTrim(deps.pools, name, action)
      call.audit('pools.trim', target)
      return json({ message: action === 'suspend' ? 'trim suspended' : 'trim cancelled' })
    }
    const { job, task } = await startTrim(deps.pools, name, options, call.by)
    if (task) return changed(call, deps, task, 'pools.trim', 'trim started')
    call.audit('pools.trim', target)
    return json({ message: 'trim continued', job })
  },
})

const upgrade = define({
  method: 'POST',
  path: `${ONE_POOL}/upgrade`,
  id: 'upgradePool',
  action: 'pools.upgrade',
  tag,
  summary: 'Enable all features that the installed ZFS has',
  description: 'It cannot be undone, so the confirm token of its plan (dry_run=true) is always needed.',
  permission: 'operator',
  params,
  query: Agreed,
  response: z.union([PoolChanged, PoolPlan]),
  accepted: Job,
  errors: [404, 409, 502, 503],
  resource,
  handle: async (call, deps) =>
    carryOut(call, deps, await upgradePool(deps.pools, call.params.name), {
      action: 'pools.upgrade',
      message: 'pool upgraded',
      demanded: true,
    }),
})

const update = define({
  method: 'PATCH',
  path: ONE_POOL,
  id: 'updatePool',
  action: 'pools.update',
  tag,
  summary: 'Set properties of a pool, such as autoreplace, autotrim and autoexpand',
  permission: 'operator',
  params,
  body: z.strictObject({ options: PoolOptions }),
  response: PoolDetails,
  accepted: Job,
  errors: [404, 409, 502, 503],
  resource,
  async handle(call, deps) {
    const { name } = call.params
    const task = await setPoolOptions(deps.pools, name, call.body.options, call.by)
    return finish(call, {
      tasks: deps.tasks,
      task,
      action: 'pools.update',
      target: poolKey(name),
      seconds: deps.settings['apply-seconds'],
      object: name,
      async done() {
        const pool = await getPool(deps.pools, name)
        return { ...json(viewDetails(pool)), version: versionOf(pool) }
      },
    })
  },
})

export const poolUpkeepEndpoints = [getTrimEndpoint, trim, upgrade, update]
