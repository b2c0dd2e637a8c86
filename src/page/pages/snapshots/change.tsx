// Creates, rolls back to and deletes snapshots.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { moment, plural } from '../../kit/format.ts'
import { useAction } from '../../query.ts'
import { one } from '../storage/api-types.ts'
import { Destroy } from '../storage/destroy.tsx'
import { DatasetField } from '../storage/pickers.tsx'

export interface Props {
  onClose: () => void
  onDone: () => unknown
}

/** `manual-20261121-1405`, in UTC as in policy snapshots. */
export const proposed = () => `manual-${new Date().toISOString().slice(0, 16).replace(/[-:]/g, '').replace('T', '-')}`

export function TakeSnapshot({ dataset: first, onClose, onDone }: Props & { dataset: string }) {
  const [dataset, setDataset] = useState(first)
  const [name, setName] = useState(proposed)
  const json = { dataset, name }
  const action = useAction(async () => {
    await call('POST', '/api/v1/snapshots', { json })
    await onDone()
  })
  return (
    <Dialog title="Create a snapshot" onClose={onClose}>
      <Form action={action} submit="Create snapshot" cancel={onClose}>
        <DatasetField label="Dataset" name="dataset" value={dataset} onValue={setDataset} required />
        <Field label="Name" name="name" value={name} onValue={setName} required />
      </Form>
      <Curl lines={[{ method: 'POST', path: '/api/v1/snapshots', json }]} />
    </Dialog>
  )
}

export function RollBack({
  snapshot: { name, dataset, created_at },
  onClose,
  onDone,
}: Props & { snapshot: { name: string; dataset: string; created_at: string } }) {
  return (
    <Destroy
      title={`Roll back ${dataset}`}
      submit={`Roll back to ${moment(created_at)}`}
      name={name}
      method="POST"
      path={`${one('snapshots', name)}/rollback`}
      recursive
      job="snapshot.rollback"
      onClose={onClose}
      onDone={onDone}
    >
      {({ destroys }) => (
        <>
          <p>
            {dataset} becomes what it was at {moment(created_at)}. Everything that was written to it since is lost.
          </p>
          <p>
            {destroys.length === 0
              ? 'It is the newest snapshot: no other is lost.'
              : `${plural(destroys.length, 'newer snapshot is', 'newer snapshots are')} lost as well:`}
          </p>
        </>
      )}
    </Destroy>
  )
}

export const RemoveSnapshot = ({ name, onClose, onDone }: Props & { name: string }) => (
  <Destroy
    title="Delete snapshot"
    submit="Delete snapshot"
    path={one('snapshots', name)}
    job="snapshot.destroy"
    onClose={onClose}
    onDone={onDone}
  >
    {() => <p>The dataset is not changed. Data that only this snapshot holds is lost:</p>}
  </Destroy>
)
