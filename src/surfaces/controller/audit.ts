// GET /audit: the entries of every surface, newest first. Only administrators may read them, and nobody may change
// them.
import * as z from 'zod'
import { Timestamp } from '../../features/timestamp.ts'
import { wholeNumber } from '../../http/body/whole-number.ts'
import { json } from '../../http/reply/reply.ts'
import type { Entry } from '../../store/audit/record.ts'
import { define, PREFIX } from './context.ts'

const MOST = 1000
const USUAL = 100
const Result = z.enum(['success', 'failure']).meta({ id: 'AuditResult' })

/** A filter value: limited in length, and without characters that no entry contains. */
const Text = z.string().min(1).max(512)
const Time = z.iso.datetime({ offset: true }).meta({ id: 'TimestampWithOffset' })

export const AuditLog = z
  .object({
    id: z.string(),
    actor: z
      .string()
      .describe(
        'The account’s id, "token" for the API token of the admin surface, "nobody", "system" or "local" (a command)',
      ),
    actor_name: z.string().optional().describe('What the account is called, or what somebody claimed to be'),
    action: z.string(),
    resource: z.string(),
    result: Result,
    message: z.string().optional(),
    ip: z.string().optional(),
    user_agent: z.string().optional(),
    request_id: z.string().optional(),
    timestamp: Timestamp,
  })
  .meta({ id: 'AuditLog' })

const id = (seq: number) => `audit-${seq}`

export const viewEntry = (entry: Entry): z.infer<typeof AuditLog> => {
  const { seq, time, actor, name, action, resource, result, message, ip, agent, request } = entry
  return {
    id: id(seq),
    actor,
    ...(name !== undefined && { actor_name: name }),
    action,
    resource,
    result,
    ...(message !== undefined && { message }),
    ...(ip !== undefined && { ip }),
    ...(agent !== undefined && { user_agent: agent }),
    ...(request !== undefined && { request_id: request }),
    timestamp: time,
  }
}

const Query = z.object({
  actor: Text.optional().describe('Filter by actor (user ID, or its name)'),
  action: Text.optional().describe('Filter by action (e.g., "pools.create")'),
  resource: Text.optional().describe('Filter by resource: this one and everything below it'),
  limit: wholeNumber(1, MOST, { default: USUAL, description: `Limit number of results (1 to ${MOST})` }),
  result: Result.optional().describe('Filter by result'),
  since: Time.optional().describe('Entries of this instant and later'),
  until: Time.optional().describe('Entries before this instant'),
  before: z
    .string()
    .regex(/^audit-[1-9][0-9]{0,14}$/, 'Expected the id of an entry, such as audit-42')
    .optional()
    .describe('Entries older than the one with this id: the next page begins after the last id of this one'),
})

export const listAuditLogs = define({
  method: 'GET',
  path: `${PREFIX}/audit`,
  id: 'listAuditLogs',
  tag: 'Audit',
  summary: 'List the entries of the audit log, newest first',
  permission: 'administrator',
  query: Query,
  response: z.array(AuditLog),
  async handle({ query }, { chain }) {
    const { limit = USUAL, since, until, before, ...terms } = query as z.output<typeof Query>
    const entries = await chain.findInTurns({
      ...terms,
      limit,
      since: since === undefined ? undefined : Date.parse(since),
      until: until === undefined ? undefined : Date.parse(until),
      before: before === undefined ? undefined : Number(before.slice('audit-'.length)),
    })
    return json(entries.map(viewEntry))
  },
})
