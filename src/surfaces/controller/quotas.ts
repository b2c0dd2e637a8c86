// GET and PUT /quotas/{dataset}: what each user and group uses of a filesystem, and may use. A collection beside
// /datasets, because a dataset may be called tank/quotas.
import * as z from 'zod'
import { getQuotas, setQuotas, versionOfQuotas } from '../../features/datasets/quotas.ts'
import { KnownDataset, Size } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { Bytes } from './shapes.ts'

const ONE = `${PREFIX}/quotas/{dataset*}`
const tag = 'ZFS'
const params = z.strictObject({ dataset: KnownDataset })

const Quota = z
  .object({
    id: z.int().describe('uid or gid'),
    name: z.string().optional().describe('left out if no account has this number'),
    used: Bytes,
    quota: Bytes.optional().describe('left out: no limit'),
  })
  .meta({ id: 'Quota' })
const Quotas = z.object({ users: z.array(Quota), groups: z.array(Quota) }).meta({ id: 'Quotas' })
const QuotaChange = z
  .strictObject({
    id: z.int().min(0).max(0xffff_fffe).optional(),
    name: z.string().min(1).max(64).optional(),
    quota: Size.nullable().describe('null: no limit'),
  })
  .refine(({ id, name }) => (id === undefined) !== (name === undefined), 'Expected either an id or a name')
  .meta({ id: 'QuotaChange' })
const Changes = z.array(QuotaChange).max(256, 'Expected at most 256 quotas')

const depsOf = ({ zfs, shareAccounts }: ControllerDeps) => ({ zfs, system: shareAccounts.backend.system })
const resource = {
  key: ({ dataset }: { dataset: string }) => `datasets/${dataset}`,
  version: async ({ params: { dataset } }: { params: { dataset: string } }, deps: ControllerDeps) =>
    versionOfQuotas(await getQuotas(depsOf(deps), dataset)),
}

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getQuotas',
  tag,
  summary: 'Show what users and groups use of a filesystem, and their quotas',
  permission: 'viewer',
  params,
  response: Quotas,
  errors: [404, 409, 502, 503],
  resource: { key: resource.key },
  async handle({ params: { dataset } }, deps) {
    const found = await getQuotas(depsOf(deps), dataset)
    return { ...json(found), version: versionOfQuotas(found) }
  },
})

const update = define({
  method: 'PUT',
  path: ONE,
  id: 'updateQuotas',
  action: 'quotas.update',
  tag,
  summary: 'Set or remove quotas of users and groups: those that are left out stay',
  permission: 'operator',
  params,
  body: z.strictObject({ users: Changes.optional(), groups: Changes.optional() }),
  response: Quotas,
  errors: [404, 409, 502, 503],
  resource,
  async handle({ params: { dataset }, body, audit }, deps) {
    const changed = await setQuotas(depsOf(deps), dataset, body)
    audit('quotas.update', `datasets/${dataset}`)
    return { ...json(changed), version: versionOfQuotas(changed) }
  },
})

export const quotasEndpoints = [get, update]
