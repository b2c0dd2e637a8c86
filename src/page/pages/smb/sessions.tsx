// Who is connected to the SMB shares.
import { Button } from '../../kit/button.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { plural } from '../../kit/format.ts'
import { Badge, Card, When } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import type { Query } from '../../query.ts'
import { may } from '../../session.ts'
import { type Session, whoIs } from './types.ts'

export const Sessions = ({ query, onClose }: { query: Query<Session[]>; onClose: (sessions: Session[]) => void }) => (
  <Card title="Sessions">
    <Loaded query={query}>
      {(sessions) => (
        <Table
          label="Sessions"
          what="sessions"
          rows={sessions}
          id={({ id }) => id}
          nameOf={whoIs}
          empty="Nobody is connected."
          {...(may('operator') && {
            actions: (selected: Session[]) => (
              <Button kind="danger" onClick={() => onClose(selected)}>
                Close {plural(selected.length, 'session')}…
              </Button>
            ),
          })}
          columns={[
            { title: 'User', by: ({ username }) => username, cell: ({ username }) => username },
            { title: 'Client', by: ({ client }) => client, cell: ({ client }) => client },
            { title: 'Shares', by: ({ shares }) => shares.join(', '), cell: ({ shares }) => shares.join(', ') },
            { title: 'Open files', by: (row) => row.open_files, cell: (row) => row.open_files, number: true },
            {
              title: 'Protocol',
              by: ({ dialect }) => dialect,
              cell: ({ dialect, encrypted }) => (
                <>
                  {dialect} {encrypted ? <Badge tone="ok">encrypted</Badge> : null}
                </>
              ),
            },
            {
              title: 'Since',
              by: ({ since }) => since && Date.parse(since),
              cell: ({ since }) => (since ? <When at={since} /> : ''),
            },
            ...(may('operator')
              ? [
                  {
                    title: 'Actions',
                    cell: (session: Session) => (
                      <Button
                        kind="danger"
                        label={`Close the session of ${whoIs(session)}`}
                        onClick={() => onClose([session])}
                      >
                        Close…
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
    </Loaded>
  </Card>
)
