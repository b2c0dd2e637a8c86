// The first run: takes the phrase from the appliance's screen, and sets the API token and the administrator's password.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { CopyButton } from '../kit/copy.tsx'
import { Curl, type CurlProps } from '../kit/curl.tsx'
import { Check, Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { SignInLayout } from '../kit/sign-in-layout.tsx'
import { useAction } from '../query.ts'
import { type SessionState, setSession } from '../session.ts'
import { makeToken } from '../token.ts'
import { PASSWORD_RULE } from './users/account.ts'

export function FirstRun({ phrase: needsPhrase, password: needsPassword }: { phrase: boolean; password: boolean }) {
  const [phrase, setPhrase] = useState('')
  const [token, setToken] = useState(makeToken)
  const [kept, setKept] = useState(false)
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const action = useAction(async () => {
    const json = { token, ...(needsPhrase && { phrase: phrase.trim() }), ...(needsPassword && { password }) }
    setSession(await call<SessionState>('POST', '/console/first-run', { json }))
  })
  return (
    <SignInLayout title="Set up this appliance">
      <p class="muted">
        {needsPhrase
          ? 'Enter the phrase that the appliance shows on its own screen. It is also in the file etc/api.token.setup.'
          : 'This appliance has not been set up yet. The first person to do so becomes its administrator.'}
      </p>
      <Form action={action} submit="Set up">
        {needsPhrase ? (
          <Field
            label="Phrase"
            name="phrase"
            value={phrase}
            onValue={setPhrase}
            hint="Words separated by dashes"
            autocomplete="off"
            required
          />
        ) : null}
        <Field
          label="API token"
          name="token"
          value={token}
          onValue={setToken}
          hint="For scripts and curl, and to get back in when a password is lost. It is shown only once; you may enter your own."
          autocomplete="off"
          required
          maxlength={255}
        />
        <div class="actions">
          <CopyButton text={token} what="this token" />
        </div>
        <Check label="I have saved the token" checked={kept} onChecked={setKept} required />
        {needsPassword ? (
          <>
            <Field
              label="Administrator password"
              name="password"
              type="password"
              value={password}
              onValue={setPassword}
              hint={`For the account admin, which you use to sign in here: ${PASSWORD_RULE}`}
              autocomplete="new-password"
              required
            />
            <Field
              label="Repeat the password"
              wrong={again === password ? undefined : 'The passwords do not match'}
              type="password"
              value={again}
              onValue={setAgain}
              autocomplete="new-password"
              required
            />
          </>
        ) : null}
      </Form>
      <Curl lines={curlLines(needsPhrase, needsPassword)} />
    </SignInLayout>
  )
}

/** What this page does in one step, with placeholders for the secrets. */
function curlLines(needsPhrase: boolean, needsPassword: boolean): CurlProps[] {
  const setUp: CurlProps = {
    method: 'POST',
    path: '/api/v1/admin/setup',
    form: { newtoken: 'NEW-TOKEN' },
    secret: needsPhrase ? 'PHRASE' : '',
  }
  if (!needsPassword) return [setUp]
  const login = { username: 'admin', password: 'ONE-TIME-PASSWORD' }
  const change = { current: login.password, password: 'NEW-PASSWORD' }
  return [
    setUp,
    { method: 'POST', path: '/api/v1/auth/login', json: login, secret: '' },
    { method: 'PUT', path: '/api/v1/auth/password', json: change },
  ]
}
