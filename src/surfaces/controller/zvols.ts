// GET and POST /zvols, GET, PUT and DELETE /zvols/{name}: volumes. A filesystem with the name is not found here.
import * as z from 'zod'
import { type DatasetDetails, findDataset, versionOf } from '../../features/datasets/datasets.ts'
import { Plan } from '../../features/destruction/plan.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { ChildName, KnownChild, KnownPool, Size } from '../../features/zfs/names.ts'
import { optionIssues } from '../../features/zfs/options.ts'
import { createVolume, getVolume, listVolumes, updateVolume } from '../../features/zvols/zvols.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { datasetResource, Options } from './datasets.ts'
import { destroyDataset, RecursiveDestruction } from './destroy.ts'
import { Job } from './job-view.ts'
import { Bytes, Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/zvols`
const ONE = `${COLLECTION}/{name*}`
const tag = 'ZFS'

const Zvol = z
  .object({
    name: z.string(),
    pool: z.string(),
    size: Bytes,
    used: Bytes.describe('bytes, with what is reserved and snapshots'),
    created_at: Timestamp,
  })
  .meta({ id: 'ZVOL' })
const ZvolDetails = Zvol.extend({
  referenced: Bytes,
  origin: z.string().optional().describe('the snapshot that it is a clone of'),
  options: Options.describe('the properties that are its own, not inherited'),
}).meta({ id: 'ZVOLDetails' })

const short = ({ name, pool, size, used, created_at }: Omit<DatasetDetails, 'guid' | 'referenced' | 'options'>) => ({
  name,
  pool,
  size,
  used,
  created_at,
})
const view = ({ referenced, origin, options, ...rest }: DatasetDetails) => ({
  ...short(rest),
  referenced,
  ...(origin !== undefined && { origin }),
  options,
})

const params = z.strictObject({ name: KnownChild })
const key = (name: string) => `zvols/${name}`

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listZVOLs',
  tag,
  summary: 'List the volumes',
  permission: 'viewer',
  query: z.object({ pool: KnownPool.optional().describe('only those of this pool') }),
  response: z.array(Zvol),
  errors: [404],
  handle: async ({ query }, { zfs }) => json((await listVolumes(zfs, query['pool'] as string | undefined)).map(short)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createZVOL',
  action: 'zvols.create',
  tag,
  summary: 'Make a volume; its space is reserved unless options say refreservation: none',
  permission: 'operator',
  body: z.strictObject({
    name: ChildName,
    size: Size,
    options: Options.superRefine(optionIssues('volume')).optional(),
  }),
  status: 201,
  response: ZvolDetails,
  errors: [404, 409],
  resource: {
    key: (_params, body) => `datasets/${body.name}`,
    version: async ({ body }, { zfs }) => {
      const found = await findDataset(zfs, body.name)
      return found && versionOf(found)
    },
  },
  async handle({ body, audit }, { zfs }) {
    const made = await createVolume(zfs, body)
    audit('zvols.create', key(body.name))
    return { ...json(view(made), 201, { Location: encodeURI(`${COLLECTION}/${body.name}`) }), version: versionOf(made) }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getZVOL',
  tag,
  summary: 'Show one volume',
  permission: 'viewer',
  params,
  response: ZvolDetails,
  errors: [404],
  resource: datasetResource,
  async handle({ params: { name } }, { zfs }) {
    const found = await getVolume(zfs, name)
    return { ...json(view(found)), version: versionOf(found) }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateZVOL',
  action: 'zvols.update',
  tag,
  summary: 'Let a volume grow, or set its properties',
  description: 'volmode stays as it is while the volume is a LUN.',
  permission: 'operator',
  params,
  body: z.strictObject({
    size: Size.optional(),
    options: Options.superRefine(optionIssues('volume', 'update')).optional(),
  }),
  response: ZvolDetails,
  errors: [404, 409],
  resource: datasetResource,
  async handle({ params: { name }, body, audit }, { zfs, dependents }) {
    const changed = await updateVolume(zfs, name, body, dependents)
    audit('zvols.update', key(name))
    return { ...json(view(changed)), version: versionOf(changed) }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteZVOL',
  action: 'zvols.delete',
  tag,
  summary: 'Destroy a volume',
  description:
    'One with snapshots needs recursive=true; one that something depends on stays. dry_run=true answers the plan.',
  permission: 'operator',
  params,
  query: RecursiveDestruction,
  response: z.union([Message, Plan]),
  accepted: Job,
  errors: [404, 409],
  resource: datasetResource,
  async handle(call, deps) {
    await getVolume(deps.zfs, call.params.name)
    const target = key(call.params.name)
    return destroyDataset(call, deps, { action: 'zvols.delete', target, message: 'zvol deleted' })
  },
})

export const zvolsEndpoints = [list, create, get, update, remove]
