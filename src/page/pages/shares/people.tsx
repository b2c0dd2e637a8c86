// Who may read and write a share: share users and groups to choose from, and other accounts by their name.
import { useMemo } from 'hono/jsx/dom'
import { Button } from '../../kit/button.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Group, TextArea } from '../../kit/fields.tsx'
import { Table } from '../../kit/table.tsx'
import { type Query, useQuery } from '../../query.ts'
import { GroupDialog } from '../share-users/group-form.tsx'
import { GROUPS, groupNames, type ShareGroup, type ShareUser, USERS, userNames } from '../share-users/types.ts'
import { UserDialog } from '../share-users/user-form.tsx'
import { names } from '../storage/api-types.ts'

type Right = 'write' | 'read'
export interface People {
  /** By the name in the API: a group is `@name`. */
  rights: Record<string, Right | ''>
  writers: string
  readers: string
}
export const NOBODY: People = { rights: {}, writers: '', readers: '' }

/** As the request names them. */
export function accessOf({ rights, writers, readers }: People): { write: string[]; read: string[] } {
  const of = (right: Right) => Object.keys(rights).filter((name) => rights[name] === right)
  return { write: [...of('write'), ...names(writers)], read: [...of('read'), ...names(readers)] }
}

/** Who gets an entry of the access control list, in the order of the appliance's errors: neither owner nor group. */
function entriesOf({ write, read }: ReturnType<typeof accessOf>): string[] {
  const owner = write.find((name) => !name.startsWith('@'))
  const group = (write.length > 0 ? write : read).find((name) => name.startsWith('@'))
  const others = [...write, ...read.filter((name) => !write.includes(name))]
  return others.filter((name) => name !== owner && name !== group)
}

interface Row {
  /** `@crew` for a group. */
  id: string
  name: string
  kind: 'user' | 'group'
  about: string
}

const rowsOf = (users: readonly ShareUser[], groups: readonly ShareGroup[]): Row[] => [
  ...users.map(({ name, full_name: about }): Row => ({ id: name, name, kind: 'user', about })),
  ...groups.map(({ name, description, builtin }): Row => {
    const about = description || (builtin ? 'every share user' : '')
    return { id: `@${name}`, name, kind: 'group', about }
  }),
]

export interface Accounts {
  users: Query<ShareUser[]>
  groups: Query<ShareGroup[]>
}
export const useAccounts = (): Accounts => ({
  users: useQuery<ShareUser[]>(USERS),
  groups: useQuery<ShareGroup[]>(GROUPS),
})

/** What the appliance names when it does not know an account: it becomes the owner, the group or an entry. */
const REFUSED = 'access owner group acl.entries default_acl.entries'

export function WhoMay({
  accounts: { users, groups },
  people,
  onPeople,
  onCreate,
}: {
  accounts: Accounts
  people: People
  onPeople: (change: (before: People) => People) => void
  onCreate: (kind: 'user' | 'group') => void
}) {
  const rows = useMemo(() => rowsOf(users.data ?? [], groups.data ?? []), [users.data, groups.data])
  const set = (change: Partial<People>) => onPeople((before) => ({ ...before, ...change }))
  const access = accessOf(people)
  return (
    <Group
      label="Who may read and write"
      name={REFUSED}
      part={(rest) => {
        // `write.1` of access, `1.name` of the entries.
        const [, list, at = ''] = /^(?:(write|read)\.)?([0-9]+)/.exec(rest) ?? []
        const all = list === 'write' || list === 'read' ? access[list] : entriesOf(access)
        return all[Number(at)] ?? rest
      }}
      hint="The first user owns the folder, and the first group is its group; the others get entries of its access control list (ACL)."
    >
      <FailureNote failure={users.failure ?? groups.failure} />
      {users.data && groups.data ? (
        <Table
          label="Share users and groups"
          what="share users and groups"
          rows={rows}
          id={({ id }) => id}
          nameOf={({ name }) => name}
          text={({ name, kind, about }) => `${name} ${kind} ${about}`}
          empty="There is no share user yet."
          columns={[
            {
              title: 'Name',
              by: ({ name }) => name,
              cell: ({ name, kind, about }) => (
                <>
                  {name}{' '}
                  <span class="muted">
                    {[...(kind === 'group' ? ['group'] : []), about].filter(Boolean).join(', ')}
                  </span>
                </>
              ),
            },
            {
              title: 'May',
              cell: ({ id, name, kind }) => (
                <RightField
                  label={`${kind === 'user' ? 'User' : 'Group'} ${name} may`}
                  value={people.rights[id] ?? ''}
                  onValue={(right) => onPeople((before) => ({ ...before, rights: { ...before.rights, [id]: right } }))}
                />
              ),
            },
          ]}
        />
      ) : null}
      <div class="actions">
        <Button onClick={() => onCreate('user')}>Create share user…</Button>
        <Button onClick={() => onCreate('group')}>Create share group…</Button>
      </div>
      <details>
        <summary>Accounts of the system or of a domain</summary>
        <TextArea
          label="Others who may read and write"
          hint="One user or @group per line, such as @CORP\Domain Users"
          rows={2}
          value={people.writers}
          onValue={(writers) => set({ writers })}
        />
        <TextArea
          label="Others who may only read"
          rows={2}
          value={people.readers}
          onValue={(readers) => set({ readers })}
        />
      </details>
    </Group>
  )
}

const RIGHTS: [Right | '', string][] = [
  ['', 'nothing'],
  ['read', 'read'],
  ['write', 'read/write'],
]

/** A table's title is no label for the field in it, so the label names the account. */
const RightField = ({
  label,
  value,
  onValue,
}: {
  label: string
  value: Right | ''
  onValue: (right: Right | '') => void
}) => (
  <select
    aria-label={label}
    value={value}
    onInput={(event: Event) => onValue((event.currentTarget as HTMLSelectElement).value as Right | '')}
  >
    {RIGHTS.map(([right, text]) => (
      <option key={right} value={right} selected={right === value}>
        {text}
      </option>
    ))}
  </select>
)

/** Beside the form of the share, not in it: a form in a form would send both. */
export function CreateAccount({
  kind,
  accounts: { users, groups },
  onClose,
}: {
  kind: 'user' | 'group' | undefined
  accounts: Accounts
  onClose: () => void
}) {
  const done = async () => {
    await Promise.all([users.reload(), groups.reload()])
    onClose()
  }
  if (kind === 'user')
    return <UserDialog user={undefined} known={groupNames(groups.data)} onClose={onClose} onDone={done} />
  if (kind === 'group')
    return <GroupDialog group={undefined} known={userNames(users.data)} onClose={onClose} onDone={done} />
  return null
}
