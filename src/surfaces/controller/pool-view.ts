// A pool as the contract shows it, with additions for which the contract has no member. `status` has four values, ZFS
// has more: an unusable pool is FAULTED there, and `health` keeps ZFS's own word.
import * as z from 'zod'
import type { Scan, Vdev, Work } from '../../drivers/zpool-status.ts'
import type { Available } from '../../features/pools/available.ts'
import { sparesInUse } from '../../features/pools/devices.ts'
import type { Pool as PoolInfo, PoolDetails as PoolInfoDetails } from '../../features/pools/pools.ts'
import { EveryWord } from '../../features/snapshots/upkeep.ts'
import { Timestamp } from '../../features/timestamp.ts'

/** The contract’s format for bytes. */
const Bytes = z.int().meta({ format: 'int64', description: 'bytes' })

export const Pool = z
  .object({
    name: z.string(),
    status: z.enum(['ONLINE', 'DEGRADED', 'FAULTED', 'OFFLINE']),
    size: Bytes.describe('bytes of its devices, as zpool counts them: of a RAID-Z with parity'),
    allocated: Bytes.describe('bytes of size that are in use'),
    free: Bytes.describe('bytes of size that are not'),
    usable: Bytes.optional().describe(
      'bytes that can be stored in all, what is stored included; left out where the pool cannot be opened',
    ),
    usable_free: Bytes.optional().describe('bytes that can still be stored'),
    health: z.string().describe('ZFS’s own word, such as SUSPENDED'),
    created_at: Timestamp.optional(),
    guid: z.string(),
  })
  .meta({ id: 'Pool' })

const Leaf = z.object({
  name: z.string(),
  type: z.string().describe('disk, file, mirror, raidz1, spare, replacing'),
  class: z.string().describe('data, log, cache, spare, special, dedup'),
  state: z.string(),
  read_errors: z.int(),
  write_errors: z.int(),
  checksum_errors: z.int(),
  note: z.string().optional(),
  guid: z.string().optional().describe('ZFS’s number for it: any endpoint that takes a device takes it'),
  path: z.string().optional().describe('the disk or file; of a missing one, where it was'),
  needs: Bytes.optional().describe('bytes that a disk in its place must have at least; left out before ZFS 2.3'),
})
// At most three levels: a group, in it a spare or a replacement in progress, in that the disks.
const Device = Leaf.meta({ id: 'Device' })
const Unit = Leaf.extend({ children: z.array(Device).optional() }).meta({ id: 'VdevMember' })
const Group = Leaf.extend({ children: z.array(Unit).optional() }).meta({ id: 'Vdev' })
type Device = z.infer<typeof Device> & { children?: Device[] }

export const Scrub = z
  .object({
    status: z
      .enum(['none', 'unknown', 'running', 'paused', 'finished', 'cancelled'])
      .describe('none: never; unknown: ZFS keeps the last scan alone, and that was no scrub'),
    progress: z.number().min(0).max(100).describe('percent'),
    speed: z.int().optional().describe('bytes a second'),
    repaired: z.int().optional().describe('bytes, before ZFS 2.3 rounded; left out where ZFS does not say'),
    errors: z.int().optional().describe('errors that could not be repaired'),
    started_at: Timestamp.optional(),
    last: Timestamp.optional().describe('when the last one ended'),
    job: z.string().optional().describe('the job that follows it'),
  })
  .meta({ id: 'Scrub' })

const remaining = z.int().optional().describe('seconds, by ZFS’s estimate; left out where it has none')
const amounts = {
  bytes_done: Bytes.optional(),
  bytes_total: Bytes.optional(),
  remaining,
}

const WorkView = z
  .object({
    status: z.enum(['running', 'waiting', 'finished', 'cancelled']).describe('waiting: for a resilver to end'),
    vdev: z.string().optional(),
    progress: z.number().min(0).max(100).describe('percent'),
    ...amounts,
    started_at: Timestamp.optional(),
    last: Timestamp.optional().describe('when it ended'),
  })
  .meta({ id: 'PoolWork' })

export const PoolDetails = Pool.extend({
  problem: z.string().optional().describe('what is wrong with it, in ZFS’s words'),
  action: z.string().optional().describe('what ZFS advises to do about it'),
  errors: z.string().optional().describe('what ZFS says of the data'),
  vdevs: z.array(Group),
  scan: Scrub.omit({ job: true })
    .extend({
      status: z.enum(['running', 'paused', 'finished', 'cancelled']),
      kind: z.enum(['scrub', 'resilver']),
      vdev: z.string().optional().describe('the group that is rebuilt; left out where it is the whole pool'),
      ...amounts,
    })
    .optional(),
  removal: WorkView.optional().describe('the evacuation of a vdev: the one that runs, or the last one'),
  expansion: WorkView.optional().describe('of a RAID-Z'),
  spares_in_use: z
    .array(
      z.object({
        spare: z.string().describe('detach it, and it is a spare again'),
        spare_guid: z.string().optional(),
        replaces: z.string().describe('the disk that it stands for; detach that, and the spare stays in its place'),
        replaces_guid: z.string().optional(),
        state: z.string().describe('of the disk that it stands for'),
        group: z.string().optional(),
      }),
    )
    .describe('spares that stand for another disk'),
  options: z.record(z.string(), z.string()).describe('the properties that were set'),
  schedule: z
    .object({ scrub: EveryWord, trim: EveryWord })
    .optional()
    .describe('how often it is scrubbed and trimmed; in the answer to its creation'),
}).meta({ id: 'PoolDetails' })

