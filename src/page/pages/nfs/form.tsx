// Creates or edits an export. An export without clients would be open to everyone, so `*` has to be written.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { ifMatch, one, words } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { DatasetField } from '../storage/pickers.tsx'

export interface Export {
  id: string
  path: string
  dataset?: string
  clients: string[]
  read_only: boolean
  root_squash: boolean
  enabled: boolean
  managed: boolean
}

interface Ends {
  onClose: () => void
  onDone: () => unknown
}

export const ExportDialog = ({ of, onClose, onDone }: Ends & { of: Export | undefined }) => (
  <EditDialog<Export>
    title={of ? `Edit the export of ${of.path}` : 'Create an NFS export'}
    path={of && one('exports/nfs', of.id)}
    onClose={onClose}
  >
    {(before, etag) => <ExportForm before={before} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function ExportForm({
  before,
  etag,
  onClose,
  onDone,
}: Ends & { before: Export | undefined; etag: string | undefined }) {
  const [dataset, setDataset] = useState('')
  const [path, setPath] = useState('')
  const [clients, setClients] = useState(before?.clients.join('\n') ?? '')
  const [readOnly, setReadOnly] = useState(before?.read_only ?? false)
  const [squash, setSquash] = useState(before?.root_squash ?? true)
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const settings = { clients: words(clients), read_only: readOnly, root_squash: squash }
  const line = before
    ? { method: 'PUT', path: one('exports/nfs', before.id), json: { ...settings, enabled } }
    : { method: 'POST', path: '/api/v1/exports/nfs', json: { dataset, ...(path && { path }), ...settings } }
  const action = useAction(async () => {
    await call(line.method, line.path, { json: line.json, ...ifMatch(etag) })
    await onDone()
  })
  return (
    <>
      <Form action={action} submit={before ? 'Save' : 'Create export'} cancel={onClose}>
        {before ? null : (
          <>
            <DatasetField
              label="Dataset"
              type="filesystem"
              name="dataset"
              value={dataset}
              onValue={setDataset}
              required
            />
            <Field
              label="Folder"
              name="path"
              value={path}
              onValue={setPath}
              hint="Leave empty for the whole dataset, or enter a folder in it, such as /tank/data/music"
            />
          </>
        )}
        <TextArea
          label="Allowed clients"
          hint="One address, network such as 192.168.1.0/24, host name or @netgroup per line; * allows everyone"
          rows={3}
          name="clients"
          required
          part={(at) => words(clients)[Number(at)] ?? at}
          value={clients}
          onValue={setClients}
        />
        <Check label="Read-only" checked={readOnly} onChecked={setReadOnly} />
        <Check
          label="Map root of clients to nobody (root squash)"
          hint="When this is off, root on a client has root access to these files."
          checked={squash}
          onChecked={setSquash}
        />
        {before ? <Check label="Enabled" checked={enabled} onChecked={setEnabled} /> : null}
      </Form>
      <Curl lines={[line]} />
    </>
  )
}
