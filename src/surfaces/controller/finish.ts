// Slow changes: the contract answers them with what was made, so the request waits for its task. The trap: one that takes longer is not
// cut off; it is answered with 202 and its job, and the client follows that.
import { accountOf, nameOf } from '../../auth/principal.ts'
import { ApiError, type ErrorKind } from '../../errors.ts'
import { maskedLine } from '../../features/jobs/redact.ts'
import { viewJob } from '../../features/jobs/view.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { COLLECTION } from './job.ts'

/** What a storage script may say in `fail CODE "text"`; any other code is the program's own failure. */
const KINDS: ReadonlyMap<string, ErrorKind> = new Map([
  ['INVALID', 'invalid'],
  ['NOT_FOUND', 'not-found'],
  ['CONFLICT', 'busy'],
  ['BUSY', 'busy'],
  // Somebody else ended it while this request waited.
  ['CANCELLED', 'busy'],
  ['NO_SPACE', 'no-space'],
  ['UNAVAILABLE', 'unavailable'],
])

export interface Finish {
  tasks: Tasks
  task: Task
  /** How the audit log calls what was asked for, and what it is done to. */
  action: string
  target: string
  /** Seconds that the request is held. */
  seconds: number
  /** The object that it is about, for an error's details. */
  object: string
  /** The contract's answer. */
  done: () => Reply | Promise<Reply>
  /** Whether a task that still runs has done what the request asked for (a scrub that has begun). */
  enough?: (task: Task) => boolean
}

/**
 * Answers with `done()` once the task completed, with its error when it failed, and with 202 and the job when it still runs. The audit log
 * hears of the end in each case, if not from this request (`tasks.attend`).
 */
export async function finish(
  call: Pick<Call, 'signal' | 'respondAsync' | 'audit' | 'principal' | 'address' | 'requestId'>,
  { tasks, task, action, target, seconds, object, done, enough = () => false }: Finish,
): Promise<Reply> {
  const { id } = task
  const { principal, address, requestId: request } = call
  tasks.attend(id, {
    ...{ event: action, target, actor: nameOf(principal) ?? 'nobody', address, request },
    account: accountOf(principal),
  })
  const end = performance.now() + (call.respondAsync ? 0 : seconds * 1000)
  const isDone = (now: Task) => isFinal(now) || enough(now)
  let now = task
  while (!isDone(now) && performance.now() < end && !call.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await tasks.settle(id)
    now = tasks.get(id) ?? now
  }
  if (!isDone(now)) now = tasks.leave(id) ?? now
  if (!isDone(now)) {
    call.audit(`${action}.accepted`, target)
    return json(viewJob(now), 202, { Location: `${COLLECTION}/${id}` })
  }
  call.audit(action, target, undefined, () => tasks.attended(id))
  if (now.status === 'completed' || !isFinal(now)) return done()
  const { code, message } = now.error ?? { code: '', message: now.message }
  const text = maskedLine(message)
  throw new ApiError(KINDS.get(code) ?? 'command-failed', text || `The job ${now.status}`, { details: { object } })
}
