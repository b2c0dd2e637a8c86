// GET and POST /exports/nfs, GET, PUT and DELETE /exports/nfs/{id}.
import * as z from 'zod'
import { Clients } from '../../features/shares/clients.ts'
import { SharePath, SquashTo } from '../../features/shares/rules.ts'
import { KnownDataset, turnsOf } from '../../features/zfs/names.ts'
import { sharingEndpoints } from './sharing.ts'

export const NFSExport = z
  .object({
    id: z.string(),
    path: z.string(),
    dataset: z.string().optional().describe('left out for exports that were made by hand'),
    clients: z.array(z.string()),
    read_only: z.boolean(),
    root_squash: z.boolean(),
    squash_to: SquashTo.optional(),
    enabled: z.boolean(),
    managed: z.boolean().describe('false: made by hand, listed here and left alone'),
  })
  .meta({ id: 'NFSExport' })

export const nfsEndpoints = sharingEndpoints({
  name: 'exports/nfs',
  id: { one: 'NFSExport', many: 'NFSExports' },
  action: 'exports',
  summaries: {
    list: 'List the NFS exports, also those that were made by hand',
    create: 'Export a dataset, or a folder of it, with NFS',
    show: 'Show one NFS export',
    update: 'Change an NFS export: what is left out stays',
    remove: 'Stop exporting: the files stay',
  },
  removed: 'export deleted',
  shown: NFSExport,
  wanted: z.strictObject({
    path: SharePath.optional(),
    dataset: KnownDataset,
    clients: Clients.optional(),
    read_only: z.boolean().default(false),
    root_squash: z.boolean().default(true),
    squash_to: SquashTo.optional(),
  }),
  change: z.strictObject({
    clients: Clients.optional(),
    read_only: z.boolean().optional(),
    root_squash: z.boolean().optional(),
    squash_to: SquashTo.nullable().optional(),
    enabled: z.boolean().optional(),
  }),
  keys: ({ dataset }) => turnsOf(dataset),
  verbs: ({ nfs }) => nfs,
})
