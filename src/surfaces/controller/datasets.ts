// GET and POST /datasets, GET, PUT and DELETE /datasets/{name}: filesystems, and volumes, which ZFS counts among
// datasets. A name contains slashes, and arrives as tank%2Fdata or as tank/data.
import * as z from 'zod'
import {
  createDataset,
  type DatasetDetails as Details,
  findDataset,
  getDataset,
  listDatasets,
  updateDataset,
  versionOf,
} from '../../features/datasets/datasets.ts'
import { Plan } from '../../features/destruction/plan.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { ChildName, KnownChild, KnownDataset, KnownPool } from '../../features/zfs/names.ts'
import { optionIssues } from '../../features/zfs/options.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { destroyDataset, RecursiveDestruction } from './destroy.ts'
import { Job } from './job-view.ts'
import { Bytes, Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/datasets`
const ONE = `${COLLECTION}/{name*}`
const tag = 'ZFS'

export const DatasetType = z.enum(['filesystem', 'volume']).meta({ id: 'DatasetType' })
export const Options = z
  .record(z.string(), z.string())
  .describe('ZFS properties, and user properties (module:name)')
  .meta({ id: 'DatasetOptions' })
const Dataset = z
  .object({
    name: z.string(),
    pool: z.string(),
    type: DatasetType,
    size: Bytes.describe('bytes: of a volume its size, of a filesystem what it holds and may still take'),
    used: Bytes.describe('bytes, with children and snapshots'),
    available: Bytes,
    mountpoint: z.string().optional(),
    created_at: Timestamp,
  })
  .meta({ id: 'Dataset' })
export const DatasetDetails = Dataset.extend({
  referenced: Bytes,
  origin: z.string().optional().describe('the snapshot that it is a clone of'),
  options: Options.describe('the properties that are its own, not inherited'),
}).meta({ id: 'DatasetDetails' })

/** Without members that only the version needs. */
const view = ({ guid, ...shown }: Details) => shown

const params = z.strictObject({ name: KnownDataset })
const child = z.strictObject({ name: KnownChild })
const key = (name: string) => `datasets/${name}`
/** For volumes as well: they are the same datasets under another path. */
export const datasetResource = {
  key: (params: { name: string }) => key(params.name),
  version: async ({ params: { name } }: { params: { name: string } }, { zfs }: ControllerDeps) =>
    versionOf(await getDataset(zfs, name)),
}

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listDatasets',
  tag,
  summary: 'List filesystems and volumes',
  permission: 'viewer',
  query: z.object({
    pool: KnownPool.optional().describe('only those of this pool'),
    type: DatasetType.optional(),
  }),
  response: z.array(Dataset),
  errors: [404],
  handle: async ({ query }, { zfs }) => json(await listDatasets(zfs, query)),
})

const create = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createDataset',
  action: 'datasets.create',
  tag,
  summary: 'Make a filesystem',
  permission: 'operator',
  body: z.strictObject({ name: ChildName, options: Options.superRefine(optionIssues('filesystem')).optional() }),
  status: 201,
  response: DatasetDetails,
  errors: [404, 409],
  resource: {
    key: (_params, body) => key(body.name),
    version: async ({ body }, { zfs }) => {
      const found = await findDataset(zfs, body.name)
      return found && versionOf(found)
    },
  },
  async handle({ body: { name, options }, audit }, { zfs }) {
    const made = await createDataset(zfs, name, options)
    audit('datasets.create', key(name))
    return { ...json(view(made), 201, { Location: encodeURI(`${COLLECTION}/${name}`) }), version: versionOf(made) }
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getDataset',
  tag,
  summary: 'Show one filesystem or volume',
  permission: 'viewer',
  params,
  response: DatasetDetails,
  errors: [404],
  resource: datasetResource,
  async handle({ params: { name } }, { zfs }) {
    const found = await getDataset(zfs, name)
    return { ...json(view(found)), version: versionOf(found) }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateDataset',
  action: 'datasets.update',
  tag,
  summary: 'Set properties: what is left out stays, and "inherit" takes one back to what is inherited',
  description:
    'mountpoint and canmount stay as they are while the filesystem, or one below it, is shared or exported; volmode while the volume is a LUN.',
  permission: 'operator',
  params,
  body: z.strictObject({ options: Options.optional() }),
  response: DatasetDetails,
  errors: [404, 409],
  resource: datasetResource,
  async handle({ params: { name }, body: { options }, audit }, { zfs, dependents }) {
    const changed = await updateDataset(zfs, name, options, dependents)
    audit('datasets.update', key(name))
    return { ...json(view(changed)), version: versionOf(changed) }
  },
})

const remove = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteDataset',
  action: 'datasets.delete',
  tag,
  summary: 'Destroy a filesystem or volume',
  description:
    'What has children or snapshots needs recursive=true; what something depends on stays. dry_run=true answers the plan.',
  permission: 'operator',
  params: child,
  query: RecursiveDestruction,
  response: z.union([Message, Plan]),
  accepted: Job,
  errors: [404, 409],
  resource: datasetResource,
  handle: (call, deps) =>
    destroyDataset(call, deps, {
      action: 'datasets.delete',
      target: key(call.params.name),
      message: 'dataset deleted',
    }),
})

export const datasetsEndpoints = [list, create, get, update, remove]
