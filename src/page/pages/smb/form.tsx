// Creates or edits a share. Its name and folder can be set only at creation.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { changedNames, ifMatch, names, one, words } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { DatasetField } from '../storage/pickers.tsx'
import { KnownUsers } from './known-users.tsx'

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
  hosts_allow?: string[]
  hosts_deny?: string[]
  recycle_bin?: boolean
  previous_versions?: boolean
  time_machine?: { max_bytes?: number }
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

const GIB = 2 ** 30

/** What was not changed is not sent: it stays as it is. */
const changed = (name: string, value: unknown, before: unknown) =>
  JSON.stringify(value) === JSON.stringify(before) ? {} : { [name]: value }

function ShareForm({ before, etag, onClose, onDone }: Ends & { before: Share | undefined; etag: string | undefined }) {
  const [dataset, setDataset] = useState('')
  const [name, setName] = useState('')
  const [path, setPath] = useState('')
  const [description, setDescription] = useState(before?.description ?? '')
  const [readOnly, setReadOnly] = useState(before?.read_only ?? false)
  const [guests, setGuests] = useState(before?.guest_ok ?? false)
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const [users, setUsers] = useState(before?.valid_users.join('\n') ?? '')
  const [allow, setAllow] = useState(before?.hosts_allow?.join('\n') ?? '')
  const [deny, setDeny] = useState(before?.hosts_deny?.join('\n') ?? '')
  const [recycle, setRecycle] = useState(before?.recycle_bin ?? false)
  const [versions, setVersions] = useState(before?.previous_versions ?? false)
  const [mac, setMac] = useState(before?.time_machine !== undefined)
  const [limit, setLimit] = useState(before?.time_machine?.max_bytes ? String(before.time_machine.max_bytes / GIB) : '')
  const settings = {
    ...changed('hosts_allow', words(allow), before?.hosts_allow ?? []),
    ...changed('hosts_deny', words(deny), before?.hosts_deny ?? []),
    ...changed('recycle_bin', recycle, before?.recycle_bin ?? false),
    ...changed('previous_versions', versions, before?.previous_versions ?? false),
    ...changed(
      'time_machine',
      mac ? (limit === '' ? {} : { max_bytes: Math.round(Number(limit) * GIB) }) : null,
      before?.time_machine ?? null,
    ),
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
        <KnownUsers of={names(users)} />
        <Check label="Read-only" checked={readOnly} onChecked={setReadOnly} />
        <Check
          label="Allow guests without a password"
          hint="Samba has to be configured to map unknown users to guests (map to guest)."
          checked={guests}
          onChecked={setGuests}
        />
        <Check
          label="Previous versions"
          hint="Windows shows the snapshots of the dataset’s policies as previous versions of its files."
          checked={versions}
          onChecked={setVersions}
        />
        <Check
          label="Recycle bin"
          hint="Deleted files go to the folder .recycle. They use space until somebody deletes them there."
          checked={recycle}
          onChecked={setRecycle}
        />
        <Check label="Time Machine" hint="Macs can back up to this share." checked={mac} onChecked={setMac} />
        {mac ? (
          <Field
            label="Limit for Time Machine, in GiB"
            name="time_machine.max_bytes time_machine"
            type="number"
            min={1}
            value={limit}
            onValue={setLimit}
            hint="For all backups together; empty: as much as the dataset has"
          />
        ) : null}
        <TextArea
          label="Allowed addresses"
          hint="One address or network per line, such as 192.168.1.0/24; empty: every address"
          rows={2}
          name="hosts_allow"
          part={(at) => words(allow)[Number(at)] ?? at}
          value={allow}
          onValue={setAllow}
        />
        <TextArea
          label="Denied addresses"
          hint="An address that is in both lists is allowed"
          rows={2}
          name="hosts_deny"
          part={(at) => words(deny)[Number(at)] ?? at}
          value={deny}
          onValue={setDeny}
        />
        {before ? <Check label="Enabled" checked={enabled} onChecked={setEnabled} /> : null}
      </Form>
      <Curl lines={[line]} />
    </>
  )
}
