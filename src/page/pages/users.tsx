// The accounts. Each change sends the ETag of what was shown, and is refused if somebody else was faster.
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { plural } from '../kit/format.ts'
import { Badge, Card, Note, Page, When } from '../kit/layout.tsx'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may, session } from '../session.ts'
import { useStore } from '../store.ts'
import { type Account, USERS } from './users/account.ts'
import { CreateUser } from './users/create.tsx'
import { EditUser } from './users/edit.tsx'
import { RemoveUser, RemoveUsers } from './users/remove.tsx'

type Open =
  | { kind: 'create' }
  | { kind: 'edit' | 'remove'; user: Account }
  | { kind: 'remove several'; users: Account[] }
  | undefined

export function Users() {
  const query = useQuery<Account[]>(USERS)
  const own = useStore(session).session?.name
  const [open, setOpen] = useState<Open>()
  const [told, setTold] = useState('')
  const close = () => setOpen(undefined)
  const done = async (text: string) => {
    await query.reload()
    setTold(text)
    close()
  }
  const isAdministrator = may('administrator')
  return (
    <Page
      title="Users"
      intro="Viewers can only look. Operators can also change storage and sharing. Administrators can do everything. These accounts are for the console and the API, not for shares."
      actions={
        isAdministrator ? (
          <Button kind="main" onClick={() => setOpen({ kind: 'create' })}>
            Create user…
          </Button>
        ) : null
      }
    >
      <div role="status">{told ? <Note tone="ok">{told}</Note> : null}</div>
      <Card>
        <Loaded query={query}>
          {(users) => (
            <Table
              label="Users"
              what="users"
              nameOf={({ username }) => username}
              {...(isAdministrator && {
                actions: (selected: Account[]) => {
                  const others = selected.filter(({ username }) => username !== own)
                  return (
                    <Button
                      kind="danger"
                      why={others.length === 0 ? 'You cannot delete your own account here' : undefined}
                      onClick={() => setOpen({ kind: 'remove several', users: others })}
                    >
                      Delete {plural(others.length, 'user')}…
                    </Button>
                  )
                },
              })}
              rows={users}
              id={({ id }) => id}
              empty="There are no users."
              columns={[
                {
                  title: 'User name',
                  by: ({ username }) => username,
                  cell: ({ username }) =>
                    username === own ? (
                      <>
                        {username} (<a href={link('account')}>you</a>)
                      </>
                    ) : (
                      username
                    ),
                },
                { title: 'Role', by: ({ role }) => role, cell: ({ role }) => role },
                { title: 'E-mail', by: ({ email }) => email, cell: ({ email }) => email ?? '' },
                {
                  title: 'State',
                  by: ({ active }) => (active ? 'active' : 'disabled'),
                  cell: ({ active }) => (
                    <Badge tone={active ? 'ok' : 'warning'}>{active ? 'active' : 'disabled'}</Badge>
                  ),
                },
                {
                  title: 'Changed',
                  by: ({ updated_at }) => Date.parse(updated_at),
                  cell: ({ updated_at }) => <When at={updated_at} />,
                },
                ...(isAdministrator ? [{ title: 'Actions', cell: (user: Account) => actions(user) }] : []),
              ]}
            />
          )}
        </Loaded>
      </Card>
      {open?.kind === 'create' ? <CreateUser onClose={close} onDone={done} /> : null}
      {open?.kind === 'edit' ? (
        <EditUser id={open.user.id} own={open.user.username === own} onClose={close} onDone={done} />
      ) : null}
      {open?.kind === 'remove' ? <RemoveUser user={open.user} onClose={close} onDone={done} /> : null}
      {open?.kind === 'remove several' ? (
        <RemoveUsers
          users={open.users}
          onClose={async () => {
            await query.reload()
            close()
          }}
          onDone={done}
        />
      ) : null}
      <Curl lines={[{ path: USERS }]} />
    </Page>
  )

  function actions(user: Account) {
    return (
      <div class="actions nowrap">
        <Button label={`Edit ${user.username}`} onClick={() => setOpen({ kind: 'edit', user })}>
          Edit
        </Button>
        {user.username === own ? null : (
          <Button kind="danger" label={`Delete ${user.username}`} onClick={() => setOpen({ kind: 'remove', user })}>
            Delete
          </Button>
        )}
      </div>
    )
  }
}
