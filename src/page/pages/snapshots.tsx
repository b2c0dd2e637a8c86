// Snapshots: all, those of one dataset, or one (`tank/data@before`). There may be a hundred thousand: the list is
// loaded once.
import { useMemo } from 'hono/jsx/dom'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes, moment, plural, since } from '../kit/format.ts'
import { Card, Page } from '../kit/layout.tsx'
import { parts } from '../kit/order.ts'
import type { PageProps } from '../kit/page-props.ts'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { RemoveSnapshot, RollBack, TakeSnapshot } from './snapshots/change.tsx'
import { OneSnapshot } from './snapshots/one.tsx'
import { RemoveSnapshots } from './snapshots/several.tsx'
import type { Snapshot } from './snapshots/snapshot.ts'

export const Snapshots = ({ rest: [name] }: PageProps) =>
  name?.includes('@') ? <OneSnapshot name={name} /> : <List dataset={name} />

type Asked =
  | { what: 'take' }
  | { what: 'remove several'; names: string[] }
  | { what: 'roll back' | 'remove'; snapshot: Snapshot }

function List({ dataset }: { dataset: string | undefined }) {
  const path = `/api/v1/snapshots${dataset === undefined ? '' : `?dataset=${encodeURIComponent(dataset)}`}`
  const query = useQuery<Snapshot[]>(path)
  const [asked, setAsked] = useState<Asked>()
  // Also after a failure: some of them may have been deleted.
  const close = () => {
    setAsked(undefined)
    void query.reload()
  }
  const done = async () => {
    await query.reload()
    setAsked(undefined)
  }
  return (
    <Page
      title={dataset === undefined ? 'Snapshots' : `Snapshots of ${dataset}`}
      intro="A snapshot preserves the state of a dataset or volume at one moment. It uses space only for data that has changed since."
      actions={may('operator') ? <Button onClick={() => setAsked({ what: 'take' })}>Create snapshot…</Button> : null}
    >
      <p>
        {dataset === undefined ? null : (
          <>
            <a href={link('snapshots')}>All snapshots</a> · <a href={link('datasets', dataset)}>{dataset}</a> ·{' '}
          </>
        )}
        <a href={link('policies')}>Snapshot policies (schedules)</a>
      </p>
      <Loaded query={query}>
        {(all) => (
          <Card>
            <Rows
              all={all}
              onRollBack={(snapshot) => setAsked({ what: 'roll back', snapshot })}
              onRemove={(snapshot) => setAsked({ what: 'remove', snapshot })}
              onRemoveSeveral={(names) => setAsked({ what: 'remove several', names })}
            />
          </Card>
        )}
      </Loaded>
      {asked?.what === 'take' ? <TakeSnapshot dataset={dataset ?? ''} onClose={close} onDone={done} /> : null}
      {asked?.what === 'roll back' ? <RollBack snapshot={asked.snapshot} onClose={close} onDone={done} /> : null}
      {asked?.what === 'remove several' ? <RemoveSnapshots names={asked.names} onClose={close} onDone={done} /> : null}
      {asked?.what === 'remove' ? <RemoveSnapshot name={asked.snapshot.name} onClose={close} onDone={done} /> : null}
      <Curl
        lines={[
          { path },
          ...(may('operator')
            ? [{ method: 'POST', path: '/api/v1/snapshots', json: { dataset: dataset ?? 'tank/data', name: 'before' } }]
            : []),
        ]}
      />
    </Page>
  )
}

interface RowsProps {
  all: Snapshot[]
  onRollBack: (snapshot: Snapshot) => void
  onRemove: (snapshot: Snapshot) => void
  onRemoveSeveral: (names: string[]) => void
}

function Rows({ all, onRollBack, onRemove, onRemoveSeveral }: RowsProps) {
  // Snapshots of the same second keep ZFS's order, reversed.
  const rows = useMemo(() => [...all].reverse(), [all])
  return (
    <Table
      label="Snapshots"
      what="snapshots"
      rows={rows}
      id={({ name }) => name}
      empty="There is no snapshot yet."
      order={{ title: 'Created', down: true }}
      text={({ name }) => name}
      {...(may('operator') && {
        actions: (selected: Snapshot[]) => (
          <Button kind="danger" onClick={() => onRemoveSeveral(selected.map(({ name }) => name))}>
            Delete {plural(selected.length, 'snapshot')}…
          </Button>
        ),
      })}
      columns={[
        {
          title: 'Snapshot',
          by: ({ name }) => parts(name),
          cell: ({ name }) => <a href={link('snapshots', name)}>{name}</a>,
        },
        {
          title: 'Created',
          by: ({ created_at }) => Date.parse(created_at),
          cell: ({ created_at }) => (
            <>
              {moment(created_at)} <span class="muted">{since(created_at)}</span>
            </>
          ),
        },
        { title: 'Unique space', by: ({ size }) => size, cell: ({ size }) => bytes(size), number: true },
        ...(may('operator')
          ? [
              {
                title: 'Actions',
                cell: (snapshot: Snapshot) => (
                  <div class="actions">
                    <Button label={`Roll back to ${snapshot.name}`} onClick={() => onRollBack(snapshot)}>
                      Roll back…
                    </Button>
                    <Button label={`Delete ${snapshot.name}`} kind="danger" onClick={() => onRemove(snapshot)}>
                      Delete…
                    </Button>
                  </div>
                ),
              },
            ]
          : []),
      ]}
    />
  )
}
