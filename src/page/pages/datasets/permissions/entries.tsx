// The entries of an access control list: users and groups besides the owner and the owning group.
import { Button } from '../../../kit/button.tsx'
import { Field, Select } from '../../../kit/fields.tsx'
import { useQuery } from '../../../query.ts'
import { GROUPS, type ShareGroup, type ShareUser, USERS } from '../../share-users/types.ts'
import type { EntryDraft } from './draft.ts'
import { choices } from './types.ts'

/** Suggests share users and groups in the fields of names. */
export function KnownNames() {
  const users = useQuery<ShareUser[]>(USERS).data ?? []
  const groups = useQuery<ShareGroup[]>(GROUPS).data ?? []
  return (
    <>
      <datalist id="known-users">
        {users.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="known-groups">
        {groups.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  )
}

export function EntryFields({
  entries,
  onEntries,
}: {
  entries: EntryDraft[]
  onEntries: (entries: EntryDraft[]) => void
}) {
  const change = (key: number, to: Partial<EntryDraft>) =>
    onEntries(entries.map((entry) => (entry.key === key ? { ...entry, ...to } : entry)))
  const add = (type: EntryDraft['type']) =>
    onEntries([
      ...entries,
      { key: Math.max(-1, ...entries.map(({ key }) => key)) + 1, type, who: '', permissions: 'rwx' },
    ])
  return (
    <>
      {entries.map(({ key, type, who, permissions }, i) => {
        const names = ['acl', 'default_acl'].flatMap((list) => {
          const at = `${list}.entries.${i}`
          return [at, `${at}.name`, `${at}.id`]
        })
        const title = `${type === 'user' ? 'User' : 'Group'} ${i + 1}`
        return (
          <div class="pairs" key={key}>
            <Field
              label={title}
              name={names.join(' ')}
              value={who}
              onValue={(name) => change(key, { who: name })}
              list={`known-${type}s`}
              autocomplete="off"
              required
            />
            <Select
              label={`${title} may`}
              value={permissions}
              onValue={(letters) => change(key, { permissions: letters })}
              options={choices(permissions)}
            />
            <Button
              label={`Remove ${who || title}`}
              onClick={() => onEntries(entries.filter((one) => one.key !== key))}
            >
              Remove
            </Button>
          </div>
        )
      })}
      <div class="actions">
        <Button onClick={() => add('user')}>Add user</Button>
        <Button onClick={() => add('group')}>Add group</Button>
      </div>
    </>
  )
}
