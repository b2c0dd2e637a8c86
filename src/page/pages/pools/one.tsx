// One pool: its state and devices, scrub and trim, properties; export and destroy.
import { request } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Badge, Card, Cards, Facts, Meter, Page, Stack, When } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { Destroy } from '../storage/destroy.tsx'
import { JobView, leaving, UnderWay, useWork } from '../storage/work.tsx'
import { Attention } from './attention.tsx'
import { type Asked, DiskButtons, DiskDialog } from './disk-actions.tsx'
import { PropertiesCard } from './properties.tsx'
import { ScheduleCard } from './schedule.tsx'
import { ScrubCard } from './scrub.tsx'
import { TrimCard } from './trim.tsx'
import { isDamaged, type PoolDetails, roomOf, toneOf, type Vdev } from './types.ts'
import { VdevButtons, VdevDialog } from './vdev-dialogs.tsx'
import { Vdevs } from './vdevs.tsx'

export function OnePool({ name }: { name: string }) {
  const path = one('pools', name)
  const [asked, setAsked] = useState<'export' | 'destroy'>()
  // Stop refreshing while the pool is being exported or destroyed: a refresh would report it missing before the page
  // changes.
  const [rebuilding, setRebuilding] = useState(false)
  const query = useQuery<PoolDetails>(path, asked ? {} : { every: rebuilding ? 2 : 10 })
  const { scan, removal, expansion } = query.data ?? {}
  const works =
    (scan?.kind === 'resilver' && scan.status === 'running') ||
    [removal, expansion].some((work) => work?.status === 'running')
  useEffect(() => setRebuilding(works), [works])
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
      <Loaded query={query}>
        {(pool) => <Sections pool={pool} still={asked !== undefined} reload={() => void query.reload()} />}
      </Loaded>
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
                { method: 'POST', path: `${path}/replace`, json: { device: 'DEVICE', disk: 'FREE-DISK' } },
                { method: 'POST', path: `${path}/offline`, json: { device: 'DEVICE' } },
                { method: 'POST', path: `${path}/online`, json: { device: 'DEVICE' } },
                { method: 'POST', path: `${path}/detach?dry_run=true`, json: { device: 'DEVICE' } },
                { method: 'POST', path: `${path}/clear`, json: {} },
                { method: 'POST', path: `${path}/attach?dry_run=true`, json: { device: 'DEVICE', disk: 'FREE-DISK' } },
                { method: 'POST', path: `${path}/remove?dry_run=true`, json: { device: 'VDEV' } },
                { method: 'POST', path: `${path}/trim`, json: { action: 'start' } },
                { method: 'POST', path: `${path}/upgrade?dry_run=true` },
                { method: 'PATCH', path, json: { options: { autoreplace: 'on' } } },
                { method: 'POST', path: `${path}/export` },
                { method: 'DELETE', path: `${path}?dry_run=true` },
              ]
            : []),
        ]}
      />
    </Page>
  )
}

function Sections({ pool, still, reload }: { pool: PoolDetails; still: boolean; reload: () => void }) {
  const { name, health, errors, size, allocated, free, created_at, guid, vdevs, options } = pool
  const [asked, setAsked] = useState<Asked>()
  const room = roomOf(pool)
  const damaged = isDamaged(pool)
  const tone = damaged ? 'error' : toneOf(health)
  const groups = groupsOf(vdevs)
  return (
    <Stack>
      <Attention pool={pool} ask={setAsked} />
      {asked ? (
        <AskedDialog
          key={`${asked.verb} ${asked.vdev.guid ?? asked.vdev.name}`}
          pool={pool}
          asked={asked}
          onClose={() => {
            setAsked(undefined)
            reload()
          }}
        />
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
        <TrimCard name={name} still={still} />
        <ScheduleCard name={name} />
        <Card
          title="Devices"
          wide
          actions={
            may('operator') ? (
              <a class="button" href={link('pools', name, '-add')}>
                Add disks
              </a>
            ) : null
          }
        >
          <Vdevs
            of={vdevs}
            label={`Devices of ${name}`}
            actions={
              may('operator')
                ? (vdev) => {
                    const group = groups.get(vdev.guid ?? vdev.name)
                    return (
                      <>
                        <DiskButtons vdev={vdev} group={group} ask={setAsked} />
                        {group ? null : <VdevButtons vdev={vdev} all={vdevs} ask={setAsked} />}
                      </>
                    )
                  }
                : undefined
            }
          />
        </Card>
        <PropertiesCard name={name} options={options} reload={reload} />
      </Cards>
    </Stack>
  )
}

const AskedDialog = ({ pool, asked, onClose }: { pool: PoolDetails; asked: Asked; onClose: () => void }) => {
  const { verb, vdev, as } = asked
  return verb === 'attach' || verb === 'remove' ? (
    <VdevDialog pool={pool.name} asked={asked} onClose={onClose} />
  ) : (
    <DiskDialog pool={pool} verb={verb} vdev={vdev} as={as} onClose={onClose} />
  )
}

/** The group that each device is in, by its number. */
const groupsOf = (vdevs: readonly Vdev[], found = new Map<string, Vdev>()): Map<string, Vdev> => {
  for (const group of vdevs)
    for (const vdev of group.children ?? []) {
      found.set(vdev.guid ?? vdev.name, group)
      groupsOf([vdev], found)
    }
  return found
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
