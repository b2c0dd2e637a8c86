// Creates or edits a target: its name, who may log in, and what they and it have to prove.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { ifMatch, one, words } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { accountOf, ChapFields, draftOf } from './chap.tsx'
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

function TargetForm({
  before,
  etag,
  onClose,
  onDone,
}: Ends & { before: Target | undefined; etag: string | undefined }) {
  const [iqn, setIqn] = useState(proposed)
  const [initiators, setInitiators] = useState(before?.initiators.join('\n') ?? '')
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const [chap, setChap] = useState(() => draftOf(before?.chap))
  const [mutual, setMutual] = useState(() => draftOf(before?.mutual_chap))
  const [force, setForce] = useState(false)
  const hasChap = chap.choice !== 'none'
  const bodyOf = (isShown: boolean) => ({
    ...(before ? { enabled } : { iqn }),
    initiators: words(initiators),
    chap: accountOf(chap, before?.chap, isShown),
    // Without CHAP there is no mutual CHAP: the appliance ends both.
    mutual_chap: hasChap ? accountOf(mutual, before?.mutual_chap, isShown) : undefined,
  })
  const path = before ? `${one('iscsi/targets', before.id)}${force ? '?force=true' : ''}` : '/api/v1/iscsi/targets'
  const method = before ? 'PUT' : 'POST'
  const isSame = chap.choice === 'set' && chap.password !== '' && mutual.password === chap.password
  const action = useAction(async () => {
    const target = await call<Target>(method, path, { json: bodyOf(false), ...ifMatch(etag) })
    await onDone(target)
  })
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
        <ChapFields
          label="CHAP authentication"
          title="CHAP"
          name="chap"
          none="None: the initiator’s name is enough"
          hint={!hasChap && before?.mutual_chap ? 'Mutual CHAP ends, too' : undefined}
          before={before?.chap}
          draft={chap}
          onDraft={setChap}
        />
        {hasChap ? (
          <ChapFields
            label="Mutual CHAP authentication"
            title="Mutual CHAP"
            name="mutual_chap"
            none="None: the target proves nothing"
            hint="What the target proves to the initiators, so that no other machine can pass for it"
            before={before?.mutual_chap}
            draft={mutual}
            onDraft={setMutual}
            wrong={isSame ? 'Choose another password than that of CHAP' : undefined}
          />
        ) : null}
        {before ? <Check label="Enabled" checked={enabled} onChecked={setEnabled} /> : null}
        <Force sessions={before?.sessions ?? []} force={force} onForce={setForce} />
      </Form>
      <Curl lines={[{ method, path, json: bodyOf(true) }]} />
    </>
  )
}
