// Pools on the disks of this machine that are not imported: from another machine, or exported here.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Check, Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Badge, Card, Empty, Note, Page } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { JobView, UnderWay, useWork } from '../storage/work.tsx'
import { type Available, toneOf } from './types.ts'
import { Vdevs } from './vdevs.tsx'

type Found = Available['pools'][number]

export function ImportPools() {
  const query = useQuery<Available>('/api/v1/pools/available')
  const [chosen, setChosen] = useState<Found>()
  return (
    <Page
      title="Import pool"
      intro="Pools on the disks of this machine that are not imported."
      actions={<Button onClick={() => void query.reload()}>Rescan</Button>}
    >
      <p>
        <a href={link('pools')}>All pools</a>
      </p>
      <Loaded query={query}>
        {({ pools }) =>
          pools.length === 0 ? (
            <Card>
              <Empty>No pool to import was found.</Empty>
            </Card>
          ) : (
            pools.map((pool) => (
              <Card
                key={pool.id}
                title={pool.name}
                actions={may('operator') ? <Button onClick={() => setChosen(pool)}>Import…</Button> : null}
              >
                <p>
                  <Badge tone={toneOf(pool.state)}>{pool.state}</Badge> <span class="muted">ID {pool.id}</span>
                </p>
                {pool.problem ? <Note tone="warning">{pool.problem}</Note> : null}
                <Vdevs of={pool.vdevs} label={`Devices of ${pool.name}`} />
              </Card>
            ))
          )
        }
      </Loaded>
      {chosen ? <Import pool={chosen} onClose={() => setChosen(undefined)} /> : null}
      <Curl
        lines={[
          { path: '/api/v1/pools/available' },
          { method: 'POST', path: '/api/v1/pools/import', json: { id: chosen?.id ?? 'ID' } },
        ]}
      />
    </Page>
  )
}

function Import({ pool: { id, name }, onClose }: { pool: Found; onClose: () => void }) {
  const [newName, setNewName] = useState('')
  const [force, setForce] = useState(false)
  const json = { id, ...(newName && { new_name: newName }), ...(force && { force }) }
  const work = useWork(
    () => request('POST', '/api/v1/pools/import', { json }),
    () => go('pools', newName || name),
  )
  return (
    <Dialog title={`Import pool ${name}`} onClose={onClose}>
      {work.job ? (
        <JobView job={work.job} ended={work.ended} close={onClose} />
      ) : (
        <Form action={work.action} submit="Import pool" cancel={onClose}>
          <Field
            label="New name"
            name="new_name"
            value={newName}
            onValue={setNewName}
            hint={`Leave empty to keep ${name}`}
          />
          <Check
            label="Import even if another machine used it last (force)"
            hint="Only when that machine is off or has lost the disks: two machines that write to one pool destroy it."
            checked={force}
            onChecked={setForce}
          />
          <UnderWay busy={work.action.busy} type="pool.import" />
        </Form>
      )}
    </Dialog>
  )
}
