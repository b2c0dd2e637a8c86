// NFS exports: folders for Linux, Unix and hypervisors.
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Card, Page, Table } from '../kit/layout.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { type Export, ExportDialog } from './nfs/form.tsx'
import { one } from './storage/api-types.ts'
import { host, Lines } from './storage/connect.tsx'
import { Remove } from './storage/remove.tsx'
import { Enabled, RowActions } from './storage/row-actions.tsx'

const COLLECTION = '/api/v1/exports/nfs'

/** A path with a space has to be quoted. */
const mountLine = (path: string) => {
  const from = `${host()}:${path}`
  return `mount -t nfs ${/^[\w./:@-]+$/.test(from) ? from : `'${from.replaceAll("'", `'\\''`)}'`} /mnt`
}

export function NfsExports() {
  const query = useQuery<Export[]>(COLLECTION)
  const [edited, setEdited] = useState<Export | 'new'>()
  const [removed, setRemoved] = useState<Export>()
  const done = async () => {
    await query.reload()
    setEdited(undefined)
    setRemoved(undefined)
  }
  return (
    <Page
      title="NFS exports"
      intro="Folders that are shared with Linux, Unix and hypervisors. Access is granted by client address."
      actions={may('operator') ? <Button onClick={() => setEdited('new')}>Create NFS export…</Button> : null}
    >
      <Loaded query={query}>
        {(exports) => (
          <Card>
            <Table
              label="NFS exports"
              rows={exports}
              id={({ id }) => id}
              empty="There is no NFS export yet."
              columns={[
                {
                  title: 'Folder',
                  cell: ({ path, dataset }) => (dataset ? <a href={link('datasets', dataset)}>{path}</a> : path),
                },
                { title: 'State', cell: ({ enabled }) => <Enabled on={enabled} /> },
                {
                  title: 'Clients',
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
      {edited ? (
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
      <Curl lines={[{ path: COLLECTION }]} />
    </Page>
  )
}
