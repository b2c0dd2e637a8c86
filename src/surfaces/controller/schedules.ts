// Schedules: how often a pool is scrubbed and trimmed, and how often all disks test themselves.
import * as z from 'zod'
import { changeUpkeep, EveryWord, type PoolUpkeep, readUpkeep } from '../../features/snapshots/upkeep.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { KnownPool } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'

const POOL = `${PREFIX}/pools/{name}/schedule`
const TESTS = `${PREFIX}/disk-tests`

const params = z.strictObject({ name: KnownPool })
const PoolSchedule = z
  .object({
    scrub: EveryWord,
    trim: EveryWord,
    scrub_started_at: Timestamp.optional().describe('when the schedule last started one'),
    trim_started_at: Timestamp.optional(),
  })
  .meta({ id: 'PoolSchedule' })
const DiskTests = z.object({ short: EveryWord, long: EveryWord }).meta({ id: 'DiskTests' })

const time = (milliseconds: number) => new Date(milliseconds).toISOString()
const viewUpkeep = ({ upkeep, starts }: PoolUpkeep) => ({
  ...upkeep,
  ...(starts.scrub !== undefined && { scrub_started_at: time(starts.scrub) }),
  ...(starts.trim !== undefined && { trim_started_at: time(starts.trim) }),
})

const key = (name: string) => `pools/${name}/schedule`
const poolResource = {
  key: (given: { name: string }) => key(given.name),
  version: async ({ params: { name } }: { params: { name: string } }, { zfs }: ControllerDeps) =>
    (await readUpkeep(zfs, name)).upkeep,
}

const getPoolSchedule = define({
  method: 'GET',
  path: POOL,
  id: 'getPoolSchedule',
  tag: 'ZFS',
  summary: 'Show how often a pool is scrubbed and trimmed',
  permission: 'viewer',
  params,
  response: PoolSchedule,
  errors: [404, 502, 503],
  resource: poolResource,
  async handle({ params: { name } }, { zfs }) {
    const found = await readUpkeep(zfs, name)
    return { ...json(viewUpkeep(found)), version: found.upkeep }
  },
})

const updatePoolSchedule = define({
  method: 'PUT',
  path: POOL,
  id: 'updatePoolSchedule',
  action: 'pools.schedule',
  tag: 'ZFS',
  summary: 'Change how often a pool is scrubbed and trimmed: what is left out stays',
  description: 'It is kept in the pool. One that is due, or was missed while the appliance was off, starts at once.',
  permission: 'operator',
  params,
  body: z.strictObject({ scrub: EveryWord.optional(), trim: EveryWord.optional() }),
  response: PoolSchedule,
  errors: [404, 502, 503],
  resource: poolResource,
  async handle({ params: { name }, body, audit }, { zfs, scheduler }) {
    const found = await changeUpkeep(zfs, name, body)
    audit('pools.schedule', `pools/${name}`)
    scheduler.wake()
    return { ...json(viewUpkeep(found)), version: found.upkeep }
  },
})

const testsResource = {
  key: () => 'disk-tests',
  version: (_call: unknown, { diskTests }: ControllerDeps) => diskTests.schedule(),
}

const getDiskTests = define({
  method: 'GET',
  path: TESTS,
  id: 'getDiskTests',
  tag: 'Disks',
  summary: 'Show how often all disks test themselves',
  permission: 'viewer',
  response: DiskTests,
  resource: testsResource,
  handle: (_call, { diskTests }) => ({ ...json(diskTests.schedule()), version: diskTests.schedule() }),
})

const updateDiskTests = define({
  method: 'PUT',
  path: TESTS,
  id: 'updateDiskTests',
  action: 'disks.schedule',
  tag: 'Disks',
  summary: 'Change how often all disks test themselves: what is left out stays',
  description: 'A disk that sleeps is not woken: it is tested once it is awake.',
  permission: 'operator',
  body: z.strictObject({ short: EveryWord.optional(), long: EveryWord.optional() }),
  response: DiskTests,
  resource: testsResource,
  handle({ body, audit }, { diskTests, scheduler }) {
    const changed = diskTests.change(body)
    audit('disks.schedule', 'disk-tests')
    scheduler.wake()
    return { ...json(changed), version: changed }
  },
})

export const schedulesEndpoints = [getPoolSchedule, updatePoolSchedule, getDiskTests, updateDiskTests]
