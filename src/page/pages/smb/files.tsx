// The files that are open over SMB: a file that cannot be deleted or moved is in this list, with the one who holds it.
import { Button } from '../../kit/button.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Card, When } from '../../kit/layout.tsx'
import { parts } from '../../kit/order.ts'
import { Table } from '../../kit/table.tsx'
import type { Query } from '../../query.ts'
import { may } from '../../session.ts'
import { accessText, type OpenFile } from './types.ts'

interface Row extends OpenFile {
  key: string
}

export const OpenFiles = ({
  query,
  onClose,
}: {
  query: Query<OpenFile[]>
  onClose: (file: OpenFile, session: string) => void
}) => (
  <Card title="Open files">
    <Loaded query={query}>
      {(files) => (
        <Table
          label="Open files"
          what="open files"
          rows={keyed(files)}
          id={({ key }) => key}
          text={({ path, username, client }) => `${path} ${username} ${client}`}
          empty="No file is open."
          columns={[
            { title: 'File', by: ({ path }) => parts(path), cell: ({ path }) => path },
            { title: 'User', by: ({ username }) => username, cell: ({ username }) => username },
            { title: 'Client', by: ({ client }) => client, cell: ({ client }) => client },
            { title: 'Open to', by: ({ access }) => access, cell: ({ access }) => accessText(access) },
            {
              title: 'Since',
              by: ({ since }) => since && Date.parse(since),
              cell: ({ since }) => (since ? <When at={since} /> : ''),
            },
            ...(may('operator')
              ? [
                  {
                    title: 'Actions',
                    cell: (file: Row) => {
                      const { session } = file
                      return session === undefined ? null : (
                        <Button kind="danger" label={`Close ${file.path}`} onClick={() => onClose(file, session)}>
                          Close…
                        </Button>
                      )
                    },
                  },
                ]
              : []),
          ]}
        />
      )}
    </Loaded>
  </Card>
)

/** A session may have a file open more than once. A row keeps its key when others come and go. */
function keyed(files: readonly OpenFile[]): Row[] {
  const seen = new Map<string, number>()
  return files.map((file) => {
    const name = `${file.session} ${file.since} ${file.path}`
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    return { ...file, key: `${count} ${name}` }
  })
}
