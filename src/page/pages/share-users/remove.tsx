// Deletes a share user or group: shows what the appliance would end with it, and what stands in the way.
import { call } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Dialog } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { link } from '../../router.ts'
import { one, type Plan } from '../storage/api-types.ts'
import { type EndedSession, sessionsText } from './types.ts'

interface AccountPlan extends Plan {
  sessions: { id: string; client: string }[]
  files: { dataset: string; used: number }[]
}

export function RemoveAccount({
  kind,
  id,
  name,
  onClose,
  onDone,
}: {
  kind: 'user' | 'group'
  id: string
  name: string
  onClose: () => void
  onDone: (told: string) => Promise<void>
}) {
  const path = one(`share-${kind}s`, id)
  const [plan, setPlan] = useState<AccountPlan>()
  const ask = useAction(async () => setPlan(await call<AccountPlan>('DELETE', `${path}?dry_run=true`)))
  useEffect(() => void ask.run(), [])
  const action = useAction(async () => {
    const query = `confirm=${encodeURIComponent(plan?.confirm ?? '')}`
    const { ended_sessions } = await call<{ ended_sessions?: EndedSession[] }>('DELETE', `${path}?${query}`)
    await onDone(`${name} was deleted.${sessionsText(ended_sessions)}`)
  })
  return (
    <Dialog title={`Delete the share ${kind} ${name}`} onClose={onClose}>
      <FailureNote failure={ask.failure} />
      {plan && plan.depends.length > 0 ? (
        <Note tone="warning" title={`Shares name this ${kind}: change them first`}>
          <ul>
            {plan.depends.map(({ object, reason }) => (
              <li key={object}>
                <a href={link('smb')}>{reason.replace(/^names it in the [a-z, ]+? of /, '')}</a>
              </li>
            ))}
          </ul>
        </Note>
      ) : null}
      {plan && plan.depends.length === 0 ? (
        <Form action={action} submit={`Delete ${kind}`} kind="danger" cancel={onClose}>
          {plan.sessions.length > 0 ? (
            <p>Connected now, and disconnected with it: {plan.sessions.map(({ client }) => client).join(', ')}.</p>
          ) : null}
          <p>
            {plan.files.length > 0
              ? `Its files stay: ${plan.files.map(({ dataset, used }) => `${bytes(used)} in ${dataset}`).join(', ')}. `
              : 'Its files stay. '}
            They keep the number {id}, which is never given to another {kind}.
          </p>
          {kind === 'user' ? <p>To keep the user for later, disable it instead.</p> : null}
        </Form>
      ) : null}
    </Dialog>
  )
}
