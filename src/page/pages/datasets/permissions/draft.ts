// The form of permissions: what it begins with, and the request that it makes. What was not changed is not sent; a
// recursive change names everything, so that all files get the same.
import { type AclEntry, modeOf, nameOf, type Permissions, type Rights, rightsOf } from './types.ts'

export type NewFiles = 'same' | 'none' | 'keep'
export const NEW_FILES: [NewFiles, string][] = [
  ['same', 'the same permissions (default ACL)'],
  ['none', 'what the client asks for (no default ACL)'],
  ['keep', 'the default ACL that they have now'],
]

export interface EntryDraft {
  key: number
  type: AclEntry['type']
  who: string
  permissions: string
}

export interface Draft extends Rights {
  user: string
  owning: string
  entries: EntryDraft[]
  newFiles: NewFiles
  turnsOn: boolean
  allowRoot: boolean
  recursive: boolean
  /** As it was. */
  first: Rights & { newFiles: NewFiles }
}

export function draftOf(before: Permissions): Draft {
  const rights = rightsOf(before.mode)
  const newFiles = newFilesOf(before, rights)
  return {
    ...rights,
    user: before.owner,
    owning: before.group,
    entries: (before.acl?.entries ?? []).map((entry, key) => ({
      key,
      type: entry.type,
      who: nameOf(entry),
      permissions: entry.permissions,
    })),
    newFiles,
    turnsOn: false,
    allowRoot: false,
    recursive: false,
    first: { ...rights, newFiles },
  }
}

function newFilesOf({ acl, default_acl: inherited }: Permissions, { owner, group, other }: Rights): NewFiles {
  if (!inherited) return 'none'
  const now = [owner, group, other, acl?.mask, acl?.entries]
  const later = [inherited.owner, inherited.group, inherited.other, inherited.mask, inherited.entries]
  // A default list of the same rights has a mask only if somebody is named, too.
  return JSON.stringify(now) === JSON.stringify(later) ? 'same' : 'keep'
}

/** Digits are a number, as in chown. */
const entryOf = ({ type, who, permissions }: EntryDraft): AclEntry =>
  /^[0-9]+$/.test(who) ? { type, id: Number(who), permissions } : { type, name: who, permissions }

const isNamed = (name: string) => name === 'root' || name === '0'

/** Whether root would become the owner, or its group the group: that has to be asked for. */
export const isRoot = ({ user, owning, recursive }: Draft, before: Permissions): boolean =>
  (isNamed(user) && (recursive || user !== before.owner)) || (isNamed(owning) && (recursive || owning !== before.group))

export function changeOf(draft: Draft, before: Permissions): Record<string, unknown> {
  const { user, owning, entries, newFiles, turnsOn, allowRoot, recursive, first, owner, group, other } = draft
  const mode = modeOf(draft)
  const hasLists = before.without_acl === undefined || turnsOn
  const list = entries.map(entryOf)
  const known = draftOf(before).entries.map(entryOf)
  const listChanges = hasLists && JSON.stringify(list) !== JSON.stringify(known)
  const rightsChange = listChanges || mode !== modeOf(first)
  return {
    ...((recursive || user !== before.owner) && { owner: user }),
    ...((recursive || owning !== before.group) && { group: owning }),
    ...((recursive || mode !== modeOf(first)) && { mode }),
    ...(listChanges && { acl: { entries: list } }),
    ...(hasLists &&
      newFiles === 'same' &&
      (first.newFiles !== 'same' || rightsChange) && { default_acl: { owner, group, other, entries: list } }),
    ...(hasLists && newFiles === 'none' && first.newFiles !== 'none' && { default_acl: null }),
    ...(turnsOn && { acltype: 'posixacl' }),
    ...(allowRoot && isRoot(draft, before) && { allow_root: true }),
    ...(recursive && { recursive }),
  }
}
