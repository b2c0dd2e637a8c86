// What is to be set, in numbers, and what that means for a folder, a program and any other file.
import { constants, type Stats } from 'node:fs'
import * as z from 'zod'
import { type AccessList, bitsOf, type Lists } from '../../drivers/acl.ts'

const Id = z
  .int()
  .min(0)
  // (uid_t)-1 means "leave it" to chown(2).
  .max(2 ** 32 - 2)
const Bits = z.int().min(0).max(7)
const List = z.strictObject({
  user: Bits,
  group: Bits,
  other: Bits,
  mask: Bits.optional().transform((mask) => mask as number | undefined),
  named: z.array(z.strictObject({ type: z.enum(['user', 'group']), id: Id, rights: Bits })).max(1024),
})

/** What a recursive change sets everywhere; a task reads it from its input. Members that are left out stay. */
export const Plan = z.strictObject({
  uid: Id.optional(),
  gid: Id.optional(),
  rights: z
    .strictObject({
      /** Of folders: 2 for set-group-id, 1 for sticky. */
      special: z.int().min(0).max(3),
      access: List,
      default: List.optional(),
      /** False: there are no access control lists here, and only the mode is set. */
      lists: z.boolean(),
    })
    .optional(),
  /** Folders that stay as they are, with everything in them, relative to the top. */
  without: z.array(z.string()).optional(),
})
export type Plan = z.infer<typeof Plan>
export type Rights = NonNullable<Plan['rights']>

/** A `program` is a file that somebody may execute; links have an owner and no rights; devices are left alone. */
export type Kind = 'folder' | 'program' | 'file' | 'link' | 'device'

export function kindOf(stats: Stats): Kind {
  if (stats.isDirectory()) return 'folder'
  if (stats.isSymbolicLink()) return 'link'
  // Who is given a device that somebody copied into a share is given the disk behind it.
  if (stats.isBlockDevice() || stats.isCharacterDevice()) return 'device'
  return (stats.mode & 0o111) === 0 ? 'file' : 'program'
}

const withoutExecution = (list: AccessList): AccessList => ({
  user: list.user & 6,
  group: list.group & 6,
  other: list.other & 6,
  mask: list.mask === undefined ? undefined : list.mask & 6,
  named: list.named.map((entry) => ({ ...entry, rights: entry.rights & 6 })),
})

/** The lists of one kind. Only folders have a default, and only what is a program may be executed. */
export function listsFor(kind: Kind, rights: Rights): Lists {
  if (kind === 'folder') return { access: rights.access, default: rights.default }
  return { access: kind === 'program' ? rights.access : withoutExecution(rights.access), default: undefined }
}

/** The mode that `stat` shows then. Files lose set-user-id, set-group-id and sticky. */
export const modeFor = (kind: Kind, rights: Rights): number =>
  bitsOf(listsFor(kind, rights).access) | (kind === 'folder' ? rights.special << 9 : 0)

export const PERMISSIONS = 0o7777
export const permissionsOf = ({ mode }: Stats): number => mode & PERMISSIONS & ~constants.S_IFMT
