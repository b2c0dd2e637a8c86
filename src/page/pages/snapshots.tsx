// Snapshots: all, those of one dataset, or one (`tank/data@before`). There may be a hundred thousand: the list is
// loaded once, and only the newest matches are rendered.
import { useMemo } from 'hono/jsx/dom'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes, moment, plural, since } from '../kit/format.ts'
import { Card, Page, Table } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { RemoveSnapshot, RemoveSnapshots, RollBack, TakeSnapshot } from './snapshots/change.tsx'
import { OneSnapshot } from './snapshots/one.tsx'
import type { Snapshot } from './snapshots/snapshot.ts'
import { useFilter } from './storage/filter.tsx'

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

/** The most that one request accepts. */
const MOST = 200

function Rows({ all, onRollBack, onRemove, onRemoveSeveral }: RowsProps) {
  const newest = useMemo(
    // Snapshots of the same second keep ZFS's order, reversed.
    () => [...all].reverse().sort((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0)),
    [all],
  )
  const { shown, control } = useFilter(newest, ({ name }) => name, 'snapshots')
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  // Deselects what no longer exists, and what the filter hides, so that nothing is deleted unseen.
  const chosen = shown.filter(({ name }) => picked.has(name)).map(({ name }) => name)
  const pick = (name: string) => (on: boolean) =>
    setPicked((before) => new Set(on ? [...before, name] : [...before].filter((one) => one !== name)))
  return (
    <>
      {control}
      {may('operator') && shown.length > 1 ? (
        <div class="actions">
          <Button onClick={() => setPicked(new Set(shown.slice(0, MOST).map(({ name }) => name)))}>
            Select all shown
          </Button>
          {chosen.length > 0 ? (
            <>
              <Button onClick={() => setPicked(new Set())}>Select none</Button>
              <Button kind="danger" onClick={() => onRemoveSeveral(chosen)}>
                Delete {plural(chosen.length, 'snapshot')}…
              </Button>
            </>
          ) : null}
        </div>
      ) : null}
      <Table
        label="Snapshots"
        rows={shown}
        id={({ name }) => name}
        empty={all.length === 0 ? 'There is no snapshot yet.' : 'No snapshot matches.'}
        columns={[
          {
            title: 'Snapshot',
            cell: ({ name }) => (
              <span class="pick">
                {may('operator') && shown.length > 1 ? (
                  <Pick name={name} picked={picked.has(name)} onPick={pick(name)} />
                ) : null}
                <a href={link('snapshots', name)}>{name}</a>
              </span>
            ),
          },
          {
            title: 'Created',
            cell: ({ created_at }) => (
              <>
                {moment(created_at)} <span class="muted">{since(created_at)}</span>
              </>
            ),
          },
          { title: 'Unique space', cell: ({ size }) => bytes(size), number: true },
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
    </>
  )
}

const Pick = ({ name, picked, onPick }: { name: string; picked: boolean; onPick: (on: boolean) => void }) => (
  <input
    type="checkbox"
    aria-label={`Select ${name}`}
    checked={picked}
    onInput={(event: Event) => onPick((event.currentTarget as HTMLInputElement).checked)}
  />
)
