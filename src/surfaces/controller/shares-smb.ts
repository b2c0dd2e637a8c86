// GET and POST /shares/smb, GET, PUT and DELETE /shares/smb/{id}.
import * as z from 'zod'
import { Description, ShareName, SharePath, ValidUsers } from '../../features/shares/rules.ts'
import { KnownDataset, turnsOf } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './deps.ts'
import { Message } from './words.ts'

const COLLECTION = `${PREFIX}/shares/smb`
const ONE = `${COLLECTION}/{id}`
const tag = 'Storage Services'
const params = z.strictObject({ id: z.string().max(64) })

export const SMBShare = z
  .object({
    id: z.string(),
    name: z.string(),
    path: z.string().optional().describe('left out for sections without one, such as [homes]'),
    dataset: z.string().optional().describe('left out for shares that were made by hand'),
    description: z.string(),
    read_only: z.boolean(),
    guest_ok: z.boolean(),
    valid_users: z.array(z.string()),
    enabled: z.boolean(),
    managed: z.boolean().describe('false: made by hand, listed here and left alone'),
  })
  .meta({ id: 'SMBShare' })

const resource = {
  key: ({ id }: { id: string }) => `shares/smb/${id}`,
  version: ({ params: { id } }: { params: { id: string } }, { shares }: ControllerDeps) => shares.smb.get(id),
}

export const listSmbShares = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listSMBShares',
  tag,
  summary: 'List the SMB shares, also those that were made by hand',
  permission: 'viewer',
  response: z.array(SMBShare),
  errors: [502, 503],
  handle: async (_call, { shares }) => json(await shares.smb.all()),
})

export const createSmbShare = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createSMBShare',
  action: 'shares.create',
  tag,
  summary: 'Share a dataset, or a folder of it, with SMB',
  permission: 'operator',
  body: z.strictObject({
    name: ShareName,
    path: SharePath.optional(),
    dataset: KnownDataset,
    description: Description.optional(),
    read_only: z.boolean().default(false),
    guest_ok: z.boolean().default(false),
    valid_users: ValidUsers.optional(),
  }),
  resource: {
    key: (_params, { name, dataset }) => [`shares/smb/${name.toLowerCase()}`, ...turnsOf(dataset)],
    version: () => undefined,
  },
  status: 201,
  response: SMBShare,
  errors: [404, 409, 502, 503],
  async handle({ body, audit }, { shares }) {
    const share = await shares.smb.create(body)
    audit('shares.create', `shares/smb/${share.id}`)
    return { ...json(share, 201, { Location: `${COLLECTION}/${share.id}` }), version: share }
  },
})

export const getSmbShare = define({
  method: 'GET',
  path: ONE,
  id: 'getSMBShare',
  tag,
  summary: 'Show one SMB share',
  permission: 'viewer',
  params,
  resource: { key: resource.key },
  response: SMBShare,
  errors: [404, 502, 503],
  async handle({ params: { id } }, { shares }) {
    const share = await shares.smb.get(id)
    return { ...json(share), version: share }
  },
})

export const updateSmbShare = define({
  method: 'PUT',
  path: ONE,
  id: 'updateSMBShare',
  action: 'shares.update',
  tag,
  summary: 'Change an SMB share: what is left out stays',
  permission: 'operator',
  params,
  body: z.strictObject({
    description: Description.optional(),
    read_only: z.boolean().optional(),
    guest_ok: z.boolean().optional(),
    enabled: z.boolean().optional(),
    valid_users: ValidUsers.optional(),
  }),
  resource,
  response: SMBShare,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, body, audit }, { shares }) {
    const share = await shares.smb.update(id, body)
    audit('shares.update', `shares/smb/${id}`)
    return { ...json(share), version: share }
  },
})

export const deleteSmbShare = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteSMBShare',
  action: 'shares.delete',
  tag,
  summary: 'Stop sharing: the files stay, connections are ended',
  permission: 'operator',
  params,
  resource,
  response: Message,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, audit }, { shares }) {
    await shares.smb.remove(id)
    audit('shares.delete', `shares/smb/${id}`)
    return json({ message: 'share deleted' })
  },
})

export const smbEndpoints = [listSmbShares, createSmbShare, getSmbShare, updateSmbShare, deleteSmbShare]
