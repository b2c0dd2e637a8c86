// Creates or edits a share user. The name can be set only at creation.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { changedNames, ifMatch, one } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { NamesField } from './names-field.tsx'
import { type DialogEnds, type ShareUser, sessionsText, USERS } from './types.ts'

/** `known`: the groups to choose from. */
export const UserDialog = ({
  user,
  known,
  onClose,
  onDone,
}: DialogEnds & { user: ShareUser | undefined; known: readonly string[] }) => (
  <EditDialog<ShareUser>
    title={user ? `Edit the share user ${user.name}` : 'Create a share user'}
    path={user && one('share-users', user.id)}
    onClose={onClose}
  >
    {(before, etag) => <UserForm before={before} etag={etag} known={known} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function UserForm({
  before,
  etag,
  known,
  onClose,
  onDone,
}: DialogEnds & { before: ShareUser | undefined; etag: string | undefined; known: readonly string[] }) {
  const [name, setName] = useState('')
  const [fullName, setFullName] = useState(before?.full_name ?? '')
  const [password, setPassword] = useState('')
  const [groups, setGroups] = useState(before?.groups.join('\n') ?? '')
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const json = {
    ...(before ? {} : { name }),
    full_name: fullName,
    ...(password !== '' && { password }),
    groups: changedNames(groups, before?.groups),
    enabled,
  }
  const method = before ? 'PUT' : 'POST'
  const path = before ? one('share-users', before.id) : USERS
  const action = useAction(async () => {
    const user = await call<ShareUser>(method, path, { json, ...ifMatch(etag) })
    await onDone(`${user.name} was ${before ? 'changed' : 'created'}.${sessionsText(user.ended_sessions)}`)
  })
  return (
    <>
      <Form action={action} submit={before ? 'Save' : 'Create share user'} cancel={onClose}>
        {before ? null : (
          <Field
            label="Name"
            name="name"
            value={name}
            onValue={setName}
            hint="Letters of one script, digits, blanks inside and _ . - '; kept in lower case"
            autocomplete="off"
            maxlength={32}
            required
          />
        )}
        <Field label="Full name" name="full_name" value={fullName} onValue={setFullName} maxlength={100} />
        <Field
          label={before ? 'New password' : 'Password'}
          name="password"
          type="password"
          value={password}
          onValue={setPassword}
          hint={
            before
              ? 'Leave empty to keep the current one'
              : 'As long as the account policy of Samba says, usually 5 characters'
          }
          autocomplete="new-password"
          required={!before}
        />
        <NamesField
          label="Groups"
          name="groups"
          hint="A connected user gets new groups when it connects again."
          known={known}
          value={groups}
          onValue={setGroups}
        />
        <Check
          label="Enabled"
          name="enabled"
          hint="A disabled user is disconnected, and cannot connect"
          checked={enabled}
          onChecked={setEnabled}
        />
      </Form>
      <Curl lines={[{ method, path, json: { ...json, ...(password !== '' && { password: '…' }) } }]} />
    </>
  )
}
