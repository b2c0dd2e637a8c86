// SMB shares: folders for Windows, macOS and other SMB clients.
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Card, Page } from '../kit/layout.tsx'
import { parts } from '../kit/order.ts'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { CreateShare } from './shares/create.tsx'
import { Connected } from './smb/connected.tsx'
import { type Share, ShareDialog } from './smb/form.tsx'
import { FILES, SESSIONS } from './smb/types.ts'
import { one } from './storage/api-types.ts'
import { host, Lines } from './storage/connect.tsx'
import { DeleteButton, Remove, RemoveSeveral } from './storage/remove.tsx'
import { Enabled, RowActions } from './storage/row-actions.tsx'

const COLLECTION = '/api/v1/shares/smb'

export function SmbShares() {
  const query = useQuery<Share[]>(COLLECTION)
  const [edited, setEdited] = useState<Share | 'new' | 'in one'>()
  const [removed, setRemoved] = useState<Share>()
  const [several, setSeveral] = useState<Share[]>()
  const done = async () => {
    await query.reload()
    setEdited(undefined)
    setRemoved(undefined)
    setSeveral(undefined)
  }
  return (
    <Page
      title="SMB shares"
      intro="Folders that are shared with Windows, macOS and others. Who connects needs an account on the page Share users; accounts of this console do not count."
      actions={
        may('operator') ? (
          <>
            <Button kind="main" onClick={() => setEdited('in one')}>
              Create share…
            </Button>
            <Button onClick={() => setEdited('new')}>Create SMB share…</Button>
          </>
        ) : null
      }
    >
      <Loaded query={query}>
        {(shares) => (
          <Card>
            <Table
              label="SMB shares"
              rows={shares}
              what="shares"
              id={({ id }) => id}
              nameOf={({ name }) => name}
              {...(may('operator') && {
                actions: (selected: Share[]) => (
                  <DeleteButton of={selected.filter(({ managed }) => managed)} onOpen={setSeveral} />
                ),
              })}
              empty="There is no SMB share yet."
              columns={[
                { title: 'Share', by: ({ name }) => name, cell: ({ name }) => name },
                {
                  title: 'Folder',
                  by: ({ path = '' }) => parts(path),
                  cell: ({ path = '', dataset }) => (dataset ? <a href={link('datasets', dataset)}>{path}</a> : path),
                },
                {
                  title: 'State',
                  by: ({ enabled }) => (enabled ? 'on' : 'off'),
                  cell: ({ enabled }) => <Enabled on={enabled} />,
                },
                { title: 'Access', by: access, cell: access },
                {
                  title: 'Connect to',
                  cell: ({ name }) => <Lines of={[`\\\\${host()}\\${name}`]} what={`the address of ${name}`} />,
                },
                ...(may('operator')
                  ? [
                      {
                        title: 'Actions',
                        cell: (share: Share) => (
                          <RowActions
                            name={share.name}
                            managed={share.managed}
                            onEdit={() => setEdited(share)}
                            onRemove={() => setRemoved(share)}
                          />
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          </Card>
        )}
      </Loaded>
      <Connected />
      {edited === 'in one' ? (
        <CreateShare first="smb" onClose={() => setEdited(undefined)} onMade={query.reload} />
      ) : edited ? (
        <ShareDialog share={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} onDone={done} />
      ) : null}
      {removed ? (
        <Remove
          title={`Delete the share ${removed.name}`}
          submit="Delete share"
          path={one('shares/smb', removed.id)}
          onClose={() => setRemoved(undefined)}
          onDone={done}
        >
          <p>Connected users lose the share immediately. The files stay in {removed.path}.</p>
        </Remove>
      ) : null}
      {several ? (
        <RemoveSeveral
          collection="shares/smb"
          what="SMB share"
          of={several.map(({ id, name }) => ({ id, name: name }))}
          onClose={done}
          onDone={done}
        >
          <p>Connected users lose these shares immediately. The files stay where they are:</p>
        </RemoveSeveral>
      ) : null}
      <Curl lines={[{ path: COLLECTION }, { path: SESSIONS }, { path: FILES }]} />
    </Page>
  )
}

function access({ read_only, guest_ok, valid_users }: Share): string {
  const who = valid_users.length > 0 ? valid_users.join(', ') : 'every user'
  return `${who}${guest_ok ? ', guests too' : ''}${read_only ? '; read-only' : ''}`
}
