// Edits an account. A new password, role or state ends all its sessions. Users change their own account on the page
// Account, so that nobody locks themselves out here.
import { call } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Check, Field, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import type { Role } from '../../session.ts'
import { ifMatch, PASSWORD_RULE, ROLE_OPTIONS, type Seen, seeUser, userPath } from './account.ts'

interface Props {
  own: boolean
  onClose: () => void
  onDone: (told: string) => Promise<void>
}

export function EditUser({ id, ...rest }: Props & { id: string }) {
  const [seen, setSeen] = useState<Seen>()
  const load = useAction(async () => setSeen(await seeUser(id)))
  useEffect(() => void load.run(), [id])
  return (
    <Dialog title={seen ? `Edit ${seen.user.username}` : 'Edit'} onClose={rest.onClose}>
      <FailureNote failure={load.failure} />
      {seen ? <Editor seen={seen} {...rest} /> : null}
    </Dialog>
  )
}

function Editor({ seen: { user, tag }, own, onClose, onDone }: Props & { seen: Seen }) {
  const [email, setEmail] = useState(user.email ?? '')
  const [role, setRole] = useState(user.role)
  const [active, setActive] = useState(user.active)
  const [password, setPassword] = useState('')
  // An email address can be replaced, but not removed.
  const json = {
    ...(email !== '' && email !== user.email && { email }),
    ...(role !== user.role && { role }),
    ...(active !== user.active && { active }),
    ...(password !== '' && { password }),
  }
  const path = userPath(user.id)
  const ends = role !== user.role || active !== user.active || password !== ''
  const action = useAction(async () => {
    await call('PUT', path, { json, headers: ifMatch(tag) })
    await onDone(`${user.username} was changed.`)
  })
  return (
    <>
      <Form
        action={action}
        submit="Save"
        cancel={onClose}
        why={Object.keys(json).length === 0 ? 'Nothing has been changed yet.' : undefined}
      >
        <Field label="E-mail" name="email" type="email" value={email} onValue={setEmail} autocomplete="off" />
        {own ? null : (
          <>
            <Select
              label="Role"
              name="role"
              value={role}
              onValue={(value) => setRole(value as Role)}
              options={ROLE_OPTIONS}
            />
            <Check
              label="Active"
              name="active"
              hint="A disabled account cannot sign in and keeps its settings"
              checked={active}
              onChecked={setActive}
            />
            <Field
              label="New password"
              name="password"
              type="password"
              value={password}
              onValue={setPassword}
              hint={`Leave empty to keep the current one. ${PASSWORD_RULE}.`}
              autocomplete="new-password"
            />
          </>
        )}
        {ends ? <p>Everything that {user.username} is signed in with ends.</p> : null}
      </Form>
      <Curl lines={[{ method: 'PUT', path, json: { ...json, ...(password !== '' && { password: '…' }) } }]} />
    </>
  )
}
