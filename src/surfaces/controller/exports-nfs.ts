// GET and POST /exports/nfs, GET, PUT and DELETE /exports/nfs/{id}.
import * as z from 'zod'
import { Clients } from '../../features/shares/clients.ts'
import { SharePath } from '../../features/shares/rules.ts'
import { KnownDataset, turnsOf } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './deps.ts'
import { Message } from './words.ts'

const COLLECTION = `${PREFIX}/exports/nfs`
const ONE = `${COLLECTION}/{id}`
const tag = 'Storage Services'
const params = z.strictObject({ id: z.string().max(64) })

export const NFSExport = z
  .object({
    id: z.string(),
    path: z.string(),
    dataset: z.string().optional().describe('left out for exports that were made by hand'),
    clients: z.array(z.string()),
    read_only: z.boolean(),
    root_squash: z.boolean(),
    enabled: z.boolean(),
    managed: z.boolean().describe('false: made by hand, listed here and left alone'),
  })
  .meta({ id: 'NFSExport' })

const resource = {
  key: ({ id }: { id: string }) => `exports/nfs/${id}`,
  version: ({ params: { id } }: { params: { id: string } }, { shares }: ControllerDeps) => shares.nfs.get(id),
}

export const listNfsExports = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listNFSExports',
  tag,
  summary: 'List the NFS exports, also those that were made by hand',
  permission: 'viewer',
  response: z.array(NFSExport),
  errors: [502, 503],
  handle: async (_call, { shares }) => json(await shares.nfs.all()),
})

export const createNfsExport = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createNFSExport',
  action: 'exports.create',
  tag,
  summary: 'Export a dataset, or a folder of it, with NFS',
  permission: 'operator',
  body: z.strictObject({
    path: SharePath.optional(),
    dataset: KnownDataset,
    clients: Clients.optional(),
    read_only: z.boolean().default(false),
    root_squash: z.boolean().default(true),
  }),
  resource: { key: (_params, { dataset }) => turnsOf(dataset), version: () => undefined },
  status: 201,
  response: NFSExport,
  errors: [404, 409, 502, 503],
  async handle({ body, audit }, { shares }) {
    const made = await shares.nfs.create(body)
    audit('exports.create', `exports/nfs/${made.id}`)
    return { ...json(made, 201, { Location: `${COLLECTION}/${made.id}` }), version: made }
  },
})

export const getNfsExport = define({
  method: 'GET',
  path: ONE,
  id: 'getNFSExport',
  tag,
  summary: 'Show one NFS export',
  permission: 'viewer',
  params,
  resource: { key: resource.key },
  response: NFSExport,
  errors: [404, 502, 503],
  async handle({ params: { id } }, { shares }) {
    const found = await shares.nfs.get(id)
    return { ...json(found), version: found }
  },
})

export const updateNfsExport = define({
  method: 'PUT',
  path: ONE,
  id: 'updateNFSExport',
  action: 'exports.update',
  tag,
  summary: 'Change an NFS export: what is left out stays',
  permission: 'operator',
  params,
  body: z.strictObject({
    clients: Clients.optional(),
    read_only: z.boolean().optional(),
    root_squash: z.boolean().optional(),
    enabled: z.boolean().optional(),
  }),
  resource,
  response: NFSExport,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, body, audit }, { shares }) {
    const changed = await shares.nfs.update(id, body)
    audit('exports.update', `exports/nfs/${id}`)
    return { ...json(changed), version: changed }
  },
})

export const deleteNfsExport = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteNFSExport',
  action: 'exports.delete',
  tag,
  summary: 'Stop exporting: the files stay',
  permission: 'operator',
  params,
  resource,
  response: Message,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, audit }, { shares }) {
    await shares.nfs.remove(id)
    audit('exports.delete', `exports/nfs/${id}`)
    return json({ message: 'export deleted' })
  },
})

export const nfsEndpoints = [listNfsExports, createNfsExport, getNfsExport, updateNfsExport, deleteNfsExport]
