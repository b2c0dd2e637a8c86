// Who is logged in to the iSCSI targets, or to one of them.
import { Loaded } from '../../kit/failure.tsx'
import { Badge, Card, type Tone } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { useQuery } from '../../query.ts'
import { link } from '../../router.ts'
import type { Lun } from './types.ts'

interface Session {
  target: string
  iqn: string
  initiator: string
  alias?: string
  addresses: string[]
  portal?: string
  state: 'logged-in' | 'failed' | 'unknown'
  luns: Lun[]
}

const STATES: Readonly<Record<Session['state'], [Tone, string]>> = {
  'logged-in': ['ok', 'logged in'],
  failed: ['warning', 'connection lost'],
  unknown: ['quiet', 'unknown'],
}

export const sessionsPath = (target?: string) =>
  `/api/v1/iscsi/sessions${target === undefined ? '' : `?target=${encodeURIComponent(target)}`}`

const volumesOf = ({ luns }: Session) => luns.map(({ id, zvol }) => `LUN ${id}: ${zvol}`).join(', ')

/** `target`: the ID of one. */
export function IscsiSessions({ target }: { target?: string }) {
  const query = useQuery<Session[]>(sessionsPath(target), { every: 15 })
  return (
    <Card title="Sessions" wide>
      <Loaded query={query}>
        {(sessions) => (
          <Table
            label="Sessions"
            what="sessions"
            rows={sessions}
            id={({ target: of, initiator }) => `${of} ${initiator}`}
            empty="No initiator is logged in."
            columns={[
              {
                title: 'Initiator',
                by: ({ initiator }) => initiator,
                cell: ({ initiator, alias }) => (
                  <>
                    {initiator} {alias ? <span class="muted">{alias}</span> : null}
                  </>
                ),
              },
              ...(target === undefined
                ? [
                    {
                      title: 'Target',
                      by: ({ iqn }: Session) => iqn,
                      cell: ({ target: of, iqn }: Session) => <a href={link('iscsi', of)}>{iqn}</a>,
                    },
                  ]
                : []),
              {
                title: 'Address',
                by: ({ addresses }) => addresses.join(', '),
                cell: ({ addresses }) => addresses.join(', ') || '–',
              },
              {
                title: 'State',
                by: ({ state }) => STATES[state][1],
                cell: ({ state }) => <Badge tone={STATES[state][0]}>{STATES[state][1]}</Badge>,
              },
              { title: 'Volumes', by: volumesOf, cell: (session) => volumesOf(session) || 'none' },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
