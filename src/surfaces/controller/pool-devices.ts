// The devices of a pool: replace, attach, detach, take offline and online, add, remove, clear. A change whose work goes on
// in ZFS (a resilver, an expansion, an evacuation) answers as soon as that has begun; its job follows it to the end.
import * as z from 'zod'
import { addVdevs, removeVdev } from '../../features/pools/add.ts'
import { assertAgreed, PoolPlan } from '../../features/pools/layout-plan.ts'
import { clearErrors, offlineDisk, onlineDisk } from '../../features/pools/online.ts'
import { attachDisk, detachDisk, type Ready, replaceDisk } from '../../features/pools/replace.ts'
import { AddedWords, Allowed } from '../../features/pools/vdevs.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import type { Task } from '../../tasks/task.ts'
import { type ControllerDeps, define } from './context.ts'
import { finish } from './finish.ts'
import { Job } from './job-view.ts'
import { ONE_POOL, poolParams as params, poolKey, poolResource as resource } from './pool-resource.ts'
import { Message } from './shapes.ts'

const tag = 'ZFS'
export const PoolChanged = Message.extend({ job: z.string().describe('the job that made or follows the change') }).meta(
  {
    id: 'PoolChanged',
  },
)

const dryRun = z
  .enum(['true', 'false'])
  .optional()
  .meta({ description: 'answer the layout before and after, and change nothing', parameter: 'DryRunOfPool' })
/** For what is only tried. */
const Dry = z.object({ dry_run: dryRun })
/** For what cannot be undone. */
export const Agreed = Dry.extend({
  confirm: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'the token of the plan that is agreed to', parameter: 'Confirm' }),
})

const word = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\x00-\x1f\x7f-]/u, 'Not a device')
  .regex(/^[^\x00-\x1f\x7f]*$/u, 'Not a device')
const device = word.describe('a device of the pool: its name, its path or its guid').meta({ example: 'sda' })
const disk = word
  .describe('a free disk: its id or any of its names in /dev; or a spare of the pool')
  .meta({ id: 'NewDisk', example: '/dev/disk/by-id/ata-DISK_SERIAL' })
const DeviceBody = z.strictObject({ device }).meta({ id: 'DeviceOfPool' })
const sequential = z
  .boolean()
  .optional()
  .describe('resilver block by block: faster, for mirrors and dRAID; a scrub verifies the data afterwards')

const errors = [404, 409, 502, 503]
const common = { tag, permission: 'operator', params, accepted: Job, errors, resource } as const
type PoolCall = Call<unknown, { name: string }>

/** Holds the request until the task has ended, or its work in ZFS has begun. */
export const changed = (
  call: PoolCall,
  deps: ControllerDeps,
  task: Task,
  action: string,
  message: string,
): Promise<Reply> =>
  finish(call, {
    tasks: deps.tasks,
    task,
    action,
    target: poolKey(call.params.name),
    seconds: deps.settings['apply-seconds'],
    object: call.params.name,
    enough: (now) => /^(?:resilvering|queued|expanding|evacuating|trimming|paused)\b/.test(now.message),
    done: () => json({ message, job: task.id }),
  })

/** The plan for a dry run; otherwise the change, once the caller has agreed to what cannot be undone. */
export async function carryOut(
  call: PoolCall,
  deps: ControllerDeps,
  { plan, isFinal, start }: Ready,
  {
    action,
    message,
    demanded = deps.settings['confirm-destroy'],
  }: { action: string; message: string; demanded?: boolean },
): Promise<Reply> {
  const { dry_run: dry, confirm } = call.query as { dry_run?: string; confirm?: string }
  if (dry === 'true') {
    call.audit(`${action}.plan`, poolKey(call.params.name))
    return json(plan)
  }
  assertAgreed(plan, confirm, isFinal && demanded)
  return changed(call, deps, await start(call.by), action, message)
}

