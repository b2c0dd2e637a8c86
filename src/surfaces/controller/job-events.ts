// GET /jobs/events, GET /jobs/{id}/log: following jobs. The trap: a reader stays for days, its token does not; whether it may still read is
// asked at each heartbeat.
import * as z from 'zod'
import { inForce } from '../../auth/in-force.ts'
import type { Session } from '../../auth/principal.ts'
import type { UserStore } from '../../auth/users.ts'
import type { Configuration } from '../../config.ts'
import { JobChanges } from '../../features/jobs/changes.ts'
import { LONGEST_PAGE, readLog } from '../../features/jobs/log.ts'
import type { Folders } from '../../folders.ts'
import { raise } from '../../http/errors.ts'
import { event, Readers } from '../../http/readers.ts'
import { TEXT_TYPE, text } from '../../http/reply.ts'
import { define } from './deps.ts'
import { COLLECTION, jobParams, noJob, viewJob } from './job.ts'

const EVENTS_TYPE = 'text/event-stream'
const tag = 'Jobs'
/** Connections that readers leave to others. */
const LEFT = 24

interface JobEventsOptions {
  folders: Folders
  users: UserStore
  config: Configuration
  warn: (text: string, error?: unknown) => void
}

/** The one stream of all readers. */
export class JobEvents {
  private readonly options: JobEventsOptions
  private readonly changes: JobChanges
  private readonly readers: Readers

  constructor(options: JobEventsOptions) {
    const { folders, config } = options
    this.options = options
    this.changes = new JobChanges(folders, viewJob)
    this.readers = new Readers({
      most: Math.max(1, config.limits.connections - LEFT),
      heartbeat: config.surfaces.controller['heartbeat-seconds'] * 1000,
      look: () => this.look(),
    })
  }

  /** What a new reader has to hear first, and how it goes on. Both in one step: nothing can change in between. */
  open(session: Session | undefined, cursor: string | undefined) {
    const { readers } = this
    readers.check()
    this.look()
    const missed = cursor === undefined ? undefined : this.changes.since(cursor)
    const views = missed ?? this.changes.all()
    const first = missed ? [] : [{ name: 'reset', data: JSON.stringify({ jobs: views.length }) }]
    const events = [...first, ...views.map((data) => ({ name: 'job', data }))]
    // Only the last says where its reader is: whoever is cut off before it hears all of this again.
    const said = events.map(({ name, data }, i) =>
      event(name, data, i === events.length - 1 ? this.changes.cursor() : undefined),
    )
    return (outgoing: Parameters<typeof readers.join>[0]) => {
      outgoing.write(`retry: 2000\n\n${said.join('')}`)
      readers.join(outgoing, () => this.may(session))
    }
  }

  close(): void {
    this.readers.close()
  }

  private look(): void {
    try {
      const said = this.changes.look().map(({ view, cursor }) => event('job', view, cursor))
      if (said.length > 0) this.readers.send(said.join(''))
    } catch (error) {
      // They come back, and hear what they missed or that it cannot be told.
      this.options.warn('the jobs cannot be read for their readers', error)
      this.readers.cut()
    }
  }

  private may(session: Session | undefined): boolean {
    return session !== undefined && session.expires * 1000 > Date.now() && !!inForce(session, this.options.users.all())
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
  handle({ principal, lastEventId }, { jobEvents }) {
    const follow = jobEvents.open(principal?.session, lastEventId)
    // Behind a stream that ended there is nothing to reuse.
    return { status: 200, headers: { 'Content-Type': EVENTS_TYPE, Connection: 'close' }, body: '', follow }
  },
})

const whole = (most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .refine((number) => number <= most)
    .optional()

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
    offset: whole(2 ** 48).meta({ type: 'integer', description: 'bytes' }),
    limit: whole(LONGEST_PAGE)
      .refine((limit) => limit !== 0)
      .meta({ type: 'integer', description: `bytes, 1 to ${LONGEST_PAGE}; lines are never cut` }),
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
