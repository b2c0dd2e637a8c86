// Waits for a job on behalf of a request: it is done, it still runs when the request has waited long enough, or its failure is thrown.
import { ApiError, type ErrorKind } from '../../errors.ts'
import type { PendingAudit } from '../../tasks/pending-audit.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { CONFLICTS } from '../zfs/failure.ts'
import { maskedLine } from './redact.ts'

export interface Waiting {
  /** Seconds that the request is held. */
  seconds: number
  /** Whether nobody waits any more: the client went away, or the server stops. */
  isGone: () => boolean
  /** Whether a job that still runs has done what was asked for (a scrub that has begun). */
  enough?: ((task: Task) => boolean) | undefined
  /** The object that it is about, for the failure. */
  object: string
  /** The audit entry of the end, for when the request does not see it. */
  entry: PendingAudit
  /** Called once the request has seen the end, before a failure is thrown: it writes the entry itself, and then calls `tasks.attended`. */
  ended: () => void
}

export interface Outcome {
  state: 'done' | 'running'
  task: Task
}

const POLL = 50

export async function outcome(
  tasks: Pick<Tasks, 'attend' | 'settle' | 'get' | 'leave'>,
  task: Task,
  { seconds, isGone, enough = () => false, object, entry, ended }: Waiting,
): Promise<Outcome> {
  const { id } = task
  tasks.attend(id, entry)
  const until = performance.now() + seconds * 1000
  const isOver = (now: Task) => isFinal(now) || enough(now)
  let now = task
  while (!isOver(now) && performance.now() < until && !isGone()) {
    await new Promise((resolve) => setTimeout(resolve, POLL))
    await tasks.settle(id)
    now = tasks.get(id) ?? now
  }
  if (!isOver(now)) now = tasks.leave(id) ?? now
  if (!isOver(now)) return { state: 'running', task: now }
  ended()
  if (isFinal(now) && now.status !== 'completed') throw failureOfJob(now, object)
  return { state: 'done', task: now }
}

/** What a script may say in `fail CODE "text"`; any other code is its program's own failure. */
const KINDS: ReadonlyMap<string, ErrorKind> = new Map([
  ['INVALID', 'invalid'],
  ['NOT_FOUND', 'not-found'],
  ['BUSY', 'locked'],
  ['CANCELLED', 'cancelled'],
  ['NO_SPACE', 'no-space'],
  ['UNAVAILABLE', 'unavailable'],
])

/** What CONFLICT is about, by the words of the scripts, of zfs and of zpool; the first that fits. */
const IN_THE_WAY: readonly (readonly [RegExp, ErrorKind])[] = [
  [/ meanwhile: ask again$/, 'changed'],
  ...CONFLICTS,
  [/is part of|in use|contains a/, 'in-use'],
]

function failureOfJob({ status, error, message: said }: Task, object: string): ApiError {
  const { code, message } = error ?? { code: '', message: said }
  const words = maskedLine(message)
  const kind =
    code === 'CONFLICT'
      ? (IN_THE_WAY.find(([pattern]) => pattern.test(words))?.[1] ?? 'failed-precondition')
      : (KINDS.get(code) ?? 'command-failed')
  return new ApiError(kind, words || `The job ${status}`, { details: { object } })
}
