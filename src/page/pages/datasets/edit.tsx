// Edits properties of a dataset or volume, and a volume's size. Sent with If-Match, so that only the version that was
// shown is changed.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { type DatasetDetails, exactSize, ifMatch, one } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { PropertyFields } from './fields.tsx'
import { changes, valuesOf } from './properties.ts'

interface Ends {
  onClose: () => void
  onDone: () => unknown
}

export const EditDataset = ({ name, onClose, onDone }: Ends & { name: string }) => (
  <EditDialog<DatasetDetails> title={`Edit ${name}`} path={one('datasets', name)} onClose={onClose}>
    {(dataset, etag) => dataset && <EditForm dataset={dataset} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function EditForm({
  dataset: { name, type, size, options },
  etag,
  onClose,
  onDone,
}: Ends & { dataset: DatasetDetails; etag: string | undefined }) {
  const before = { values: valuesOf(type, options), size: exactSize(String(size)) }
  const [values, setValues] = useState(before.values)
  const [wanted, setWanted] = useState(before.size)
  const changed = changes(before.values, values)
  const grows = type === 'volume' && wanted !== before.size
  const action = useAction(async () => {
    const json = { options: changed, ...(grows && { size: wanted }) }
    await call('PUT', one(type === 'volume' ? 'zvols' : 'datasets', name), { json, ...ifMatch(etag) })
    await onDone()
  })
  return (
    <Form
      action={action}
      submit="Save"
      cancel={onClose}
      why={grows || Object.keys(changed).length > 0 ? undefined : 'Nothing has been changed yet.'}
    >
      {type === 'volume' ? (
        <Field
          label="Size"
          name="size"
          value={wanted}
          onValue={setWanted}
          hint={`Currently ${before.size}. It can only grow; initiators have to rescan their disks.`}
        />
      ) : null}
      <PropertyFields kind={type} values={values} onValues={setValues} />
    </Form>
  )
}