export const AvailableView = z
  .object({
    disks: z.array(
      z.object({
        id: z.string().describe('of GET /disks'),
        path: z.string(),
        size: z.int().describe('bytes'),
        model: z.string().optional(),
        serial: z.string().optional(),
      }),
    ),
    pools: z.array(
      z.object({
        name: z.string(),
        id: z.string(),
        state: z.string(),
        problem: z.string().optional(),
        vdevs: z.array(Group),
      }),
    ),
  })
  .meta({ id: 'Available' })

const time = (milliseconds: number) => new Date(milliseconds).toISOString()

export const viewPool = ({ name, size, allocated, free, health, guid, root }: PoolInfo) => ({
  name,
  status: health === 'ONLINE' || health === 'DEGRADED' || health === 'OFFLINE' ? health : ('FAULTED' as const),
  size,
  allocated,
  free,
  ...(root && { usable: root.used + root.available, usable_free: root.available }),
  health,
  ...(root && { created_at: time(root.created * 1000) }),
  guid,
})

const viewVdev = ({ name, type, class: kind, state, read, write, checksum, children, ...more }: Vdev): Device => ({
  name,
  type,
  class: kind,
  state,
  read_errors: read,
  write_errors: write,
  checksum_errors: checksum,
  ...(more.note !== undefined && { note: more.note }),
  ...(more.guid !== undefined && { guid: more.guid }),
  ...(more.path !== undefined && { path: more.path }),
  ...(more.needs !== undefined && { needs: more.needs }),
  ...(children.length > 0 && { children: children.map(viewVdev) }),
})

const viewScan = ({ state, percent, speed, repaired, errors, started, ended }: Scan) => ({
  status: state,
  progress: Math.round(percent * 100) / 100,
  ...(speed !== undefined && { speed }),
  ...(repaired !== undefined && { repaired }),
  ...(errors !== undefined && { errors }),
  ...(started !== undefined && { started_at: time(started) }),
  ...(ended !== undefined && { last: time(ended) }),
})

const viewAmounts = ({ done, total, remaining: left }: Pick<Scan, 'done' | 'total' | 'remaining'>) => ({
  ...(done !== undefined && { bytes_done: done }),
  ...(total !== undefined && { bytes_total: total }),
  ...(left !== undefined && { remaining: Math.round(left) }),
})

const viewKind = (scan: Scan) => ({
  kind: scan.kind,
  ...(scan.vdev !== undefined && { vdev: scan.vdev }),
  ...viewScan(scan),
  ...viewAmounts(scan),
})

const viewWork = (work: Work) => ({
  status: work.state,
  ...(work.vdev !== undefined && { vdev: work.vdev }),
  progress: Math.round(work.percent * 100) / 100,
  ...viewAmounts(work),
  ...(work.started !== undefined && { started_at: time(work.started) }),
  ...(work.ended !== undefined && { last: time(work.ended) }),
})

const viewSpares = (vdevs: readonly Vdev[]) =>
  sparesInUse(vdevs).map(({ spare, replaces, group }) => ({
    spare: spare.name,
    ...(spare.guid !== undefined && { spare_guid: spare.guid }),
    replaces: replaces.name,
    ...(replaces.guid !== undefined && { replaces_guid: replaces.guid }),
    state: replaces.state,
    ...(group && { group: group.name }),
  }))

export const viewScrub = (scan: Scan | 'none' | 'unknown', job: string | undefined) => ({
  ...(typeof scan === 'object' ? viewScan(scan) : { status: scan, progress: 0 }),
  ...(job !== undefined && { job }),
})

export const viewDetails = (pool: PoolInfoDetails) => ({
  ...viewPool(pool),
  ...(pool.status.problem !== undefined && { problem: pool.status.problem }),
  ...(pool.status.action !== undefined && { action: pool.status.action }),
  ...(pool.status.errors !== undefined && { errors: pool.status.errors }),
  vdevs: pool.status.vdevs.map(viewVdev),
  ...(pool.status.scan && { scan: viewKind(pool.status.scan) }),
  ...(pool.status.removal && { removal: viewWork(pool.status.removal) }),
  ...(pool.status.expansion && { expansion: viewWork(pool.status.expansion) }),
  spares_in_use: viewSpares(pool.status.vdevs),
  options: Object.fromEntries(pool.properties.map(({ name, value }) => [name, value])),
})

export const viewAvailable = ({ disks, pools }: Available) => ({
  disks: disks.map(({ id, device, size, model, serial }) => ({
    id,
    path: device,
    size,
    ...(model !== undefined && { model }),
    ...(serial !== undefined && { serial }),
  })),
  pools: pools.map(({ name, id = '', state, problem, vdevs }) => ({
    name,
    id,
    state,
    ...(problem !== undefined && { problem }),
    vdevs: vdevs.map(viewVdev),
  })),
})
