// NFS exports: folders for Linux, Unix and hypervisors.
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
import { CLIENTS, Clients } from './nfs/clients.tsx'
import { type Export, ExportDialog } from './nfs/form.tsx'
import { CreateShare } from './shares/create.tsx'
import { one } from './storage/api-types.ts'
import { Lines, mountLine } from './storage/connect.tsx'
import { DeleteButton, Remove, RemoveSeveral } from './storage/remove.tsx'
import { Enabled, RowActions } from './storage/row-actions.tsx'

const COLLECTION = '/api/v1/exports/nfs'

export function NfsExports() {
  const query = useQuery<Export[]>(COLLECTION)
  const [edited, setEdited] = useState<Export | 'new' | 'in one'>()
  const [removed, setRemoved] = useState<Export>()
  const [several, setSeveral] = useState<Export[]>()
  const done = async () => {
    await query.reload()
    setEdited(undefined)
    setRemoved(undefined)
    setSeveral(undefined)
  }
  return (
    <Page
      title="NFS exports"
      intro="Folders that are shared with Linux, Unix and hypervisors. Access is granted by client address."
      actions={
        may('operator') ? (
          <>
            <Button kind="main" onClick={() => setEdited('in one')}>
              Create share…
            </Button>
            <Button onClick={() => setEdited('new')}>Create NFS export…</Button>
          </>
        ) : null
      }
    >
      <Loaded query={query}>
        {(exports) => (
          <Card>
            <Table
              label="NFS exports"
              rows={exports}
              what="exports"
              id={({ id }) => id}
              nameOf={({ path }) => path}
              {...(may('operator') && {
                actions: (selected: Export[]) => (
                  <DeleteButton of={selected.filter(({ managed }) => managed)} onOpen={setSeveral} />
                ),
              })}
              empty="There is no NFS export yet."
              columns={[
                {
                  title: 'Folder',
                  by: ({ path }) => parts(path),
                  cell: ({ path, dataset }) => (dataset ? <a href={link('datasets', dataset)}>{path}</a> : path),
                },
                {
                  title: 'State',
                  by: ({ enabled }) => (enabled ? 'on' : 'off'),
                  cell: ({ enabled }) => <Enabled on={enabled} />,
                },
                {
                  title: 'Clients',
                  by: ({ clients }) => clients.join(', '),
                  cell: ({ clients, read_only, root_squash }) =>
                    `${clients.join(', ')}${read_only ? '; read-only' : ''}${root_squash ? '' : '; no root squash'}`,
                },
                {
                  title: 'Mount command',
                  cell: ({ path }) => <Lines of={[mountLine(path)]} what={`the mount command of ${path}`} />,
                },
                ...(may('operator')
                  ? [
                      {
                        title: 'Actions',
                        cell: (row: Export) => (
                          <RowActions
                            name={row.path}
                            managed={row.managed}
                            onEdit={() => setEdited(row)}
                            onRemove={() => setRemoved(row)}
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
      <Clients />
      {edited === 'in one' ? (
        <CreateShare first="nfs" onClose={() => setEdited(undefined)} onMade={query.reload} />
      ) : edited ? (
        <ExportDialog of={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} onDone={done} />
      ) : null}
      {removed ? (
        <Remove
          title={`Delete the export of ${removed.path}`}
          submit="Delete export"
          path={one('exports/nfs', removed.id)}
          onClose={() => setRemoved(undefined)}
          onDone={done}
        >
          <p>Clients that have it mounted will get errors. The files stay in {removed.path}.</p>
        </Remove>
      ) : null}
      {several ? (
        <RemoveSeveral
          collection="exports/nfs"
          what="NFS export"
          of={several.map(({ id, path }) => ({ id, name: path }))}
          onClose={done}
          onDone={done}
        >
          <p>Clients that have them mounted will get errors. The files stay where they are:</p>
        </RemoveSeveral>
      ) : null}
      <Curl lines={[{ path: COLLECTION }, { path: CLIENTS }]} />
    </Page>
  )
}
