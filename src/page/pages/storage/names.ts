// What things are called whose ids the appliance uses in its messages: accounts, shares, exports, targets. What has been removed is not there
// any more and keeps its id.
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
]

/** `SMB share data` for `shares/smb/smb-f133e481afc1`; undefined for what has no such name. */
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
    // `iscsi/targets/ID/luns/1`: what lies below it is said as it is.
    const above = [...names].find(([key]) => object.startsWith(`${key}/`))
    return above && `${above[1]}${object.slice(above[0].length)}`
  }
}
