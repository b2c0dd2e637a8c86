// Disks: list and show.
import * as z from 'zod'
import { getDisk, listDisks } from '../../features/disks/disks.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { DiskView, viewDisk } from './disk-view.ts'

const COLLECTION = `${PREFIX}/disks`
const ONE = `${COLLECTION}/{id}`
const tag = 'Disks'

/** Looked up in the list of disks; it is never part of a path. */
const params = z.strictObject({ id: z.string().min(1).max(255) })

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listDisks',
  tag,
  summary: 'List the disks, with what uses each',
  permission: 'viewer',
  response: z.array(DiskView),
  errors: [502, 503],
  handle: async (_call, { pools }) => json((await listDisks(pools)).disks.map(viewDisk)),
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getDisk',
  tag,
  summary: 'Show one disk',
  permission: 'viewer',
  params,
  response: DiskView,
  errors: [404, 502, 503],
  handle: async ({ params: { id } }, { pools }) => json(viewDisk(await getDisk(pools, id))),
})

export const disksEndpoints = [list, get]
