// The plan of a change of a pool's vdevs, as the appliance answers it to a dry run: the layout before and after. The
// change is sent with the plan's token, so that it is refused if the pool has changed since.
import { call, request } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { FailureNote } from '../../kit/failure.tsx'
import { Form } from '../../kit/form.tsx'
import { Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { JobView, leaving, UnderWay, useWork } from '../storage/work.tsx'

interface Node {
  name: string
  type: string
  class?: string
  children?: Node[]
}

export interface PoolPlan {
  does: string[]
  undo?: string
  before: Node[]
  after: Node[]
  confirm: string
}

/** One line for each vdev and disk; `mark` stands before those that the other layout does not have. */
function lines(layout: readonly Node[], other: ReadonlySet<string>, mark: string): string {
  const text: string[] = []
  const add = (node: Node, depth: number) => {
    text.push(`${other.has(node.name) ? ' ' : mark} ${'  '.repeat(depth)}${node.name}`)
    for (const child of node.children ?? []) add(child, depth + 1)
  }
  for (const use of [...new Set(layout.map((node) => node.class ?? 'data'))]) {
    text.push(`  ${use}`)
    for (const node of layout) if ((node.class ?? 'data') === use) add(node, 1)
  }
  return text.join('\n')
}

const namesIn = (nodes: readonly Node[]): string[] =>
  nodes.flatMap(({ name, children = [] }) => [name, ...namesIn(children)])

export const PlanView = ({ plan: { does, undo, before, after } }: { plan: PoolPlan }) => (
  <>
    <ul>
      {does.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ul>
    <div class="pairs">
      <div>
        <h3>Before</h3>
        <pre class="block" tabindex={0}>
          {lines(before, new Set(namesIn(after)), '−')}
        </pre>
      </div>
      <div>
        <h3>After</h3>
        <pre class="block" tabindex={0}>
          {lines(after, new Set(namesIn(before)), '+')}
        </pre>
      </div>
    </div>
    {undo === undefined ? (
      <Note tone="warning">This cannot be undone.</Note>
    ) : (
      <p>To undo it: {undo.charAt(0).toLowerCase() + undo.slice(1)}.</p>
    )}
  </>
)

/** Shows the plan, and sends the change on agreement. */
export function PlanForm({
  path,
  json,
  job,
  submit,
  kind = 'main',
  onClose,
  onDone,
}: {
  path: string
  json?: unknown
  /** The type of the job. */
  job: string
  submit: string
  kind?: 'main' | 'danger'
  onClose: () => void
  onDone: () => unknown
}) {
  const [plan, setPlan] = useState<PoolPlan>()
  const ask = useAction(async () => {
    setPlan(undefined)
    setPlan(await call<PoolPlan>('POST', `${path}?dry_run=true`, { json }))
  })
  useEffect(() => void ask.run(), [])
  const work = useWork(async () => {
    try {
      return await request('POST', `${path}?confirm=${encodeURIComponent(plan?.confirm ?? '')}`, { json })
    } catch (error) {
      void ask.run()
      throw error
    }
  }, onDone)
  if (work.job) return <JobView job={work.job} ended={work.ended} close={onClose} />
  if (!plan)
    return (
      <>
        <FailureNote failure={work.action.failure} />
        {ask.failure ? <FailureNote failure={ask.failure} /> : <p class="muted">Loading the plan…</p>}
      </>
    )
  return (
    <Form action={work.action} submit={submit} kind={kind} cancel={onClose} leave={leaving(work)}>
      <PlanView plan={plan} />
      <UnderWay busy={work.action.busy} type={job} />
    </Form>
  )
}
