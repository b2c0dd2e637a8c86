// Selects another place for the data from the next boot. The stored password comes as asterisks, and sending the same
// asterisks keeps it.
import { call, Failure } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Confirm } from '../../kit/dialog.tsx'
import { Field, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Card, Facts, Note } from '../../kit/layout.tsx'
import { TaskView } from '../../kit/task.tsx'
import { useAction } from '../../query.ts'
import { link } from '../../router.ts'
import type { Task } from '../../tasks.ts'
import { newestTask } from '../update.tsx'
import { HIDDEN, KINDS, type Member, PATH, type Stored, titleOf } from './kinds.ts'

export function Change({ stored, onDone }: { stored: Stored; onDone: () => Promise<void> }) {
  const { options, storage: before = {} } = stored
  const [kind, setKind] = useState(String(before['type'] ?? options[0] ?? 'local'))
  const [typed, setTyped] = useState<Record<string, string>>({})
  const [asking, setAsking] = useState(false)
  const [task, setTask] = useState<string>()
  const [isSet, setIsSet] = useState(false)
  const members = KINDS[kind]?.members ?? []
  const same = before['type'] === kind
  const keepsPassword = same && before['password'] === HIDDEN
  const keeps = ({ type }: Member) => type === 'password' && keepsPassword
  const shownValue = (member: Member) =>
    typed[member.name] ?? (same && member.type !== 'password' ? String(before[member.name] ?? '') : '')
  const values = members.map((member) => [member.name, shownValue(member) || (keeps(member) ? HIDDEN : '')] as const)

  const review = useAction(async () => {
    send.clear()
    setAsking(true)
  })
  const send = useAction(async () => {
    const document = JSON.stringify({ storage: { type: kind, ...Object.fromEntries(values) } })
    setIsSet(false)
    try {
      await call('POST', PATH, { form: { settings: new Blob([document]) } })
    } catch (error) {
      // Errors of fields are shown in the form behind the dialog.
      if (error instanceof Failure && error.errors.length > 0) setAsking(false)
      throw error
    }
    setAsking(false)
    setTask((await newestTask('storage'))?.id)
  })
  const refused = asking ? undefined : send.failure
  const clear = () => {
    review.clear()
    send.clear()
  }
  const ended = ({ status }: Task) => {
    if (status === 'completed') {
      setIsSet(true)
      setTyped({})
    }
    void onDone()
  }
  return (
    <>
      <Card title="Change persistent storage">
        <Form action={{ ...review, failure: review.failure ?? refused, clear }} submit="Review the change">
          <Select
            label="Type"
            name="type storage.type"
            value={kind}
            onValue={(next) => {
              setKind(next)
              setTyped({})
            }}
            options={options.map((option) => [option, titleOf(option)])}
          />
          {members.map((member) => (
            <Field
              key={`${kind} ${member.name}`}
              label={member.label}
              name={`${member.name} storage.${member.name}`}
              type={member.type ?? 'text'}
              value={shownValue(member)}
              onValue={(value) => setTyped((now) => ({ ...now, [member.name]: value }))}
              hint={keeps(member) ? 'Leave empty to keep the stored value' : member.hint}
              required={!keeps(member)}
              autocomplete="off"
            />
          ))}
        </Form>
        {task ? <TaskView key={task} id={task} onEnd={ended} /> : null}
        {isSet ? (
          <Note tone="ok" title="It takes effect at the next boot">
            <span>
              Until then the data stays where it is. <a href={link('reboot')}>Reboot the appliance</a>
            </span>
          </Note>
        ) : null}
      </Card>
      {asking ? (
        <Confirm title="Change where data is stored?" submit="Save" action={send} onClose={() => setAsking(false)}>
          <Facts
            of={[
              ['Current', before['type'] === undefined ? 'not set' : titleOf(String(before['type']))],
              ['From the next boot', titleOf(kind)],
              ...members
                .filter(({ type }) => type !== 'password')
                .map((member): [string, string] => [member.label, shownValue(member)]),
            ]}
          />
          <Note tone="warning" title="No data is moved">
            At the next boot the appliance uses the data that it finds in the new place. To take your data along, create
            a backup now and restore it afterwards.
          </Note>
        </Confirm>
      ) : null}
      <Curl
        lines={[
          { path: PATH, output: 'storage.json' },
          { method: 'POST', path: PATH, form: { settings: '@storage.json' } },
        ]}
      />
    </>
  )
}
