// Permissions as they are shown: numbers with their names, bits as letters.
import { type AccessList, letters, type NamedEntry } from '../../drivers/acl.ts'
import type { AccountNames } from './accounts.ts'
import type { Entry, Permissions } from './rules.ts'
import type { State } from './state.ts'

export interface Names {
  user: Map<number, string>
  group: Map<number, string>
}

/** The names of everybody who occurs in these. */
export async function namesIn(states: readonly State[], accounts: AccountNames): Promise<Names> {
  const named = states.flatMap(({ lists }) => [...lists.access.named, ...(lists.default?.named ?? [])])
  const of = (type: 'user' | 'group') => named.filter((one) => one.type === type).map(({ id }) => id)
  const user = await accounts.namesOf('user', [...states.map(({ uid }) => uid), ...of('user')])
  const group = await accounts.namesOf('group', [...states.map(({ gid }) => gid), ...of('group')])
  return { user, group }
}

export const nameOr = (names: Map<number, string>, id: number) => names.get(id) ?? String(id)

/** The special digit, and the rights of the owner, the owning group and others. */
export const modeText = (special: number, { user, group, other }: Pick<AccessList, 'user' | 'group' | 'other'>) =>
  `${special === 0 ? '0' : special}${user}${group}${other}`

export function viewOf(state: State, names: Names): Permissions {
  const { dataset, path, uid, gid, special, lists, acltype, without } = state
  const inherited = lists.default
  return {
    dataset,
    path,
    owner: nameOr(names.user, uid),
    uid,
    group: nameOr(names.group, gid),
    gid,
    mode: modeText(special, lists.access),
    acltype,
    ...(without === undefined
      ? {
          acl: { entries: entriesOf(lists.access.named, names), ...maskOf(lists.access) },
          default_acl: inherited
            ? {
                owner: letters(inherited.user),
                group: letters(inherited.group),
                other: letters(inherited.other),
                entries: entriesOf(inherited.named, names),
                ...maskOf(inherited),
              }
            : null,
        }
      : { without_acl: without }),
  }
}

const maskOf = ({ mask }: AccessList) => (mask === undefined ? {} : { mask: letters(mask) })

const entriesOf = (named: readonly NamedEntry[], names: Names): Entry[] =>
  named.map(({ type, id, rights }) => {
    const name = names[type].get(id)
    return { type, ...(name !== undefined && { name }), id, permissions: letters(rights) }
  })
