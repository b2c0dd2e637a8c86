// Creates or edits a target. The CHAP password is never shown again, so an empty field keeps it and does not remove it.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, Select, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { ifMatch, one, words } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { Force } from './luns.tsx'
import type { Target } from './types.ts'

interface Ends {
  onClose: () => void
  onDone: (target: Target) => unknown
}

/** Made from the current month and the name by which the browser reached the appliance. */
function proposed(): string {
  const parts = location.hostname.split('.').reverse()
  const isName = parts.length > 1 && parts.every((part) => /^[a-z][a-z0-9-]*$/.test(part))
  return `iqn.${new Date().toISOString().slice(0, 7)}.${isName ? parts.join('.') : 'lan.appliance'}:disk1`
}

export const TargetDialog = ({ target, onClose, onDone }: Ends & { target: Target | undefined }) => (
  <EditDialog<Target>
    title={target ? `Edit ${target.iqn}` : 'Create an iSCSI target'}
    path={target && one('iscsi/targets', target.id)}
    onClose={onClose}
  >
    {(before, etag) => <TargetForm before={before} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

type ChapChoice = 'none' | 'keep' | 'set'

function TargetForm({
  before,
  etag,
  onClose,
  onDone,
}: Ends & { before: Target | undefined; etag: string | undefined }) {
  const [iqn, setIqn] = useState(proposed)
  const [initiators, setInitiators] = useState(before?.initiators.join('\n') ?? '')
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const [choice, setChoice] = useState<ChapChoice>(before?.chap ? 'keep' : 'none')
  const [username, setUsername] = useState(before?.chap?.username ?? '')
  const [password, setPassword] = useState('')
  const [force, setForce] = useState(false)
  const settings = (secret: string) => ({
    initiators: words(initiators),
    ...(choice === 'set' && { chap: { username, password: secret } }),
    ...(before && { enabled, ...(choice === 'none' && before.chap && { chap: null }) }),
  })
  const path = before ? `${one('iscsi/targets', before.id)}${force ? '?force=true' : ''}` : '/api/v1/iscsi/targets'
  const method = before ? 'PUT' : 'POST'
  const bodyOf = (secret: string) => (before ? settings(secret) : { iqn, ...settings(secret) })
  const action = useAction(async () => {
    const target = await call<Target>(method, path, { json: bodyOf(password), ...ifMatch(etag) })
    await onDone(target)
  })
  const choices: [string, string][] = [
    ['none', 'None: the initiator’s name is enough'],
    ...(before?.chap ? [['keep', `Keep: ${before.chap.username}`] satisfies [string, string]] : []),
    ['set', before?.chap ? 'A new name or password' : 'A name and a password'],
  ]
  return (
    <>
      <Form action={action} submit={before ? 'Save' : 'Create target'} cancel={onClose}>
        {before ? null : (
          <Field
            label="Name (IQN)"
            name="iqn"
            value={iqn}
            onValue={setIqn}
            required
            maxlength={223}
            hint="iqn.YEAR-MONTH.reversed-domain:name, in lowercase"
          />
        )}
        <TextArea
          label="Allowed initiators"
          hint="One IQN per line; on Linux it is in /etc/iscsi/initiatorname.iscsi. Empty: nobody can log in"
          rows={3}
          name="initiators"
          part={(at) => words(initiators)[Number(at)] ?? at}
          value={initiators}
          onValue={setInitiators}
        />
        <Select
          label="CHAP authentication"
          name="chap"
          value={choice}
          onValue={(value) => setChoice(value as ChapChoice)}
          options={choices}
        />
        {choice === 'set' ? (
          <>
            <Field
              label="CHAP name"
              name="chap.username"
              value={username}
              onValue={setUsername}
              autocomplete="off"
              required
            />
            <Field
              label="CHAP password"
              name="chap.password"
              type="password"
              value={password}
              onValue={setPassword}
              autocomplete="new-password"
              minlength={12}
              maxlength={64}
              required
              hint="12 to 64 characters. It is not shown again: save it for the initiator."
            />
          </>
        ) : null}
        {before ? <Check label="Enabled" checked={enabled} onChecked={setEnabled} /> : null}
        <Force sessions={before?.sessions ?? []} force={force} onForce={setForce} />
      </Form>
      <Curl lines={[{ method, path, json: bodyOf('…') }]} />
    </>
  )
}
