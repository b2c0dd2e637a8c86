// Users and groups of SMB shares. They are accounts of the system and of Samba, and no accounts of the console.
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Badge, Card, Note, Page } from '../kit/layout.tsx'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { may } from '../session.ts'
import { GroupDialog } from './share-users/group-form.tsx'
import { RemoveAccount } from './share-users/remove.tsx'
import { GROUPS, groupNames, type ShareGroup, type ShareUser, USERS, userNames } from './share-users/types.ts'
import { UserDialog } from './share-users/user-form.tsx'
import { Enabled } from './storage/row-actions.tsx'

type Open =
  | { kind: 'user'; user: ShareUser | undefined }
  | { kind: 'group'; group: ShareGroup | undefined }
  | { kind: 'remove'; of: 'user' | 'group'; id: string; name: string }
  | undefined

export function ShareUsers() {
  const users = useQuery<ShareUser[]>(USERS)
  const groups = useQuery<ShareGroup[]>(GROUPS)
  const [open, setOpen] = useState<Open>()
  const [told, setTold] = useState('')
  const close = () => setOpen(undefined)
  const done = async (text: string) => {
    await Promise.all([users.reload(), groups.reload()])
    setTold(text)
    close()
  }
  const isOperator = may('operator')
  return (
    <Page
      title="Share users"
      intro="Who may connect to SMB shares. A share user cannot sign in to this console or to the system; users of the console cannot connect to shares."
      actions={
        isOperator ? (
          <>
            <Button kind="main" onClick={() => setOpen({ kind: 'user', user: undefined })}>
              Create share user…
            </Button>
            <Button onClick={() => setOpen({ kind: 'group', group: undefined })}>Create share group…</Button>
          </>
        ) : null
      }
    >
      <div role="status">{told ? <Note tone="ok">{told}</Note> : null}</div>
      <Card title="Users">
        <Loaded query={users}>
          {(rows) => (
            <Table
              label="Share users"
              what="share users"
              rows={rows}
              id={({ id }) => id}
              nameOf={({ name }) => name}
              empty="There is no share user yet."
              columns={[
                {
                  title: 'Name',
                  by: ({ name }) => name,
                  cell: ({ name, problem }) => <Named name={name} problem={problem} />,
                },
                { title: 'Full name', by: ({ full_name }) => full_name, cell: ({ full_name }) => full_name },
                {
                  title: 'Groups',
                  by: ({ groups: all }) => all.join(', '),
                  cell: ({ groups: all }) => all.join(', '),
                },
                {
                  title: 'State',
                  by: ({ enabled }) => (enabled ? 'on' : 'off'),
                  cell: ({ enabled }) => <Enabled on={enabled} />,
                },
                { title: 'Number', by: ({ uid }) => uid, cell: ({ uid }) => String(uid) },
                ...(isOperator
                  ? [
                      {
                        title: 'Actions',
                        cell: (user: ShareUser) => (
                          <RowButtons
                            name={user.name}
                            onEdit={() => setOpen({ kind: 'user', user })}
                            onRemove={() => setOpen({ kind: 'remove', of: 'user', id: user.id, name: user.name })}
                          />
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )}
        </Loaded>
      </Card>
      <Card title="Groups">
        <Loaded query={groups}>
          {(rows) => (
            <Table
              label="Share groups"
              what="share groups"
              rows={rows}
              id={({ id }) => id}
              nameOf={({ name }) => name}
              empty="There is no share group yet."
              columns={[
                {
                  title: 'Name',
                  by: ({ name }) => name,
                  cell: ({ name, problem }) => <Named name={name} problem={problem} />,
                },
                { title: 'Description', by: ({ description }) => description, cell: ({ description }) => description },
                {
                  title: 'Members',
                  by: ({ members }) => members.length,
                  cell: ({ members, builtin }) => (builtin ? 'every share user' : members.join(', ')),
                },
                { title: 'Number', by: ({ gid }) => gid, cell: ({ gid }) => String(gid) },
                ...(isOperator
                  ? [
                      {
                        title: 'Actions',
                        cell: (group: ShareGroup) =>
                          group.builtin ? (
                            <span class="muted">built in</span>
                          ) : (
                            <RowButtons
                              name={group.name}
                              onEdit={() => setOpen({ kind: 'group', group })}
                              onRemove={() => setOpen({ kind: 'remove', of: 'group', id: group.id, name: group.name })}
                            />
                          ),
                      },
                    ]
                  : []),
              ]}
            />
          )}
        </Loaded>
      </Card>
      {open?.kind === 'user' ? (
        <UserDialog user={open.user} known={groupNames(groups.data)} onClose={close} onDone={done} />
      ) : null}
      {open?.kind === 'group' ? (
        <GroupDialog group={open.group} known={userNames(users.data)} onClose={close} onDone={done} />
      ) : null}
      {open?.kind === 'remove' ? (
        <RemoveAccount kind={open.of} id={open.id} name={open.name} onClose={close} onDone={done} />
      ) : null}
      <Curl lines={[{ path: USERS }, { path: GROUPS }]} />
    </Page>
  )
}

const Named = ({ name, problem }: { name: string; problem: string | undefined }) => (
  <>
    {name} {problem === undefined ? null : <Badge tone="warning">{problem}</Badge>}
  </>
)

const RowButtons = ({ name, onEdit, onRemove }: { name: string; onEdit: () => void; onRemove: () => void }) => (
  <div class="actions">
    <Button label={`Edit ${name}`} onClick={onEdit}>
      Edit…
    </Button>
    <Button label={`Delete ${name}`} kind="danger" onClick={onRemove}>
      Delete…
    </Button>
  </div>
)
