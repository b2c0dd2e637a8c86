// One pool: its state, devices and scrub; export and destroy.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Badge, Card, Cards, Facts, Meter, Note, Page, Progress, When } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { Destroy } from '../storage/destroy.tsx'
import { JobView, leaving, UnderWay, useWork } from '../storage/work.tsx'
import { ScrubCard } from './scrub.tsx'
import { isDamaged, type PoolDetails, roomOf, toneOf } from './types.ts'
import { Vdevs } from './vdevs.tsx'

export function OnePool({ name }: { name: string }) {
  const path = one('pools', name)
  const [asked, setAsked] = useState<'export' | 'destroy'>()
  // Stop refreshing while the pool is being exported or destroyed: a refresh would report it missing before the page
  // changes.
  const query = useQuery<PoolDetails>(path, asked ? {} : { every: 10 })
  const close = () => setAsked(undefined)
  const gone = () => go('pools')
  const actions =
    may('operator') && query.data ? (
      <>
        <Button onClick={() => setAsked('export')}>Export…</Button>
        <Button kind="danger" onClick={() => setAsked('destroy')}>
          Destroy…
        </Button>
      </>
    ) : null
  return (
    <Page title={`Pool ${name}`} actions={actions}>
      <p>
        <a href={link('pools')}>All pools</a> · <a href={link('datasets')}>Datasets</a> ·{' '}
        <a href={link('snapshots')}>Snapshots</a>
      </p>
      <Loaded query={query}>{(pool) => <Sections pool={pool} still={asked !== undefined} />}</Loaded>
      {asked === 'export' ? <Export name={name} onClose={close} onDone={gone} /> : null}
      {asked === 'destroy' ? (
        <Destroy
          title={`Destroy pool ${name}`}
          submit="Destroy pool"
          name={name}
          path={path}
          job="pool.destroy"
          onClose={close}
          onDone={gone}
        >
          {() => <p>All data in the pool is lost. This will be destroyed:</p>}
        </Destroy>
      ) : null}
      <Curl
        lines={[
          { path },
          { path: `${path}/scrub` },
          ...(may('operator')
            ? [
                { method: 'POST', path: `${path}/scrub` },
                { method: 'POST', path: `${path}/export` },
                { method: 'DELETE', path: `${path}?dry_run=true` },
              ]
            : []),
        ]}
      />
    </Page>
  )
}

function Sections({ pool, still }: { pool: PoolDetails; still: boolean }) {
  const { name, health, problem, errors, size, allocated, free, created_at, guid, vdevs, scan, options } = pool
  const room = roomOf(pool)
  const damaged = isDamaged(pool)
  const tone = damaged ? 'error' : toneOf(health)
  const resilver = scan?.kind === 'resilver' ? scan : undefined
  return (
    <>
      {problem || damaged ? (
        <Note tone={tone} title={`The pool is ${health}${damaged ? ', and data in it is damaged' : ''}`}>
          <span>{problem ?? errors}</span>
        </Note>
      ) : null}
      {resilver && resilver.status === 'running' ? (
        <Note tone="busy" title="A disk is being rebuilt (resilver)">
          <Progress value={resilver.progress} label="Resilver" />
        </Note>
      ) : null}
      <Cards halves>
        <Card title="State">
          <Facts
            of={[
              ['State', <Badge tone={tone}>{health}</Badge>],
              ['Used', <Meter value={room.size - room.free} max={room.size} label="Used" />],
              ['Free', `${bytes(room.free)} of ${bytes(room.size)}`],
              [
                'Raw',
                room.isRaw ? undefined : `${bytes(allocated)} used, ${bytes(free)} free of ${bytes(size)}, with parity`,
              ],
              ['Data', damaged ? <Badge tone="error">{errors}</Badge> : errors],
              ['Created', created_at ? <When at={created_at} /> : undefined],
              ['ID', guid],
            ]}
          />
        </Card>
        <ScrubCard name={name} still={still} />
        <Card title="Devices" wide>
          <Vdevs of={vdevs} label={`Devices of ${name}`} />
        </Card>
        {Object.keys(options).length > 0 ? (
          <Card title="Local properties">
            <Facts of={Object.entries(options)} />
          </Card>
        ) : null}
      </Cards>
    </>
  )
}

function Export({ name, onClose, onDone }: { name: string; onClose: () => void; onDone: () => void }) {
  const work = useWork(() => request('POST', `${one('pools', name)}/export`), onDone)
  return (
    <Dialog title={`Export pool ${name}`} onClose={onClose}>
      {work.job ? (
        <JobView job={work.job} ended={work.ended} close={onClose} />
      ) : (
        <Form action={work.action} submit="Export pool" kind="danger" cancel={onClose} leave={leaving(work)}>
          <p>
            The pool is detached from this appliance, so that its disks can be moved to another machine. No data is
            lost, and the pool can be imported again. Export is refused while anything in the pool is shared.
          </p>
          <UnderWay busy={work.action.busy} type="pool.export" />
        </Form>
      )}
    </Dialog>
  )
}
