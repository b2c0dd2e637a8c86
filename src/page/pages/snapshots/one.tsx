// One snapshot: its holds and clones.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { bytes, moment } from '../../kit/format.ts'
import { Card, Facts, Page, When } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { RemoveSnapshot, RollBack } from './change.tsx'
import type { Snapshot } from './snapshot.ts'

interface Details extends Snapshot {
  guid: string
  referenced: number
  holds: string[]
  clones: string[]
}

export function OneSnapshot({ name }: { name: string }) {
  const path = one('snapshots', name)
  const query = useQuery<Details>(path)
  const [asked, setAsked] = useState<'roll back' | 'remove'>()
  const close = () => setAsked(undefined)
  const dataset = name.slice(0, name.indexOf('@'))
  const done = () => go('snapshots', dataset)
  return (
    <Page
      title={`Snapshot ${name}`}
      actions={
        may('operator') && query.data ? (
          <>
            <Button onClick={() => setAsked('roll back')}>Roll back…</Button>
            <Button kind="danger" onClick={() => setAsked('remove')}>
              Delete…
            </Button>
          </>
        ) : null
      }
    >
      <p>
        <a href={link('snapshots', dataset)}>Snapshots of {dataset}</a>
      </p>
      <Loaded query={query}>
        {({ created_at, size, referenced, holds, clones, guid }) => (
          <Card>
            <Facts
              of={[
                ['Dataset', <a href={link('datasets', dataset)}>{dataset}</a>],
                [
                  'Created',
                  <>
                    {moment(created_at)} (<When at={created_at} />)
                  </>,
                ],
                ['Unique space', bytes(size)],
                ['Referenced', bytes(referenced)],
                ['Holds', holds.length > 0 ? holds.join(', ') : 'none: it can be deleted'],
                ['Clones', clones.length > 0 ? clones.join(', ') : 'none'],
                ['ID', guid],
              ]}
            />
          </Card>
        )}
      </Loaded>
      {asked === 'roll back' && query.data ? <RollBack snapshot={query.data} onClose={close} onDone={done} /> : null}
      {asked === 'remove' ? <RemoveSnapshot name={name} onClose={close} onDone={done} /> : null}
      <Curl
        lines={[
          { path },
          ...(may('operator')
            ? [
                { method: 'POST', path: `${path}/rollback?dry_run=true` },
                { method: 'DELETE', path: `${path}?dry_run=true` },
              ]
            : []),
        ]}
      />
    </Page>
  )
}
