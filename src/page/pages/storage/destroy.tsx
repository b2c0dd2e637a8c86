// What cannot be taken back: the appliance says what would go and what stands in the way, then the name is typed. The trap: between the plan
// and the deed something may have come into being; the plan's token makes the appliance refuse then, and a new plan is asked for.
import { call, request } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Dialog, TypeToConfirm } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { type Children, Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { link } from '../../router.ts'
import { useNames } from './names.ts'
import type { Plan } from './words.ts'
import { JobView, leaving, UnderWay, useWork } from './work.tsx'

interface Props {
  title: string
  submit: string
  /** Has to be typed; left out where a look at the plan is enough. */
  name?: string
  path: string
  /** Sent with each of the two requests. */
  json?: unknown
  /** What to send instead after a failure, by what is still there; undefined: nothing is left to do. */
  left?: () => Promise<unknown>
  method?: 'DELETE' | 'POST'
  /** What is below it goes as well, as the plan says. */
  recursive?: boolean
  /** The type of the job. */
  job: string
  /** What it means, above the list of what goes. */
  children: (plan: Plan) => Children
  onClose: () => void
  onDone: () => unknown
}

/** Names that are written out; a list of thousands would be read by nobody. */
const MOST = 500

export function Destroy(props: Props) {
  const { title, submit, name, path, json, left, method = 'DELETE', recursive, job, children, onClose, onDone } = props
  // With what it was made for: a removal that stopped half way is asked for again without what is gone.
  const [asked, setAsked] = useState<{ plan: Plan; json: unknown }>()
  const plan = asked?.plan
  const [typed, setTyped] = useState('')
  const ask = useAction(async (again: boolean) => {
    setAsked(undefined)
    const wanted = again && left ? await left() : (asked?.json ?? json)
    if (again && left && wanted === undefined) return void (await onDone())
    setAsked({ plan: await call<Plan>(method, `${path}?dry_run=true`, { json: wanted }), json: wanted })
  })
  useEffect(() => void ask.run(false), [])
  const work = useWork(async () => {
    const query = `confirm=${encodeURIComponent(plan?.confirm ?? '')}${recursive ? '&recursive=true' : ''}`
    try {
      return await request(method, `${path}?${query}`, { json: asked?.json })
    } catch (error) {
      setTyped('')
      void ask.run(true)
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
            <Button busy={ask.busy} onClick={() => void ask.run(true)}>
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

/** What has an id is called by its name. `is the SMB share data` says the name as well, until the list of them is there. */
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

/** The page of what the appliance named: `shares/smb/ID`, `iscsi/targets/ID`, or a dataset or snapshot. */
function placeOf(object: string): string {
  const [kind, of, id = ''] = object.split('/')
  if (kind === 'shares' && of === 'smb') return link('smb')
  if (kind === 'exports' && of === 'nfs') return link('nfs')
  if (kind === 'iscsi' && of === 'targets') return link('iscsi', id)
  return link(object.includes('@') ? 'snapshots' : 'datasets', object)
}

/** Everything that would be gone. */
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
