// Signing in: with an account, or with the appliance's token.
import { call } from '../api.ts'
import { Lost } from '../frame.tsx'
import { useEffect, useState } from '../hooks.ts'
import { Curl, type CurlProps } from '../kit/curl.tsx'
import { Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { type Children, Note } from '../kit/layout.tsx'
import { useAction } from '../query.ts'
import { farewell, type SessionState, session, setSession } from '../session.ts'
import { useStore } from '../store.ts'

/** One card in the middle of the window. */
export function Door({ title, children }: { title: string; children?: Children }) {
  useEffect(() => {
    document.title = `${title} · Edge Admin`
  }, [title])
  return (
    <main class="door">
      <Lost />
      {isSecureContext ? null : (
        <Note tone="warning" title="This page was loaded without encryption">
          Browsers keep no session for such a page, and anything you type can be read on the network. Open it with
          https.
        </Note>
      )}
      <section class="card">
        <div class="brand">
          <img src="/console/icon.svg" alt="" />
          <h1>{title}</h1>
        </div>
        {children}
      </section>
    </main>
  )
}

/** What is typed here is no part of them: it would stay in the shell's history. */
const LOG_IN: CurlProps = {
  method: 'POST',
  path: '/api/v1/auth/login',
  json: { username: 'NAME', password: 'PASSWORD' },
  secret: '',
}
/** Whoever has the token needs no session: each call carries it. */
const WITH_TOKEN: CurlProps = { path: '/api/v1/admin/version' }

export function SignIn() {
  const { controller } = useStore(session)
  const bye = useStore(farewell)
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
    <Door title="Sign in">
      {bye ? <Note>{bye}</Note> : null}
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
    </Door>
  )
}