const replace = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/replace`,
  id: 'replaceDisk',
  action: 'pools.replace',
  summary: 'Replace a disk of a pool; the job goes on until the resilver ends',
  description:
    'Without `disk` it is replaced by what is now in its place, which has to be free: the disk of its name, or, with ZFS 2.3, the one at ' +
    'its port. When the job is cancelled, the new disk is taken out again. dry_run=true answers the layout before and after.',
  query: Dry,
  body: z.strictObject({ device, disk: disk.optional(), sequential }),
  response: z.union([PoolChanged, PoolPlan]),
  handle: async (call, deps) =>
    carryOut(call, deps, await replaceDisk(deps.pools, call.params.name, call.body), {
      action: 'pools.replace',
      message: 'replacement started',
    }),
})

const attach = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/attach`,
  id: 'attachDisk',
  action: 'pools.attach',
  summary: 'Attach a disk: a disk becomes a mirror, a mirror wider, a RAID-Z wider by one disk',
  description:
    'A RAID-Z is named by its group, such as raidz1-0, and needs OpenZFS 2.3; its expansion cannot be undone.',
  query: Agreed,
  body: z.strictObject({ device, disk, sequential }),
  response: z.union([PoolChanged, PoolPlan]),
  handle: async (call, deps) =>
    carryOut(call, deps, await attachDisk(deps.pools, call.params.name, call.body), {
      action: 'pools.attach',
      message: 'disk attached',
    }),
})

const detach = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/detach`,
  id: 'detachDisk',
  action: 'pools.detach',
  summary:
    'Detach a disk of a mirror, the old or the new disk of a replacement, a spare in use or the disk that it stands for',
  query: Agreed,
  body: DeviceBody,
  response: z.union([PoolChanged, PoolPlan]),
  handle: async (call, deps) =>
    carryOut(call, deps, await detachDisk(deps.pools, call.params.name, call.body.device), {
      action: 'pools.detach',
      message: 'disk detached',
    }),
})

const add = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/add`,
  id: 'addVdevs',
  action: 'pools.add',
  summary: 'Add vdevs to a pool',
  description:
    'vdevs: as for a new pool. A device that holds anything is refused. allow: ["layout-mismatch"] accepts a redundancy or sizes that ' +
    'differ, and nothing else.',
  query: Agreed,
  body: z.strictObject({
    vdevs: AddedWords,
    allow: Allowed.optional(),
  }),
  response: z.union([PoolChanged, PoolPlan]),
  handle: async (call, deps) =>
    carryOut(call, deps, await addVdevs(deps.pools, call.params.name, call.body), {
      action: 'pools.add',
      message: 'devices added',
    }),
})

const remove = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/remove`,
  id: 'removeVdev',
  action: 'pools.remove',
  summary: 'Remove a vdev: a log, a cache or a spare at once; data is copied to the other vdevs first',
  description: 'The job goes on until all data has been copied, and stops that when it is cancelled.',
  query: Agreed,
  body: DeviceBody,
  response: z.union([PoolChanged, PoolPlan]),
  handle: async (call, deps) =>
    carryOut(call, deps, await removeVdev(deps.pools, call.params.name, call.body.device), {
      action: 'pools.remove',
      message: 'removal started',
    }),
})

const offline = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/offline`,
  id: 'offlineDisk',
  action: 'pools.offline',
  summary: 'Take a disk of a pool offline; refused where data would be lost',
  body: z.strictObject({
    device,
    temporary: z.boolean().optional().describe('only until the next start of the system'),
  }),
  response: PoolChanged,
  handle: async (call, deps) =>
    changed(
      call,
      deps,
      await offlineDisk(deps.pools, call.params.name, call.body, call.by),
      'pools.offline',
      'disk taken offline',
    ),
})

const online = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/online`,
  id: 'onlineDisk',
  action: 'pools.online',
  summary: 'Bring a disk of a pool online; the job follows the resilver that this begins',
  body: z.strictObject({ device, expand: z.boolean().optional().describe('use all of a disk that has grown') }),
  response: PoolChanged,
  handle: async (call, deps) =>
    changed(
      call,
      deps,
      await onlineDisk(deps.pools, call.params.name, call.body, call.by),
      'pools.online',
      'disk online',
    ),
})

const clear = define({
  ...common,
  method: 'POST',
  path: `${ONE_POOL}/clear`,
  id: 'clearErrors',
  action: 'pools.clear',
  summary: 'Forget the counted errors of a pool or of one device; a disk that was given up is used again',
  body: z.strictObject({ device: device.optional() }),
  response: PoolChanged,
  handle: async (call, deps) =>
    changed(
      call,
      deps,
      await clearErrors(deps.pools, call.params.name, call.body.device, call.by),
      'pools.clear',
      'errors cleared',
    ),
})

export const poolDevicesEndpoints = [replace, attach, detach, add, remove, offline, online, clear]
