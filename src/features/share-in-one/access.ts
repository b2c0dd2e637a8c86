// Sensible permissions for those who may use a share. The first user that may write owns the folder, the first group
// that may write is its group; everybody else is an entry. New files belong to the same group and begin with the same
// rights (default list), so that several users can write each other's files.
import { type FieldError, invalidFields } from '../../field-errors.ts'
import type { AccountNames } from '../permissions/accounts.ts'
import type { Entry, PermissionsChange } from '../permissions/rules.ts'
import { ValidUser } from '../shares/rules.ts'
import type { Access } from './rules.ts'

type Change = Pick<PermissionsChange, 'owner' | 'group' | 'mode' | 'acl' | 'default_acl'>

const isGroup = (name: string) => name.startsWith('@')
const entry = (name: string, permissions: string): Entry =>
  isGroup(name) ? { type: 'group', name: name.slice(1), permissions } : { type: 'user', name, permissions }

export function permissionsFor({ write = [], read = [] }: Access, lists: boolean): Change {
  const owner = write.find((name) => !isGroup(name))
  const writing = write.find(isGroup)
  // Only readers: the first group of them needs no entry.
  const group = writing ?? (write.length === 0 ? read.find(isGroup) : undefined)
  const ofGroup = writing === undefined ? (group === undefined ? 0 : 5) : 7
  const named = [
    ...write.filter((name) => name !== owner && name !== group).map((name) => entry(name, 'rwx')),
    ...read.filter((name) => name !== group && !write.includes(name)).map((name) => entry(name, 'r-x')),
  ]
  const letters = ofGroup === 7 ? 'rwx' : ofGroup === 5 ? 'r-x' : '---'
  return {
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group: group.slice(1) }),
    mode: `27${ofGroup}0`,
    // Without lists, who needs an entry is refused; the others have what the mode gives.
    ...((lists || named.length > 0) && {
      acl: { entries: named },
      default_acl: { owner: 'rwx', group: letters, other: '---', entries: named },
    }),
  }
}

/**
 * With names where digits are a number: Samba would take them for a name. Throws a 400 that says which of them does not
 * exist; `smb`: or which Samba cannot be told.
 */
export async function namedAccess(access: Access, accounts: AccountNames, smb: boolean): Promise<Access> {
  const errors: FieldError[] = []
  const named = async (who: 'write' | 'read'): Promise<string[]> => {
    const names: string[] = []
    for (const [i, text] of (access[who] ?? []).entries()) {
      const field = `access.${who}.${i}`
      const type = isGroup(text) ? 'group' : 'user'
      const name = await accounts.nameOf(type, isGroup(text) ? text.slice(1) : text)
      const marked = isGroup(text) ? `@${name}` : `${name}`
      if (name === undefined) errors.push({ field, message: `There is no such ${type}` })
      else if (smb && !ValidUser.safeParse(marked).success)
        errors.push({ field, message: `Samba does not take the name of this ${type} in "valid users"` })
      else names.push(marked)
    }
    return [...new Set(names)]
  }
  const found = { write: await named('write'), read: await named('read') }
  if (errors.length > 0) throw invalidFields(errors)
  return found
}

/** Who may connect. */
export const usersOf = ({ write = [], read = [] }: Access): string[] => [...new Set([...write, ...read])]
