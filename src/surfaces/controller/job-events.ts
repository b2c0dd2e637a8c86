// GET /jobs/events, GET /jobs/{id}/log: following jobs. The trap: a reader of the console's cookie may read as long as its session is in
// force, one with a token as long as that is.
import * as z from 'zod'
import { CLOCK } from '../../auth/clock.ts'
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import { inForce } from '../../auth/in-force.ts'
import type { Principal } from '../../auth/principal.ts'
import type { UserStore } from '../../auth/users.ts'
import type { Configuration } from '../../config.ts'
import { raise } from '../../errors.ts'
import { JobChanges } from '../../features/jobs/changes.ts'
import { LONGEST_PAGE, readLog } from '../../features/jobs/log.ts'
import { viewJob } from '../../features/jobs/view.ts'
import type { Folders } from '../../folders.ts'
import { wholeNumber } from '../../http/body/whole-number.ts'
import { ChangeStream } from '../../http/reply/change-stream.ts'
import { EVENTS_TYPE, events, TEXT_TYPE, text } from '../../http/reply/reply.ts'
import { define } from './deps.ts'
import { COLLECTION, jobParams, noJob } from './job.ts'

const tag = 'Jobs'
/** Connections that readers leave to others. */
const LEFT = 24

interface JobEventsOptions {
  folders: Folders
  users: UserStore
  config: Configuration
  /** Those of the console, where it is on. */
  sessions: ConsoleSessions | undefined
  warn: (text: string, error?: unknown) => void
}

/** The one stream of all readers. */
export class JobEvents {
  private readonly options: JobEventsOptions
  private readonly stream: ChangeStream

  constructor(options: JobEventsOptions) {
    const { folders, config, warn } = options
    this.options = options
    this.stream = new ChangeStream({
      changes: new JobChanges(folders, viewJob),
      name: 'job',
      names: 'jobs',
      most: Math.max(1, config.limits.connections - LEFT),
      heartbeat: config.listen['heartbeat-seconds'] * 1000,
      warn,
    })
  }

  open(principal: Principal | undefined, cursor: string | undefined) {
    return this.stream.open(cursor, () => this.may(principal))
  }

  close(): void {
    this.stream.close()
  }

  private may(principal: Principal | undefined): boolean {
    const { users, sessions } = this.options
    const session = principal?.session
    if (principal?.via === 'session') return sessions?.get(session?.id ?? '') !== undefined
    return session !== undefined && session.until > CLOCK.steady() && !!inForce(principal, users.all())
  }
}

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
