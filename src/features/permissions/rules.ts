// The shapes of permissions: as they are shown, and as a request asks for them. What is shown can be sent back.
import * as z from 'zod'

const Letters = z
  .string()
  .regex(/^[r-][w-][x-]$/, 'Expected three letters rwx, with - for what is not allowed, such as r-x')
  .meta({ example: 'rwx' })

/** The name of a user or group, or its number as digits. Names of a domain have a backslash or an @. */
export const AccountName = z
  .string()
  .min(1, 'Expected a name or a number')
  .max(256, 'Expected at most 256 characters')
  .regex(
    /^[^\p{Cc}\p{Zl}\p{Zp}:,/-][^\p{Cc}\p{Zl}\p{Zp}:,/]*$/u,
    'Expected a name without : , / and control characters, or a number',
  )
  .meta({ example: 'alice' })

/** (uid_t)-1 means "leave it" to chown(2). */
export const AccountNumber = z
  .int()
  .min(0)
  .max(2 ** 32 - 2)

export const Entry = z
  .strictObject({
    type: z.enum(['user', 'group']),
    name: AccountName.optional().describe('shown where the system knows one'),
    id: AccountNumber.optional(),
    permissions: Letters,
  })
  .refine(({ name, id }) => name !== undefined || id !== undefined, {
    error: 'Expected a name or an id',
    path: ['name'],
  })
  .meta({ id: 'AclEntry' })
export type Entry = z.infer<typeof Entry>

const Entries = z.array(Entry).max(256, 'Expected at most 256 entries')
const Mask = Letters.optional().describe('limits the group and all entries; left out: what any of them allows')

export const Acl = z
  .strictObject({ entries: Entries, mask: Mask })
  .meta({ id: 'Acl', description: 'the users and groups that are named besides owner, group and others' })
export const DefaultAcl = z
  .strictObject({ owner: Letters, group: Letters, other: Letters, entries: Entries, mask: Mask })
  .meta({ id: 'DefaultAcl', description: 'what new files and folders in this folder begin with' })
export type DefaultAcl = z.infer<typeof DefaultAcl>

export const Mode = z
  .string()
  .regex(
    /^[0-3]?[0-7]{3}$/,
    'Expected octal digits such as 2770: owner, group, others, and before them 2 for new files of the same group and 1 for sticky',
  )
  .meta({ example: '2770' })

export const PermissionsChange = z
  .strictObject({
    owner: AccountName.optional(),
    group: AccountName.optional(),
    mode: Mode.optional(),
    acl: Acl.optional(),
    default_acl: DefaultAcl.nullable().optional().describe('null: none'),
    acltype: z
      .string()
      .max(32)
      .optional()
      .meta({ description: 'posixacl turns access control lists on, with xattr=sa', example: 'posixacl' }),
    allow_root: z.boolean().optional().describe('true: root may become the owner, or its group the group'),
    recursive: z
      .boolean()
      .optional()
      .describe('true: what is named is set for everything in the dataset as well, by a job'),
  })
  .meta({ id: 'PermissionsChange' })
export type PermissionsChange = z.infer<typeof PermissionsChange>

export const Permissions = z
  .object({
    dataset: z.string(),
    path: z.string().describe('the mount point'),
    owner: z.string().describe('a name, or the number where the system knows none'),
    uid: z.int(),
    group: z.string(),
    gid: z.int(),
    mode: Mode.describe('the group digit is that of the owning group, also where a list has a mask'),
    acltype: z.string().describe('of the dataset: posix, or off'),
    acl: Acl.optional(),
    default_acl: DefaultAcl.nullable().optional(),
    without_acl: z.string().optional().describe('why there are no lists'),
  })
  .meta({ id: 'Permissions' })
export type Permissions = z.infer<typeof Permissions>

export const PermissionsPreview = z
  .object({
    dataset: z.string(),
    path: z.string(),
    files: z.int().describe('what is there, without folders'),
    folders: z.int(),
    changes: z.int().describe('of these would be changed'),
    left_out: z.int().describe('devices, recycle bins of shares, and what is mounted below'),
    complete: z.boolean().describe('false: there are more, and only so many were looked at'),
    examples: z
      .array(
        z.object({
          path: z.string().describe('below the mount point; other bytes than text are shown as \\xNN'),
          owner: z.string(),
          group: z.string(),
          mode: z.string(),
          to: z.object({ owner: z.string(), group: z.string(), mode: z.string() }),
        }),
      )
      .describe('the first that would be changed'),
  })
  .meta({ id: 'PermissionsPreview' })
export type PermissionsPreview = z.infer<typeof PermissionsPreview>
