// Confirms a destruction: shows the appliance's plan and its dependents, and has the name typed. If something was
// created since the plan, the plan's token makes the appliance refuse, and a new plan is loaded.
import { call, request } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Dialog, TypeToConfirm } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { type Children, Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { link } from '../../router.ts'
import type { Plan } from './api-types.ts'
import { useNames } from './names.ts'
import { JobView, leaving, UnderWay, useWork } from './work.tsx'

interface Props {
  title: string
  submit: string
  /** The name to type; left out where seeing the plan is enough. */
  name?: string
  path: string
  /** Sent with both requests. */
  json?: unknown
  method?: 'DELETE' | 'POST'
  /** Also destroys what is below it, as the plan shows. */
  recursive?: boolean
  /** The type of the job. */
  job: string
  /** The text above the list of what is destroyed. */
  children: (plan: Plan) => Children
  onClose: () => void
  onDone: () => unknown
}

/** The number of names that are listed; nobody reads a list of thousands. */
const MOST = 500

export function Destroy(props: Props) {
  const { title, submit, name, path, json, method = 'DELETE', recursive, job, children, onClose, onDone } = props
  const [plan, setPlan] = useState<Plan>()
  const [typed, setTyped] = useState('')
  const ask = useAction(async () => {
    setPlan(undefined)
    setPlan(await call<Plan>(method, `${path}?dry_run=true`, { json }))
  })
  useEffect(() => void ask.run(), [])
  const work = useWork(async () => {
    const query = `confirm=${encodeURIComponent(plan?.confirm ?? '')}${recursive ? '&recursive=true' : ''}`
    try {
      return await request(method, `${path}?${query}`, { json })
    } catch (error) {
      setTyped('')
      void ask.run()
      throw error
    }
  }, onDone)
  return (
    <Dialog title={title} onClose={onClose}>
      {work.job ? <JobView job={work.job} ended={work.ended} close={onClose} /> : null}
      {plan ? null : <FailureNote failure={work.action.failure} />}
      <FailureNote failure={ask.failure} />
      {plan || ask.failure ? null : <p class="muted">Loading the plan…</p>}
      {plan && !work.job && plan.depends.length > 0 ? (
        <>
          <FailureNote failure={work.action.failure} />
          <InTheWay plan={plan} />
          <div class="actions">
            <Button busy={ask.busy} onClick={() => void ask.run()}>
              Check again
            </Button>
            <Button onClick={onClose}>Close</Button>
          </div>
        </>
      ) : null}
      {plan && !work.job && plan.depends.length === 0 ? (
        <>
          {children(plan)}
          <Names of={plan.destroys} />
          <Form action={work.action} submit={submit} kind="danger" cancel={onClose} leave={leaving(work)}>
            {name === undefined ? null : <TypeToConfirm name={name} typed={typed} onTyped={setTyped} />}
            <UnderWay busy={work.action.busy} type={job} />
          </Form>
        </>
      ) : null}
    </Dialog>
  )
}

/**
 * Objects with IDs are shown by name. Until the names are loaded, `is the SMB share data` in the reason has it, too.
 */
function InTheWay({ plan: { depends } }: { plan: Plan }) {
  const nameOf = useNames()
  return (
    <Note tone="warning" title="These must be removed first">
      <ul>
        {depends.map(({ object, reason }) => {
          const told = /^is the (.+)$/.exec(reason)?.[1]
          return (
            <li key={object + reason}>
              <a href={placeOf(object)}>{told ?? nameOf(object) ?? object}</a> {told === undefined ? reason : ''}
            </li>
          )
        })}
      </ul>
    </Note>
  )
}

/** The page of an object that the appliance named: `shares/smb/ID`, `iscsi/targets/ID`, a dataset or a snapshot. */
function placeOf(object: string): string {
  const [kind, of, id = ''] = object.split('/')
  if (kind === 'shares' && of === 'smb') return link('smb')
  if (kind === 'exports' && of === 'nfs') return link('nfs')
  if (kind === 'iscsi' && of === 'targets') return link('iscsi', id)
  return link(object.includes('@') ? 'snapshots' : 'datasets', object)
}

/** Everything that will be destroyed. */
export function Names({ of }: { of: string[] }) {
  if (of.length === 0) return null
  const more = of.length - MOST
  return (
    <pre class="block" tabindex={0}>
      {of.slice(0, MOST).join('\n')}
      {more > 0 ? `\nand ${more} more` : ''}
    </pre>
  )
}
