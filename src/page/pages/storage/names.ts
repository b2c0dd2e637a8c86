// Names for the IDs in the appliance's messages: accounts, shares, exports, targets. An object that was deleted keeps
// its ID.
import { useQuery } from '../../query.ts'
import { hasController } from '../../session.ts'

interface Named {
  id: string
  username?: string
  name?: string
  path?: string
  iqn?: string
}

const KINDS: [collection: string, what: string][] = [
  ['users', 'account'],
  ['shares/smb', 'SMB share'],
  ['exports/nfs', 'NFS export'],
  ['iscsi/targets', 'iSCSI target'],
  ['share-users', 'share user'],
  ['share-groups', 'share group'],
]

/** `SMB share data` for `shares/smb/smb-f133e481afc1`; undefined if it has no known name. */
export function useNames(): (object: string) => string | undefined {
  const on = hasController()
  const lists = KINDS.map(([collection]) => useQuery<Named[]>(on ? `/api/v1/${collection}` : null).data)
  const names = new Map<string, string>()
  for (const [i, [collection, what]] of KINDS.entries())
    for (const { id, username, name, path, iqn } of lists[i] ?? [])
      names.set(
        `${collection}/${id}`,
        collection === 'users' ? (username ?? id) : `${what} ${name ?? path ?? iqn ?? id}`,
      )
  return (object) => {
    const found = names.get(object)
    if (found !== undefined) return found
    // `iscsi/targets/ID/luns/1`: the part below the object stays as it is.
    const above = [...names].find(([key]) => object.startsWith(`${key}/`))
    return above && `${above[1]}${object.slice(above[0].length)}`
  }
}
