// GET /jobs, GET /jobs/{id}, POST /jobs/{id}/cancel: the tasks of every surface, in the contract's shape. The trap: tasks of the admin
// surface (an update, a restore) are listed here as well, and who may not start those may not cancel them either (SEC-30).
import * as z from 'zod'
import { mayAct } from '../../auth/principal.ts'
import { ApiError, failedPrecondition, raise } from '../../errors.ts'
import { listViews, settled, viewJob } from '../../features/jobs/view.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import { json } from '../../http/reply/reply.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { define } from './deps.ts'
import { COLLECTION, Job, JobStatus, jobParams, noJob } from './job.ts'

const ONE = `${COLLECTION}/{id}`
const tag = 'Jobs'
const MOST = 1000

/** Tasks that an operator may cancel: storage and services. */
const STORAGE_KINDS: readonly string[] = [
  'dataset-destroy',
  'snapshot-rollback',
  'snapshot-create',
  'snapshot-prune',
  'pool-create',
  'pool-destroy',
  'pool-import',
  'pool-export',
  'pool-scrub',
]

const readJob = async (tasks: Tasks, id: string): Promise<Task> => (await settled(tasks, id)) ?? raise(noJob(id))

export const listJobs = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listJobs',
  tag,
  summary: 'List the jobs, newest first',
  permission: 'viewer',
  query: z.object({ status: JobStatus.optional() }),
  response: z.array(Job),
  async handle({ query }, { tasks }) {
    const jobs = await listViews(tasks, MOST)
    return json(jobs.filter(({ status }) => query['status'] === undefined || status === query['status']))
  },
})

export const getJob = define({
  method: 'GET',
  path: ONE,
  id: 'getJob',
  tag,
  summary: 'Show one job',
  permission: 'viewer',
  params: jobParams,
  query: Wait,
  response: Job,
  errors: [404],
  async handle(call, { tasks }) {
    const { id } = call.params
    const task = await longPoll(
      {
        read: () => readJob(tasks, id),
        underWay: (now) => !isFinal(now),
        state: (now) => JSON.stringify(viewJob(now)),
      },
      call,
    )
    return json(viewJob(task))
  },
})

export const cancelJob = define({
  method: 'POST',
  path: `${ONE}/cancel`,
  id: 'cancelJob',
  duringMaintenance: true,
  action: 'jobs.cancel',
  tag,
  summary: 'Cancel a job that has not ended',
  permission: 'operator',
  params: jobParams,
  response: Job,
  errors: [404, 409],
  async handle({ params: { id }, principal, audit }, { tasks }) {
    const task = await readJob(tasks, id)
    if (!STORAGE_KINDS.includes(task.kind) && !(principal && mayAct(principal, 'administrator')))
      throw new ApiError('forbidden', 'The account’s role does not allow this')
    const last = (await tasks.cancel(id)) ?? raise(noJob(id))
    if (!isFinal(last))
      throw failedPrecondition('The job cannot be ended now. Its log says why', { details: { object: id } })
    // It had ended, or ended by itself meanwhile: then nothing was cancelled.
    if (last.status !== 'cancelled') throw failedPrecondition('The job has ended', { details: { object: id } })
    audit('jobs.cancel', `jobs/${id}`)
    return json(viewJob(last))
  },
})

export const jobsEndpoints = [listJobs, getJob, cancelJob]
