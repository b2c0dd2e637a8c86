// The form for a new account, with a first password that has to be handed over.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Field, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import type { Role } from '../../session.ts'
import { PASSWORD_RULE, ROLE_OPTIONS, USERS } from './account.ts'

export function CreateUser({ onClose, onDone }: { onClose: () => void; onDone: (told: string) => Promise<void> }) {
  const [username, setUsername] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const json = { username, ...(email !== '' && { email }), password, role }
  const action = useAction(async () => {
    await call('POST', USERS, { json })
    await onDone(`${username} can sign in.`)
  })
  return (
    <Dialog title="Create a user" onClose={onClose}>
      <Form action={action} submit="Create user" cancel={onClose}>
        <Field
          label="User name"
          name="username"
          value={username}
          onValue={setUsername}
          hint="3 to 32 letters, digits and . _ -"
          autocomplete="off"
          required
        />
        <Field
          label="E-mail (optional)"
          name="email"
          type="email"
          value={email}
          onValue={setEmail}
          autocomplete="off"
        />
        <Field
          label="Password"
          name="password"
          type="password"
          value={password}
          onValue={setPassword}
          hint={`${PASSWORD_RULE}. The user can change it on the page Account.`}
          autocomplete="new-password"
          required
        />
        <Select
          label="Role"
          name="role"
          value={role}
          onValue={(value) => setRole(value as Role)}
          options={ROLE_OPTIONS}
        />
      </Form>
      <Curl lines={[{ method: 'POST', path: USERS, json: { ...json, password: '…' } }]} />
    </Dialog>
  )
}
