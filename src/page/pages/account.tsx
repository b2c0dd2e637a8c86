// One's own account. The trap: a new password ends every session of the account, this one too; so the page signs in again with the new one.
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
/** Outlives the page: signing in again builds it anew. */
const changed = new Store(false)
place.subscribe(() => changed.set(false))

export function Account() {
  const own = useStore(session).session
  const done = useStore(changed)
  if (!own) return null
  const minutes = Math.round(own.idle_seconds / 60)
  return (
    <Page title="Account">
      {done ? (
        <Note tone="ok">Your password was changed. Wherever else you were signed in, you are not any more.</Note>
      ) : null}
      <Card title="Signed in">
        <Facts
          of={[
            ['As', own.via === 'token' ? 'the appliance’s API token' : own.name],
            ['Role', own.role],
            ['Until', moment(own.expires_at)],
            ['Ends earlier', `after ${plural(minutes, 'minute')} in which nothing is done`],
          ]}
        />
      </Card>
      {hasController() ? (
        <Password name={own.name} oneTime={own.one_time} />
      ) : (
        <Note>You are signed in with the token: it has no password. An administrator can set another token.</Note>
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
          <Note tone="warning">It is still the one-time one of the first start. Take one of your own.</Note>
        ) : null}
        <Form action={action} submit="Change it">
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
            label="The new password again"
            wrong={again === password ? undefined : 'The two passwords are not the same'}
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
