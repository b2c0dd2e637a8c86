// The `Call` that a handler receives: the request's values, checked against the schemas of its declaration.
import type * as z from 'zod'
import { callerName } from '../../auth/principal.ts'
import { check, invalidFields } from '../../field-errors.ts'
import type { QueryDialect, Values } from '../body/query.ts'
import { together, valuesFor } from '../body/values.ts'
import type { Call } from '../endpoint.ts'
import type { Asked } from '../request.ts'

/**
 * A class because of its getters: an object literal with getters creates a new hidden class for every request, which is
 * never freed.
 */
export class RequestCall implements Call {
  readonly params: unknown
  readonly body: unknown
  readonly query: Call['query']
  readonly input: unknown
  readonly fields: Call['fields']
  readonly files: Call['files']
  readonly principal: Call['principal']
  readonly address: string
  readonly requestId: string
  readonly authenticateAgain: Call['authenticateAgain']
  readonly audit: Call['audit']
  private readonly context: Asked
  private readonly stopping: AbortSignal

  constructor(
    context: Asked,
    stopping: AbortSignal,
    call: Omit<Call, 'by' | 'signal' | 'origin' | 'respondAsync' | 'lastEventId' | 'acceptsGzip'>,
  ) {
    this.context = context
    this.stopping = stopping
    this.params = call.params
    this.body = call.body
    this.query = call.query
    this.input = call.input
    this.fields = call.fields
    this.files = call.files
    this.principal = call.principal
    this.address = call.address
    this.requestId = call.requestId
    this.authenticateAgain = call.authenticateAgain
    this.audit = call.audit
  }

  get by(): Call['by'] {
    return { name: callerName(this.principal), address: this.address }
  }

  get origin(): string {
    return new URL(this.context.req.url).origin
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

/** Parses a value with the schema; throws everything that is wrong with it. */
export function validate(schema: z.ZodType, value: unknown): unknown {
  const result = check(schema, value)
  if (!result.errors) return result.data
  throw invalidFields(result.errors)
}

export const pick = (parameters: Values, form: object): Values =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => Object.hasOwn(form, name)))

export function parseQuery(schema: z.ZodObject, values: Values, dialect: QueryDialect): Record<string, unknown> {
  return parse(schema, valuesFor(schema, values, dialect), dialect, true) as Record<string, unknown>
}

/** Parses path, query and form as one set of values. Query and form must not contradict the path. */
export function parseInput(
  schema: z.ZodObject,
  { path, query, form }: Record<'path' | 'query' | 'form', Values>,
  dialect: QueryDialect,
): unknown {
  const values = valuesFor(schema, { ...together(query, form, dialect), ...path }, dialect)
  // A form may contain a password: error messages do not quote its values.
  return parse(schema, values, dialect, false)
}

function parse(schema: z.ZodObject, values: object, dialect: QueryDialect, echo: boolean): unknown {
  const result = check(schema, values, { echo })
  if (!result.errors) return result.data
  const [first = { field: '', message: '' }, ...more] = result.errors
  throw dialect.wrong(first, more)
}
