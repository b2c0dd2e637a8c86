// The form for a new dataset or volume.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Card, Page } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { go, link } from '../../router.ts'
import { DatasetField } from '../storage/pickers.tsx'
import { PropertyFields } from './fields.tsx'
import { changes, type Values } from './properties.ts'

type Kind = 'filesystem' | 'volume'
const NONE: Values = { fields: {}, others: '' }

export function CreateDataset({ parent: first }: { parent: string }) {
  const [kind, setKind] = useState<Kind>('filesystem')
  const [parent, setParent] = useState(first)
  const [label, setLabel] = useState('')
  const [size, setSize] = useState('')
  const [sparse, setSparse] = useState(false)
  const [values, setValues] = useState(NONE)
  const name = `${parent}/${label}`
  const options = { ...changes(NONE, values), ...(kind === 'volume' && sparse && { refreservation: 'none' }) }
  const json = {
    name,
    ...(kind === 'volume' && { size }),
    ...(Object.keys(options).length > 0 && { options }),
  }
  const path = kind === 'volume' ? '/api/v1/zvols' : '/api/v1/datasets'
  const action = useAction(async () => {
    await call('POST', path, { json })
    go('datasets', name)
  })
  return (
    <Page title="Create a dataset or volume">
      <p>
        <a href={link('datasets')}>All datasets and volumes</a>
      </p>
      <Card>
        <Form
          action={action}
          submit={kind === 'volume' ? 'Create volume' : 'Create dataset'}
          cancel={() => history.back()}
        >
          <Select
            label="Type"
            value={kind}
            onValue={(value) => {
              setKind(value as Kind)
              setValues(NONE)
            }}
            options={[
              ['filesystem', 'Dataset: a file system, for SMB and NFS'],
              ['volume', 'Volume: a disk, for iSCSI'],
            ]}
          />
          <DatasetField label="Parent" type="filesystem" value={parent} onValue={setParent} required pools />
          <Field
            label="Name"
            name="name"
            value={label}
            onValue={setLabel}
            required
            hint={parent && label ? `Full name: ${name}` : 'Such as data'}
          />
          {kind === 'volume' ? (
            <>
              <Field
                label="Size"
                name="size"
                value={size}
                onValue={setSize}
                required
                hint="Such as 10G; it can grow later"
              />
              <Check
                label="Thin provisioning (sparse)"
                name="options.refreservation"
                hint="Space is allocated only as data is written. If the pool fills up first, writes to the volume fail."
                checked={sparse}
                onChecked={setSparse}
              />
            </>
          ) : null}
          <PropertyFields key={kind} kind={kind} values={values} onValues={setValues} isNew />
        </Form>
      </Card>
      <Curl lines={[{ method: 'POST', path, json }]} />
    </Page>
  )
}
