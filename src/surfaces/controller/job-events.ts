// GET /jobs/events, GET /jobs/{id}/log: following jobs.
import * as z from 'zod'
import { raise } from '../../errors.ts'
import { LONGEST_PAGE, readLog } from '../../features/jobs/log.ts'
import { noJob } from '../../features/jobs/view.ts'
import { wholeNumber } from '../../http/body/whole-number.ts'
import { EVENTS_TYPE, events, TEXT_TYPE, text } from '../../http/reply/reply.ts'
import { define } from './context.ts'
import { COLLECTION, jobParams } from './job-view.ts'

const tag = 'Jobs'
export const followJobs = define({
  method: 'GET',
  path: `${COLLECTION}/events`,
  id: 'followJobs',
  tag,
  summary: 'Follow every change of every job, as server-sent events',
  description:
    'Each `event: job` carries a Job. A reader that sends Last-Event-ID hears what it missed; any other, or one that was away for too long, hears `event: reset` and then every job as it is now.',
  permission: 'viewer',
  response: EVENTS_TYPE,
  errors: [503],
  handle: ({ principal, lastEventId }, { jobEvents }) => events(jobEvents.open(principal, lastEventId)),
})

export const getJobLog = define({
  method: 'GET',
  path: `${COLLECTION}/{id}/log`,
  id: 'getJobLog',
  tag,
  summary: 'Read the log of a job, without the secrets in it',
  description:
    'From the line on that holds `offset`. The header X-Next-Offset is where the next page begins; while the job runs, an empty page means that nothing was added yet.',
  permission: 'viewer',
  params: jobParams,
  query: z.object({
    offset: wholeNumber(0, 2 ** 48, { description: 'bytes' }),
    limit: wholeNumber(1, LONGEST_PAGE, { description: `bytes, 1 to ${LONGEST_PAGE}; lines are never cut` }),
  }),
  response: TEXT_TYPE,
  errors: [404],
  handle({ params: { id }, query }, { tasks, folders }) {
    const task = tasks.get(id) ?? raise(noJob(id))
    const offset = Number(query['offset'] ?? 0)
    const { bytes, next } = readLog(folders, task, offset, Number(query['limit'] ?? LONGEST_PAGE))
    return text(bytes, { 'Content-Type': `${TEXT_TYPE}; charset=utf-8`, 'X-Next-Offset': String(next) })
  },
})

export const jobEventsEndpoints = [followJobs, getJobLog]
