// The LUNs of a target. A LUN keeps its number as long as it exists.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Confirm } from '../../kit/dialog.tsx'
import { Check } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Card } from '../../kit/layout.tsx'
import { parts } from '../../kit/order.ts'
import { Table } from '../../kit/table.tsx'
import { useAction } from '../../query.ts'
import { link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { DatasetField } from '../storage/pickers.tsx'
import type { Lun, Target } from './types.ts'

export function Luns({ target, reload }: { target: Target; reload: () => Promise<void> }) {
  const [removed, setRemoved] = useState<Lun>()
  const mine = may('operator') && target.managed
  return (
    <Card title="LUNs" wide>
      <Table
        label="LUNs of the target"
        what="LUNs"
        rows={target.luns}
        id={({ id }) => String(id)}
        empty="No volume is mapped yet."
        columns={[
          { title: 'LUN', by: ({ id }) => id, cell: ({ id }) => id },
          {
            title: 'Volume',
            by: ({ zvol }) => parts(zvol),
            cell: ({ zvol, backend }) => (backend === 'zvol' ? <a href={link('datasets', zvol)}>{zvol}</a> : zvol),
          },
          {
            title: 'Size',
            by: ({ size }) => size,
            cell: ({ size }) => (size === undefined ? '' : bytes(size)),
            number: true,
          },
          ...(mine
            ? [
                {
                  title: 'Actions',
                  cell: (lun: Lun) => (
                    <Button kind="danger" label={`Unmap LUN ${lun.id}, ${lun.zvol}`} onClick={() => setRemoved(lun)}>
                      Unmap…
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
      />
      {mine ? <AddLun target={target} reload={reload} /> : null}
      {removed ? (
        <RemoveLun
          target={target}
          lun={removed}
          onClose={() => setRemoved(undefined)}
          onDone={async () => {
            await reload()
            setRemoved(undefined)
          }}
        />
      ) : null}
    </Card>
  )
}

function AddLun({ target: { id, luns }, reload }: { target: Target; reload: () => Promise<void> }) {
  const [zvol, setZvol] = useState('')
  const action = useAction(async () => {
    await call('POST', `${one('iscsi/targets', id)}/luns`, { json: { zvol } })
    await reload()
    setZvol('')
  })
  const taken = luns.map((lun) => lun.zvol)
  return (
    <Form action={action} submit="Map LUN">
      <DatasetField
        label="Volume to map as a LUN"
        name="zvol"
        required
        type="volume"
        value={zvol}
        onValue={setZvol}
        fits={({ name }) => !taken.includes(name)}
      />
    </Form>
  )
}

function RemoveLun({
  target: { id, sessions },
  lun,
  onClose,
  onDone,
}: {
  target: Target
  lun: Lun
  onClose: () => void
  onDone: () => Promise<void>
}) {
  const [force, setForce] = useState(false)
  const action = useAction(async () => {
    const query = force ? '?force=true' : ''
    await call('POST', `${one('iscsi/targets', id)}/luns/remove${query}`, { json: { lun_id: lun.id } })
    await onDone()
  })
  return (
    <Confirm title={`Unmap LUN ${lun.id}`} submit="Unmap LUN" action={action} onClose={onClose}>
      <p>{lun.zvol} will no longer be mapped by this target. Its data is kept.</p>
      <Force sessions={sessions} force={force} onForce={setForce} />
    </Confirm>
  )
}

/** A separate check box, because initiators lose data that they have not written yet. */
export function Force({
  sessions,
  force,
  onForce,
}: {
  sessions: string[]
  force: boolean
  onForce: (force: boolean) => void
}) {
  if (sessions.length === 0) return null
  return (
    <Check
      label="Even while initiators are logged in"
      hint={`Data that they have not written yet is lost: ${sessions.join(', ')}`}
      checked={force}
      onChecked={onForce}
    />
  )
}
