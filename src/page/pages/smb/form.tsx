// Creates or edits a share. Its name and folder can be set only at creation.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { changedNames, ifMatch, names, one } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { DatasetField } from '../storage/pickers.tsx'

export interface Share {
  id: string
  name: string
  path?: string
  dataset?: string
  description: string
  read_only: boolean
  guest_ok: boolean
  valid_users: string[]
  enabled: boolean
  managed: boolean
}

interface Ends {
  onClose: () => void
  onDone: () => unknown
}

export const ShareDialog = ({ share, onClose, onDone }: Ends & { share: Share | undefined }) => (
  <EditDialog<Share>
    title={share ? `Edit the share ${share.name}` : 'Create an SMB share'}
    path={share && one('shares/smb', share.id)}
    onClose={onClose}
  >
    {(before, etag) => <ShareForm before={before} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function ShareForm({ before, etag, onClose, onDone }: Ends & { before: Share | undefined; etag: string | undefined }) {
  const [dataset, setDataset] = useState('')
  const [name, setName] = useState('')
  const [path, setPath] = useState('')
  const [description, setDescription] = useState(before?.description ?? '')
  const [readOnly, setReadOnly] = useState(before?.read_only ?? false)
  const [guests, setGuests] = useState(before?.guest_ok ?? false)
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const [users, setUsers] = useState(before?.valid_users.join('\n') ?? '')
  const settings = {
    description,
    read_only: readOnly,
    guest_ok: guests,
    valid_users: changedNames(users, before?.valid_users),
  }
  const line = before
    ? { method: 'PUT', path: one('shares/smb', before.id), json: { ...settings, enabled } }
    : { method: 'POST', path: '/api/v1/shares/smb', json: { name, dataset, ...(path && { path }), ...settings } }
  const action = useAction(async () => {
    await call(line.method, line.path, { json: line.json, ...ifMatch(etag) })
    await onDone()
  })
  return (
    <>
      <Form action={action} submit={before ? 'Save' : 'Create share'} cancel={onClose}>
        {before ? null : (
          <>
            <DatasetField
              label="Dataset"
              name="dataset"
              required
              type="filesystem"
              value={dataset}
              onValue={(chosen) => {
                setDataset(chosen)
                if (name === '') setName(chosen.split('/').pop() ?? '')
              }}
            />
            <Field label="Share name" name="name" value={name} onValue={setName} required maxlength={80} />
            <Field
              label="Folder"
              name="path"
              value={path}
              onValue={setPath}
              hint="Leave empty for the whole dataset, or enter a folder in it, such as /tank/data/music"
            />
          </>
        )}
        <Field label="Description" name="description" value={description} onValue={setDescription} maxlength={256} />
        <TextArea
          label="Allowed users"
          hint="One user or @group per line, such as @Domain Users; empty: every user"
          rows={3}
          name="valid_users"
          part={(at) => names(users)[Number(at)] ?? at}
          value={users}
          onValue={setUsers}
        />
        <Check label="Read-only" checked={readOnly} onChecked={setReadOnly} />
        <Check
          label="Allow guests without a password"
          hint="Samba has to be configured to map unknown users to guests (map to guest)."
          checked={guests}
          onChecked={setGuests}
        />
        {before ? <Check label="Enabled" checked={enabled} onChecked={setEnabled} /> : null}
      </Form>
      <Curl lines={[line]} />
    </>
  )
}
