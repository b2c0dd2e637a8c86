// What a handler is given: the request's values, checked against the schemas of its declaration.
import type { Context } from 'hono'
import type * as z from 'zod'
import type { Call } from './endpoint.ts'
import { invalid } from './errors.ts'
import type { Parameters } from './query.ts'
import type { Env } from './surface.ts'

/** A class for the sake of its getters: one in an object literal makes a hidden class, which outlives it, with each request. */
export class RequestCall implements Call {
  readonly params: unknown
  readonly body: unknown
  readonly query: Call['query']
  readonly fields: Call['fields']
  readonly files: Call['files']
  readonly principal: Call['principal']
  readonly address: string
  readonly requestId: string
  readonly authenticateAgain: Call['authenticateAgain']
  readonly audit: Call['audit']
  private readonly context: Context<Env>
  private readonly stopping: AbortSignal

  constructor(
    context: Context<Env>,
    stopping: AbortSignal,
    call: Omit<Call, 'signal' | 'respondAsync' | 'lastEventId' | 'acceptsGzip'>,
  ) {
    this.context = context
    this.stopping = stopping
    this.params = call.params
    this.body = call.body
    this.query = call.query
    this.fields = call.fields
    this.files = call.files
    this.principal = call.principal
    this.address = call.address
    this.requestId = call.requestId
    this.authenticateAgain = call.authenticateAgain
    this.audit = call.audit
  }

  get respondAsync(): boolean {
    return /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i.test(this.context.req.header('prefer') ?? '')
  }

  get acceptsGzip(): boolean {
    return /(?:^|,)[ \t]*gzip[ \t]*(?:$|,|;[ \t]*q=(?:1|0\.0{0,2}[1-9]))/i.test(
      this.context.req.header('accept-encoding') ?? '',
    )
  }

  get lastEventId(): string | undefined {
    return this.context.req.header('last-event-id')
  }

  get signal(): AbortSignal {
    return this.stopping.aborted ? this.stopping : this.context.req.raw.signal
  }
}

/** The schema's own words, and the member that they are about: of the caller's text only the name of a member that is none. */
export function validate(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.').slice(0, 100)
  throw invalid(unknown === undefined ? (issue?.message ?? 'Invalid value') : 'Unknown field', { details: { field } })
}

export const pick = (parameters: Parameters, form: object) =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => Object.hasOwn(form, name)))

export function parseQuery(schema: z.ZodObject, parameters: Parameters): Record<string, unknown> {
  const result = schema.safeParse(pick(parameters, schema.shape))
  if (result.success) return result.data
  throw invalid(`Invalid value for option: ${String(result.error.issues[0]?.path[0])}`)
}
