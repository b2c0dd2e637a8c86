// The user's own account. A new password ends every session of the account, this one too, so the page signs in again
// with it.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { moment, plural } from '../kit/format.ts'
import { Card, Facts, Note, Page } from '../kit/layout.tsx'
import { useAction } from '../query.ts'
import { place } from '../router.ts'
import { hasController, type SessionState, session, setSession } from '../session.ts'
import { Store, useStore } from '../store.ts'
import { PASSWORD_RULE } from './users/account.ts'

const PATH = '/api/v1/auth/password'
/** Kept outside the component, which is rendered anew after signing in again. */
const changed = new Store(false)
place.subscribe(() => changed.set(false))

export function Account() {
  const own = useStore(session).session
  const done = useStore(changed)
  if (!own) return null
  const minutes = Math.round(own.idle_seconds / 60)
  return (
    <Page title="Account">
      {done ? <Note tone="ok">Your password was changed. Your other sessions were signed out.</Note> : null}
      <Card title="Session">
        <Facts
          of={[
            ['User', own.via === 'token' ? 'API token' : own.name],
            ['Role', own.role],
            ['Expires', moment(own.expires_at)],
            ['Idle timeout', plural(minutes, 'minute')],
          ]}
        />
      </Card>
      {hasController() ? (
        <Password name={own.name} oneTime={own.one_time} />
      ) : (
        <Note>
          You are signed in with the API token, which has no password. To replace it, open the page API token.
        </Note>
      )}
    </Page>
  )
}

function Password({ name, oneTime }: { name: string; oneTime: boolean }) {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const action = useAction(async () => {
    await call('PUT', PATH, { json: { current, password } })
    changed.set(true)
    setSession(await call<SessionState>('POST', '/console/session', { json: { username: name, password } }))
  })
  return (
    <>
      <Card title="Change your password">
        {oneTime ? (
          <Note tone="warning">This is still the one-time password from the first start. Choose your own.</Note>
        ) : null}
        <Form action={action} submit="Change password">
          <Field
            label="Current password"
            name="current"
            type="password"
            value={current}
            onValue={setCurrent}
            autocomplete="current-password"
            required
          />
          <Field
            label="New password"
            name="password"
            type="password"
            value={password}
            onValue={setPassword}
            hint={PASSWORD_RULE}
            autocomplete="new-password"
            required
          />
          <Field
            label="Repeat the new password"
            wrong={again === password ? undefined : 'The passwords do not match'}
            type="password"
            value={again}
            onValue={setAgain}
            autocomplete="new-password"
            required
          />
        </Form>
      </Card>
      <Curl lines={[{ method: 'PUT', path: PATH, json: { current: '…', password: '…' } }]} />
    </>
  )
}
