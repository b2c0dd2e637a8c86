// iSCSI targets: volumes that other machines use as disks.

import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { plural } from '../kit/format.ts'
import { Card, Page } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { go, link } from '../router.ts'
import { may } from '../session.ts'
import { TargetDialog } from './iscsi/form.tsx'
import { OneTarget } from './iscsi/one.tsx'
import { IscsiSessions, sessionsPath } from './iscsi/sessions.tsx'
import type { Target } from './iscsi/types.ts'
import { Enabled } from './storage/row-actions.tsx'

const COLLECTION = '/api/v1/iscsi/targets'

export const IscsiTargets = ({ rest: [id] }: PageProps) => (id === undefined ? <List /> : <OneTarget id={id} />)

function List() {
  const query = useQuery<Target[]>(COLLECTION, { every: 30 })
  const [making, setMaking] = useState(false)
  return (
    <Page
      title="iSCSI targets"
      intro="A target presents volumes to other machines as disks (LUNs). Only one machine at a time may use a volume."
      actions={may('operator') ? <Button onClick={() => setMaking(true)}>Create target…</Button> : null}
    >
      <Loaded query={query}>
        {(targets) => (
          <Card>
            <Table
              label="iSCSI targets"
              what="targets"
              text={({ iqn, luns, initiators }) => [iqn, ...luns.map(({ zvol }) => zvol), ...initiators].join(' ')}
              rows={targets}
              id={({ id }) => id}
              empty="There is no target yet."
              columns={[
                { title: 'Target', by: ({ iqn }) => iqn, cell: ({ id, iqn }) => <a href={link('iscsi', id)}>{iqn}</a> },
                { title: 'State', by: ({ enabled }) => enabled, cell: ({ enabled }) => <Enabled on={enabled} /> },
                {
                  title: 'Volumes',
                  by: ({ luns }) => luns.map(({ zvol }) => zvol).join(', '),
                  cell: ({ luns }) => luns.map(({ zvol }) => zvol).join(', ') || 'none',
                },
                {
                  title: 'Allowed initiators',
                  by: ({ initiators }) => initiators.length,
                  cell: ({ initiators, chap, mutual_chap: mutual, note }) =>
                    note ??
                    `${plural(initiators.length, 'initiator')}${chap ? `, with ${mutual ? 'mutual ' : ''}CHAP` : ''}`,
                },
                {
                  title: 'Sessions',
                  by: ({ sessions }) => sessions.length,
                  cell: ({ sessions }) => sessions.length,
                  number: true,
                },
              ]}
            />
          </Card>
        )}
      </Loaded>
      <IscsiSessions />
      {making ? (
        <TargetDialog target={undefined} onClose={() => setMaking(false)} onDone={(made) => go('iscsi', made.id)} />
      ) : null}
      <Curl lines={[{ path: COLLECTION }, { path: sessionsPath() }]} />
    </Page>
  )
}
