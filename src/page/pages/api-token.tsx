// Replacing the API token. That ends all sessions that were opened with the old one, this page's too, so it signs in again with the new one.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { CopyButton } from '../kit/copy.tsx'
import { Curl } from '../kit/curl.tsx'
import { Confirm } from '../kit/dialog.tsx'
import { Check, Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Card, Note, Page } from '../kit/layout.tsx'
import { useAction } from '../query.ts'
import { place } from '../router.ts'
import { type SessionState, session, setSession } from '../session.ts'
import { Store, useStore } from '../store.ts'
import { makeToken } from '../token.ts'

const PATH = '/api/v1/admin/setup'
/** Kept outside the component, which is rendered anew after signing in again. */
const changed = new Store(false)
place.subscribe(() => changed.set(false))

export function ApiToken() {
  const done = useStore(changed)
  return (
    <Page
      title="API token"
      intro="Scripts authenticate to the API with this token. Anyone who has it can do everything that an administrator can."
    >
      {done ? <Note tone="ok">The new token is in effect. Update the scripts that use the old one.</Note> : null}
      <NewToken />
      <Curl lines={[{ method: 'POST', path: PATH, form: { newtoken: 'NEW-TOKEN' } }]} />
    </Page>
  )
}

function NewToken() {
  const own = useStore(session).session
  const [token, setToken] = useState('')
  const [kept, setKept] = useState(false)
  const [asking, setAsking] = useState(false)
  const review = useAction(async () => setAsking(true))
  const action = useAction(async () => {
    await call('POST', PATH, { form: { newtoken: token } })
    changed.set(true)
    setAsking(false)
    setToken('')
    setKept(false)
    if (own?.via === 'token') setSession(await call<SessionState>('POST', '/console/session', { json: { token } }))
  })
  return (
    <Card title="New token">
      <Form action={review} submit="Set the new token">
        <Field
          label="New token"
          value={token}
          onValue={(value) => {
            setToken(value)
            setKept(false)
          }}
          hint="Up to 255 characters without spaces. The appliance stores only its SHA-256, so it cannot be shown again."
          autocomplete="off"
          name="newtoken token"
          required
          maxlength={255}
        />
        <div class="actions">
          <Button onClick={() => setToken(makeToken())}>Generate a token</Button>
          <CopyButton text={token} what="this token" />
        </div>
        <Check label="I have saved the new token" checked={kept} onChecked={setKept} required />
      </Form>
      {asking ? (
        <Confirm title="Set the new token?" submit="Set new token" action={action} onClose={() => setAsking(false)}>
          <p>
            Scripts that use the old token stop working until you give them the new one. Sessions that were opened with
            the old token are signed out.
          </p>
        </Confirm>
      ) : null}
    </Card>
  )
}
