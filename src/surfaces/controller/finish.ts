// Slow changes: the contract answers with the created object, so the request waits for its job. If the job takes longer
// it continues, and the answer is 202 with the job, which the client follows.
import { accountOf, nameOf } from '../../auth/principal.ts'
import { outcome } from '../../features/jobs/outcome.ts'
import { viewJob } from '../../features/jobs/view.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import type { Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { COLLECTION } from './job-view.ts'

export interface Finish {
  tasks: Tasks
  task: Task
  /** The action and the target in the audit log. */
  action: string
  target: string
  /** Seconds that the request is held. */
  seconds: number
  object: string
  /** The contract's answer. */
  done: () => Reply | Promise<Reply>
  enough?: (task: Task) => boolean
}

type Held = Pick<Call, 'signal' | 'respondAsync' | 'audit' | 'principal' | 'address' | 'requestId'>

/** Answers with `done()` once the job has succeeded, with its error if it failed, and with 202 if it still runs. */
export async function finish(call: Held, { tasks, task, action, target, done, ...more }: Finish): Promise<Reply> {
  const { principal, address, requestId: request } = call
  const actor = nameOf(principal) ?? 'nobody'
  const end = await outcome(tasks, task, {
    ...more,
    seconds: call.respondAsync ? 0 : more.seconds,
    isGone: () => call.signal.aborted,
    entry: { event: action, target, actor, account: accountOf(principal), address, request },
    ended: () => call.audit(action, target, undefined, () => tasks.attended(task.id)),
  })
  if (end.state === 'done') return done()
  call.audit(`${action}.accepted`, target)
  return json(viewJob(end.task), 202, { Location: `${COLLECTION}/${task.id}` })
}
