// The shapes of a share that is made in one go: a filesystem, who may use it, and a share, an export or both.
import * as z from 'zod'
import { AccountName, Acl, DefaultAcl, Mode } from '../permissions/rules.ts'
import { Clients } from '../shares/clients.ts'
import { Description, ShareName } from '../shares/rules.ts'
import { ChildName, KnownDataset } from '../zfs/names.ts'

const Names = z
  .array(AccountName)
  .max(64, 'Expected at most 64 names')
  .transform((names) => [...new Set(names)])

export const Access = z
  .strictObject({ write: Names.optional(), read: Names.optional() })
  .meta({ id: 'ShareAccess', description: 'users, and groups as @group, that may write, and that may only read' })
export type Access = z.infer<typeof Access>

const Exact = z.strictObject({
  owner: AccountName.optional(),
  group: AccountName.optional(),
  mode: Mode.optional(),
  acl: Acl.optional(),
  default_acl: DefaultAcl.nullable().optional(),
})

export const NewShareInOne = z
  .strictObject({
    dataset: KnownDataset,
    create_dataset: z.boolean().default(false).describe('true: the filesystem is new'),
    options: z.record(z.string(), z.string()).optional().describe('ZFS properties of a new filesystem'),
    access: Access.optional().describe('sensible permissions for these users and groups'),
    permissions: Exact.optional().describe('exact permissions instead of access'),
    acltype: z.literal('posixacl').optional().describe('turns access control lists on where they are off'),
    smb: z
      .strictObject({ name: ShareName, description: Description.optional(), read_only: z.boolean().optional() })
      .optional(),
    nfs: z
      .strictObject({
        clients: Clients.optional(),
        read_only: z.boolean().optional(),
        squash: z
          .boolean()
          .default(true)
          .describe('clients work as the owner and the group of the folder, whatever numbers they send'),
      })
      .optional(),
  })
  .refine(({ smb, nfs }) => smb !== undefined || nfs !== undefined, {
    error: 'Expected smb, nfs or both',
    path: ['smb'],
  })
  .refine(({ access, permissions }) => access === undefined || permissions === undefined, {
    error: 'Expected access or permissions, not both',
    path: ['permissions'],
  })
  .superRefine(({ dataset, create_dataset: isNew }, context) => {
    const wrong = isNew ? ChildName.safeParse(dataset).error?.issues[0] : undefined
    if (wrong) context.addIssue({ code: 'custom', message: wrong.message, path: ['dataset'] })
  })
  .refine(({ create_dataset: isNew, options }) => isNew || options === undefined, {
    error: 'Only a new filesystem takes options',
    path: ['options'],
  })
  .meta({ id: 'NewShareInOne' })
export type NewShareInOne = z.infer<typeof NewShareInOne>

export const SharePlan = z
  .object({
    steps: z.array(
      z.object({
        step: z.enum(['dataset', 'permissions', 'nfs', 'smb']),
        object: z.string(),
        words: z.string().describe('what would be done'),
      }),
    ),
  })
  .meta({ id: 'SharePlan' })
export type SharePlan = z.infer<typeof SharePlan>
