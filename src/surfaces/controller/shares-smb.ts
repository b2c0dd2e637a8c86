// GET and POST /shares/smb, GET, PUT and DELETE /shares/smb/{id}.
import * as z from 'zod'
import { Description, ShareName, SharePath, ValidUsers } from '../../features/shares/rules.ts'
import { SmbOptions, SmbOptionsShown } from '../../features/shares/smb-options.ts'
import { KnownDataset, turnsOf } from '../../features/zfs/names.ts'
import { sharingEndpoints } from './sharing.ts'

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
    ...SmbOptionsShown.shape,
  })
  .meta({ id: 'SMBShare' })

export const smbEndpoints = sharingEndpoints({
  name: 'shares/smb',
  id: { one: 'SMBShare', many: 'SMBShares' },
  action: 'shares',
  summaries: {
    list: 'List the SMB shares, also those that were made by hand',
    create: 'Share a dataset, or a folder of it, with SMB',
    show: 'Show one SMB share',
    update: 'Change an SMB share: what is left out stays',
    remove: 'Stop sharing: the files stay, connections are ended',
  },
  removed: 'share deleted',
  shown: SMBShare,
  wanted: z.strictObject({
    name: ShareName,
    path: SharePath.optional(),
    dataset: KnownDataset,
    description: Description.optional(),
    read_only: z.boolean().default(false),
    guest_ok: z.boolean().default(false),
    valid_users: ValidUsers.optional(),
    ...SmbOptions.shape,
  }),
  change: z.strictObject({
    description: Description.optional(),
    read_only: z.boolean().optional(),
    guest_ok: z.boolean().optional(),
    enabled: z.boolean().optional(),
    valid_users: ValidUsers.optional(),
    ...SmbOptions.shape,
  }),
  keys: ({ name, dataset }) => [`shares/smb/${name.toLowerCase()}`, ...turnsOf(dataset)],
  verbs: ({ smb }) => smb,
})
