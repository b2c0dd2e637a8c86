// Names the allowed users of a share that are no share users or groups: they may be misspelled, or accounts of the
// system or of a domain, which this page cannot know.
import { useQuery } from '../../query.ts'
import { GROUPS, type ShareGroup, type ShareUser, USERS } from '../share-users/types.ts'

export function KnownUsers({ of }: { of: string[] }) {
  const users = useQuery<ShareUser[]>(USERS).data
  const groups = useQuery<ShareGroup[]>(GROUPS).data
  if (!users || !groups) return null
  const known = new Set([...users.map(({ name }) => name), ...groups.map(({ name }) => `@${name}`)])
  const unknown = of.filter((name) => !known.has(name.toLowerCase()))
  if (unknown.length === 0) return null
  return (
    <p class="hint">
      Not on the page Share users: {unknown.join(', ')}. Samba has to know them as accounts of the system or of a
      domain.
    </p>
  )
}
