// Network and application settings. Applying them may cut this page's own connection, so it shows the new address
// before and after.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { Field, Select } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Card, Note, Page } from '../kit/layout.tsx'
import { TaskView } from '../kit/task.tsx'
import { type Query, useAction, useQuery } from '../query.ts'
import { Application } from './network/application.tsx'
import { ConfirmSettings, Whereabouts } from './network/confirm.tsx'
import {
  changesOf,
  type Draft,
  draftOf,
  LABELS,
  movesAddress,
  type Name,
  type Settings,
  settingsOf,
} from './network/document.ts'
import { newestTask } from './update.tsx'

const PATH = '/api/v1/admin/settings'
const NOTHING: Settings = { network: {}, app: {} }

export function Network() {
  const query = useQuery<Settings>(PATH)
  // 404 is an expected response: nothing has been set yet.
  const none = query.failure?.status === 404
  const stored = query.data ?? (none ? NOTHING : undefined)
  return (
    <Page
      title="Network"
      intro="The name and address of the appliance, and the settings of its application. Changes are applied immediately."
    >
      {none ? (
        <Note>Nothing has been configured here yet: the image or the DHCP server decides.</Note>
      ) : (
        <FailureNote failure={query.failure} again={query.reload} />
      )}
      {stored ? <Editor stored={stored} query={query} /> : query.failure ? null : <p class="muted">Loading…</p>}
    </Page>
  )
}

function Editor({ stored, query }: { stored: Settings; query: Query<Settings> }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(stored))
  const [after, setAfter] = useState<Settings>()
  const [applied, setApplied] = useState<{ settings: Settings; moved: boolean; task: string | undefined }>()
  const review = useAction(async () => {
    const wanted = settingsOf(stored, draft)
    // Checked before the confirmation, by the rules that apply to the change itself.
    await call('POST', '/console/settings/check', { json: wanted })
    setAfter(wanted)
  })
  const send = useAction(async () => {
    if (!after) return
    const moved = movesAddress(changesOf(stored, after))
    await call('POST', PATH, { form: { settings: new Blob([JSON.stringify(after)]) } })
    setAfter(undefined)
    // The address may have changed already: then the task cannot be followed from here.
    setApplied({ settings: after, moved, task: undefined })
    const task = await newestTask('settings').catch(() => undefined)
    setApplied({ settings: after, moved, task: task?.id })
  })
  const set = (name: Name) => (value: string) => setDraft({ ...draft, network: { ...draft.network, [name]: value } })
  const field = (name: Name, hint?: string, required = false) => (
    <Field
      key={name}
      label={LABELS[name]}
      name={`${name} network.${name}`}
      value={draft.network[name]}
      onValue={set(name)}
      hint={hint}
      required={required}
      autocomplete="off"
    />
  )
  return (
    <>
      <Form action={review} submit="Review and apply">
        <Card title="Network">
          {field('hostname', 'A name such as nas1 or nas1.example.org', true)}
          {field('interface', 'The network card, such as eth0', true)}
          <Select
            label="Address configuration"
            name="mode network.mode"
            value={draft.mode}
            onValue={(mode) => setDraft({ ...draft, mode: mode as Draft['mode'] })}
            options={[
              ['dhcp', 'DHCP'],
              ['static', 'Static'],
            ]}
          />
          {draft.mode === 'static' ? (
            <fieldset>
              <legend>Static address</legend>
              {field('ip_address', 'IPv4 or IPv6', true)}
              {field('netmask', 'Such as 255.255.255.0, or a prefix length: 24', true)}
              {field('gateway', 'Of the same family as the address', true)}
              {field('dns1')}
              {field('dns2')}
            </fieldset>
          ) : null}
          {field('ntpserver', 'A name or an address; leave empty for the system default')}
        </Card>
        <Application members={draft.app} onMembers={(app) => setDraft({ ...draft, app })} />
      </Form>
      {applied ? <Applied {...applied} onEnd={() => void query.reload()} /> : null}
      {after ? (
        <ConfirmSettings before={stored} after={after} action={send} onClose={() => setAfter(undefined)} />
      ) : null}
      <Curl
        lines={[
          { path: PATH, output: 'settings.json' },
          { method: 'POST', path: PATH, form: { settings: '@settings.json' } },
        ]}
      />
    </>
  )
}

function Applied({
  settings,
  moved,
  task,
  onEnd,
}: {
  settings: Settings
  moved: boolean
  task: string | undefined
  onEnd: () => void
}) {
  return (
    <Card title="Applying the settings">
      {moved ? (
        <Note tone="warning" title="The address may have changed">
          <span>
            If this page stops updating: <Whereabouts settings={settings} />
          </span>
        </Note>
      ) : null}
      {task ? (
        <TaskView key={task} id={task} onEnd={onEnd} />
      ) : (
        <p class="muted">The appliance accepted the settings.</p>
      )}
    </Card>
  )
}
