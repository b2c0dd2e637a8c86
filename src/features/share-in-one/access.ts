// Sensible permissions for those who may use a share. The first user that may write owns the folder, the first group
// that may write is its group; everybody else is an entry. New files belong to the same group and begin with the same
// rights (default list), so that several users can write each other's files.
import type { Entry, PermissionsChange } from '../permissions/rules.ts'
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

/** Who may connect. */
export const usersOf = ({ write = [], read = [] }: Access): string[] => [...new Set([...write, ...read])]
