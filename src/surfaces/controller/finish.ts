// Slow changes: the contract answers them with what was made, so the request waits for its task. The trap: one that takes longer is not
// cut off; it is answered with 202 and its job, and the client follows that.
import { maskedLine } from '../../features/jobs/redact.ts'
import { viewJob } from '../../features/jobs/view.ts'
import type { Call } from '../../http/endpoint.ts'
import { ApiError, type ErrorKind } from '../../http/errors.ts'
import { json, type Reply } from '../../http/reply.ts'
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
  /** Seconds that the request is held. */
  seconds: number
  /** The object that it is about, for an error's details. */
  object: string
  /** The contract's answer. */
  done: () => Reply | Promise<Reply>
  /** Whether a task that still runs has done what the request asked for (a scrub that has begun). */
  enough?: (task: Task) => boolean
}

/** Answers with `done()` once the task completed, with its error when it failed, and with 202 and the job when it still runs. */
export async function finish(
  call: Pick<Call, 'signal' | 'respondAsync'>,
  { tasks, task, seconds, object, done, enough = () => false }: Finish,
): Promise<Reply> {
  const end = Date.now() + (call.respondAsync ? 0 : seconds * 1000)
  let now = task
  while (!isFinal(now) && !enough(now) && Date.now() < end && !call.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await tasks.settle(task.id)
    now = tasks.get(task.id) ?? now
  }
  if (now.status === 'completed' || (!isFinal(now) && enough(now))) return done()
  if (!isFinal(now)) return json(viewJob(now), 202, { Location: `${COLLECTION}/${now.id}` })
  const { code, message } = now.error ?? { code: '', message: now.message }
  const text = maskedLine(message)
  throw new ApiError(KINDS.get(code) ?? 'command-failed', text || `The job ${now.status}`, { details: { object } })
}
