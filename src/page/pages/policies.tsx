// Snapshot policies: which snapshots are scheduled, and how many are kept.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Confirm } from '../kit/dialog.tsx'
import { Loaded } from '../kit/failure.tsx'
import { moment } from '../kit/format.ts'
import { Badge, Card, Page, When } from '../kit/layout.tsx'
import { parts } from '../kit/order.ts'
import { Table } from '../kit/table.tsx'
import { useAction, useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { kept, nextDue, type Policy } from './snapshots/policy.ts'
import { PolicyDialog } from './snapshots/policy-form.tsx'
import { one } from './storage/api-types.ts'

export function Policies() {
  const query = useQuery<Policy[]>('/api/v1/snapshot-policies', { every: 60 })
  const [edited, setEdited] = useState<Policy | 'new'>()
  const [removed, setRemoved] = useState<string>()
  const remove = useAction(async () => {
    await call('DELETE', one('snapshot-policies', removed ?? ''))
    await query.reload()
    setRemoved(undefined)
  })
  const saved = async () => {
    await query.reload()
    setEdited(undefined)
  }
  return (
    <Page
      title="Snapshot policies"
      intro="A policy creates snapshots of a dataset on a schedule and deletes its oldest ones. All times are UTC."
      actions={may('operator') ? <Button onClick={() => setEdited('new')}>Create policy…</Button> : null}
    >
      <Loaded query={query}>
        {(policies) => (
          <Card>
            <Table
              label="Snapshot policies"
              what="policies"
              rows={policies}
              id={({ dataset }) => dataset}
              empty="There is no policy yet: no snapshots are scheduled."
              columns={[
                {
                  title: 'Dataset',
                  by: ({ dataset }) => parts(dataset),
                  cell: ({ dataset }) => <a href={link('snapshots', dataset)}>{dataset}</a>,
                },
                { title: 'Keeps', cell: kept },
                { title: 'Creates', by: ({ autosnap }) => autosnap, cell: ({ autosnap }) => <Switch on={autosnap} /> },
                {
                  title: 'Deletes',
                  by: ({ autoprune }) => autoprune,
                  cell: ({ autoprune }) => <Switch on={autoprune} />,
                },
                {
                  title: 'Next snapshot',
                  by: (policy) => nextDue(policy, Date.now())?.at,
                  cell: (policy) => <Next policy={policy} />,
                },
                ...(may('operator')
                  ? [
                      {
                        title: 'Actions',
                        cell: (policy: Policy) => (
                          <div class="actions">
                            <Button label={`Edit the policy of ${policy.dataset}`} onClick={() => setEdited(policy)}>
                              Edit…
                            </Button>
                            <Button
                              label={`Delete the policy of ${policy.dataset}`}
                              kind="danger"
                              onClick={() => setRemoved(policy.dataset)}
                            >
                              Delete…
                            </Button>
                          </div>
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
        <PolicyDialog
          dataset={edited === 'new' ? undefined : edited.dataset}
          onClose={() => setEdited(undefined)}
          onDone={saved}
        />
      ) : null}
      {removed === undefined ? null : (
        <Confirm
          title={`Delete the policy of ${removed}`}
          submit="Delete policy"
          action={remove}
          onClose={() => setRemoved(undefined)}
        >
          <p>It creates and deletes no more snapshots. Its existing snapshots stay until you delete them.</p>
        </Confirm>
      )}
      <Curl
        lines={[
          { path: '/api/v1/snapshot-policies' },
          { path: `${one('snapshot-policies', 'tank/data')}/preview?hourly=24&daily=7` },
        ]}
      />
    </Page>
  )
}

const Switch = ({ on }: { on: boolean }) => <Badge tone={on ? 'ok' : 'quiet'}>{on ? 'yes' : 'no'}</Badge>

function Next({ policy }: { policy: Policy }) {
  const due = nextDue(policy, Date.now())
  if (!due) return 'none'
  return (
    <span title={moment(due.at)}>
      {due.type} <When at={due.at} />
    </span>
  )
}
