// The sign-in page: with an account, or with the appliance's API token.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl, type CurlProps } from '../kit/curl.tsx'
import { Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Note } from '../kit/layout.tsx'
import { SignInLayout } from '../kit/sign-in-layout.tsx'
import { useAction } from '../query.ts'
import { type SessionState, session, setSession, signInNotice } from '../session.ts'
import { useStore } from '../store.ts'

/** Placeholders, not what was typed: that would end up in the shell's history. */
const LOG_IN: CurlProps = {
  method: 'POST',
  path: '/api/v1/auth/login',
  json: { username: 'NAME', password: 'PASSWORD' },
  secret: '',
}
/** With the token no session is needed: each call is signed. */
const WITH_TOKEN: CurlProps = { path: '/api/v1/admin/version' }

export function SignIn() {
  const { controller } = useStore(session)
  const notice = useStore(signInNotice)
  const [by, setBy] = useState<'account' | 'token'>(controller ? 'account' : 'token')
  const [username, setUsername] = useState('')
  const [secret, setSecret] = useState('')
  const action = useAction(async () => {
    const json = by === 'account' ? { username, password: secret } : { token: secret }
    setSession(await call<SessionState>('POST', '/console/session', { json }))
  })
  const change = () => {
    setBy(by === 'account' ? 'token' : 'account')
    setSecret('')
    action.clear()
  }
  return (
    <SignInLayout title="Sign in">
      {notice ? <Note>{notice}</Note> : null}
      <Form action={action} submit="Sign in" why={isSecureContext ? undefined : 'Open this page with https first.'}>
        {by === 'account' ? (
          <Field
            key="name"
            name="username"
            label="User name"
            value={username}
            onValue={setUsername}
            autocomplete="username"
            required
          />
        ) : null}
        <Field
          key={by}
          label={by === 'account' ? 'Password' : 'API token'}
          type="password"
          value={secret}
          onValue={setSecret}
          autocomplete={by === 'account' ? 'current-password' : 'off'}
          required
        />
      </Form>
      {controller ? (
        <button type="button" class="quiet" onClick={change}>
          {by === 'account' ? 'Sign in with the API token instead' : 'Sign in with an account instead'}
        </button>
      ) : null}
      <Curl lines={[by === 'account' ? LOG_IN : WITH_TOKEN]} />
    </SignInLayout>
  )
}
