// GET /jobs, GET /jobs/{id}, POST /jobs/{id}/cancel: the tasks of every surface, in the contract's shape.
import * as z from 'zod'
import { cancelJob } from '../../features/jobs/cancel.ts'
import { getJob, listViews, viewJob } from '../../features/jobs/view.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import { json } from '../../http/reply/reply.ts'
import { isFinal } from '../../tasks/task.ts'
import { define } from './context.ts'
import { COLLECTION, Job, JobStatus, jobParams } from './job-view.ts'

const ONE = `${COLLECTION}/{id}`
const tag = 'Jobs'
const MOST = 1000

const list = define({
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

const get = define({
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
        read: () => getJob(tasks, id),
        underWay: (now) => !isFinal(now),
        state: (now) => JSON.stringify(viewJob(now)),
      },
      call,
    )
    return json(viewJob(task))
  },
})

const cancel = define({
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
    const job = await cancelJob(tasks, id, principal)
    audit('jobs.cancel', `jobs/${id}`)
    return json(viewJob(job))
  },
})

export const jobsEndpoints = [list, get, cancel]
