// POST /shares: a filesystem, its permissions, and a share or an export of it, in one call that is all or nothing.
import * as z from 'zod'
import { Permissions } from '../../features/permissions/rules.ts'
import { NewShareInOne, SharePlan } from '../../features/share-in-one/rules.ts'
import { turnsOf } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { NFSExport } from './exports-nfs.ts'
import { SMBShare } from './shares-smb.ts'

const MadeShare = z
  .object({ dataset: z.string(), permissions: Permissions, smb: SMBShare.optional(), nfs: NFSExport.optional() })
  .meta({ id: 'ShareInOne' })

export const createShare = define({
  method: 'POST',
  path: `${PREFIX}/shares`,
  id: 'createShare',
  action: 'shares.provision',
  tag: 'Storage Services',
  summary: 'Share in one go: filesystem, permissions, and an SMB share, an NFS export or both',
  description:
    'All of it is made, or nothing. access gives the sensible permissions: the first user owns the folder, the first group is its group, new files can be written by everybody who may write. dry_run=true answers the steps.',
  permission: 'operator',
  query: z.object({
    dry_run: z.enum(['true', 'false']).optional().meta({ description: 'answer the steps and change nothing' }),
  }),
  body: NewShareInOne,
  response: z.union([MadeShare, SharePlan]),
  errors: [404, 409, 502, 503],
  resource: {
    key: (_params, { dataset, smb }) => [...turnsOf(dataset), ...(smb ? [`shares/smb/${smb.name.toLowerCase()}`] : [])],
    version: () => undefined,
  },
  async handle({ body, query, audit }, { shareInOne }) {
    const target = `datasets/${body.dataset}`
    if (query['dry_run'] === 'true') {
      const plan = await shareInOne.plan(body)
      audit('shares.provision.plan', target)
      return json(plan)
    }
    return json(await shareInOne.make(body, () => audit('shares.provision', target)))
  },
})
