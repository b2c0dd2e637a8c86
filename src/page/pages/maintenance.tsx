// Maintenance mode: while it is on, the appliance refuses changes of accounts, storage and services.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Field } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Badge, Card, Facts, Page, When } from '../kit/layout.tsx'
import { type Query, useAction, useQuery } from '../query.ts'

interface State {
  enabled: boolean
  message: string
  since?: string
}

const PATH = '/api/v1/maintenance'

export function Maintenance() {
  const query = useQuery<State>(PATH)
  return (
    <Page
      title="Maintenance mode"
      intro="While maintenance mode is on, accounts, storage and services cannot be changed. Reading still works, and shares stay available."
    >
      <Loaded query={query}>{(state) => <Switch state={state} query={query} />}</Loaded>
    </Page>
  )
}

function Switch({ state, query }: { state: State; query: Query<State> }) {
  const { enabled, since } = state
  const [message, setMessage] = useState(state.message)
  const json = { enabled: !enabled, ...(!enabled && message !== '' && { message }) }
  const action = useAction(async () => {
    await call('PUT', PATH, { json })
    await query.reload()
  })
  return (
    <>
      <Card title={enabled ? 'Maintenance mode is on' : 'Maintenance mode is off'}>
        <Facts
          of={[
            ['State', <Badge tone={enabled ? 'warning' : 'ok'}>{enabled ? 'on' : 'off'}</Badge>],
            ['Message', enabled ? state.message || 'the default message' : undefined],
            ['Since', since ? <When at={since} /> : undefined],
          ]}
        />
        <Form action={action} submit={enabled ? 'Turn off' : 'Turn on'}>
          {enabled ? null : (
            <Field
              label="Message"
              name="message"
              value={message}
              onValue={setMessage}
              hint="Shown to anyone who tries to change something. Optional."
              maxlength={200}
              autocomplete="off"
            />
          )}
        </Form>
      </Card>
      <Curl lines={[{ path: PATH }, { method: 'PUT', path: PATH, json }]} />
    </>
  )
}
