// Cancels a job, for a caller who may. The trap: jobs of every surface are cancelled here, an update and a restore as well; callers who may
// not start a job may not cancel it either (SEC-30).
import { mayAct, type Principal } from '../../auth/principal.ts'
import { ApiError, failedPrecondition, raise } from '../../errors.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { getJob, noJob } from './view.ts'

/** Jobs that an operator may cancel: those of storage. */
const STORAGE_KINDS: readonly string[] = [
  'dataset-destroy',
  'dataset-permissions',
  'snapshot-rollback',
  'snapshot-create',
  'snapshot-prune',
  'pool-create',
  'pool-destroy',
  'pool-import',
  'pool-export',
  'pool-scrub',
  'disk-wipe',
  'pool-replace',
  'pool-attach',
  'pool-detach',
  'pool-online',
  'pool-offline',
  'pool-add',
  'pool-remove',
  'pool-clear',
  'pool-trim',
  'pool-upgrade',
  'pool-set',
]

export async function cancelJob(tasks: Tasks, id: string, by: Principal | undefined): Promise<Task> {
  const { kind } = await getJob(tasks, id)
  if (!STORAGE_KINDS.includes(kind) && !(by && mayAct(by, 'administrator')))
    throw new ApiError('forbidden', 'The account’s role does not allow this')
  const last = (await tasks.cancel(id)) ?? raise(noJob(id))
  const details = { object: id }
  if (!isFinal(last)) throw failedPrecondition('The job cannot be ended now. Its log says why', { details })
  // It had ended, or ended by itself meanwhile: then nothing was cancelled.
  if (last.status !== 'cancelled') throw failedPrecondition('The job has ended', { details })
  return last
}
