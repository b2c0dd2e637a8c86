// Who is connected to the SMB shares, and the end of a session.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { plural } from '../../kit/format.ts'
import { Badge, Card, When } from '../../kit/layout.tsx'
import { Several } from '../../kit/several.tsx'
import { Table } from '../../kit/table.tsx'
import { useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'

interface Session {
  id: string
  username: string
  client: string
  dialect: string
  encrypted: boolean
  shares: string[]
  open_files: number
  since?: string
}

export const SESSIONS = '/api/v1/shares/smb/sessions'

export function Sessions() {
  const query = useQuery<Session[]>(SESSIONS, { every: 15 })
  const [closing, setClosing] = useState<Session[]>()
  const done = async () => {
    await query.reload()
    setClosing(undefined)
  }
  const nameOf = ({ username, client }: Session) => `${username} at ${client}`
  return (
    <Card title="Sessions">
      <Loaded query={query}>
        {(sessions) => (
          <Table
            label="Sessions"
            what="sessions"
            rows={sessions}
            id={({ id }) => id}
            nameOf={nameOf}
            empty="Nobody is connected."
            {...(may('operator') && {
              actions: (selected: Session[]) => (
                <Button kind="danger" onClick={() => setClosing(selected)}>
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
                          label={`Close the session of ${nameOf(session)}`}
                          onClick={() => setClosing([session])}
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
      {closing ? (
        <Several
          title={`Close ${plural(closing.length, 'session')}`}
          submit={`Close ${plural(closing.length, 'session')}`}
          done="closed"
          of={closing.map((session) => ({ id: session.id, name: nameOf(session) }))}
          each={({ id }) => call('DELETE', one('shares/smb/sessions', id))}
          onClose={done}
          onDone={done}
        >
          <p>
            The connection of the client ends, and what it has not written yet is lost. It may connect again: disable
            the share or the user to keep it out.
          </p>
        </Several>
      ) : null}
    </Card>
  )
}
