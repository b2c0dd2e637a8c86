// What is wrong with a value, member by member, in words for people: what was expected, what was found, and of a misspelled member the right
// name. The schemas' own words come first; zod's never leave this file.
import type * as z from 'zod'
import { type ApiError, invalid } from './errors.ts'
import { didYouMean, quoted } from './nearest.ts'

export interface FieldError {
  /** The member: `vdevs.1`, `options.quota`; empty for the value as a whole. */
  field: string
  message: string
  /** Set where the member is not known, or is not there. */
  wrong?: 'unknown' | 'missing'
}

/** The refusal of all of them; what stands first is its message. */
export function invalidFields([first = { field: '', message: 'Invalid value' }, ...more]: FieldError[]): ApiError {
  const errors = [first, ...more].slice(0, MOST).map(({ field, message }) => ({ field, message }))
  return invalid(first.message, { details: { field: first.field, wrong: first.wrong, errors } })
}

/** Nobody mends more at once, and an answer has its bounds. */
const MOST = 20
const LONGEST_NAME = 100

type Raw = z.core.$ZodRawIssue
type Issue = z.core.$ZodIssue

/**
 * The value through its schema, or everything that is wrong with it. `echo`: text that was found may be shown (it is no secret, nor near
 * one). `noun`: what a member is called.
 */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { echo = false, noun = 'member', once = false } = {},
): { data: T; errors?: undefined } | { errors: FieldError[] } {
  const known = new WeakMap<string[], string[]>()
  const error = (issue: Raw) => {
    if (issue.code === 'unrecognized_keys') known.set(issue.keys, Object.keys(shapeOf(issue.inst)))
    return words(issue, echo)
  }
  // zod writes and compiles a function for each object, which pays only from the second value on.
  const result = schema.safeParse(value, { error, ...(once && { jitless: true }) })
  if (result.success) return { data: result.data }
  const errors = result.error.issues.flatMap((issue) => flat(issue, [], { known, noun }))
  // A member that is unknown is often the misspelled one that is missing: it is the one to look at.
  const unknown = errors.filter(({ first }) => first)
  const all = [...unknown, ...errors.filter(({ first }) => !first)].map(({ first, ...error }) => error)
  return { errors: all.slice(0, MOST) }
}

interface Said {
  /** What else an object could have, by the list of its unknown members. */
  known: WeakMap<string[], string[]>
  noun: string
}

interface Flat extends FieldError {
  first?: boolean
}

/** One issue as errors of members: each unknown member for itself, and of a choice the branch that comes nearest. */
function flat(issue: Issue, above: PropertyKey[], said: Said): Flat[] {
  const path = [...above, ...issue.path]
  const field = (...more: string[]) => [...path, ...more].map(String).join('.').slice(0, LONGEST_NAME)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST).map((name) => ({
      field: field(name),
      message: unknownMember(said.noun, name, said.known.get(issue.keys)),
      wrong: 'unknown' as const,
      first: true,
    }))
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.find((branch) =>
      branch.some((one) => one.code !== 'invalid_type' || one.path.length > 0),
    )
    if (nearest) return nearest.flatMap((inner) => flat(inner, path, said))
    const kinds = issue.errors.flatMap((branch) => branch.map(({ message }) => message))
    const isMissing = kinds.every((kind) => kind.startsWith(MISSING))
    return [{ field: field(), message: together(kinds), ...(isMissing && { wrong: 'missing' as const }) }]
  }
  return [{ field: field(), message: issue.message, ...(issue.message.startsWith(MISSING) && { wrong: 'missing' }) }]
}

function unknownMember(noun: string, name: string, known: string[] = []): string {
  const near = didYouMean(name, known)
  const offered = known.length > 0 && known.length <= 12 ? `: expected ${known.join(', ')}` : ''
  return `Unknown ${noun} ${quoted(name)}${near || offered}`
}

const shapeOf = (inst: unknown): object =>
  typeof inst === 'object' && inst !== null && 'shape' in inst && typeof inst.shape === 'object'
    ? (inst.shape ?? {})
    : {}

/** `Expected text, found 5` and `Expected a list, found 5` as one. */
function together(messages: string[]): string {
  const parts = [...new Set(messages)].map((message) =>
    /^(?:Missing: e|E)xpected (.*?)(?:, found (.*))?$/.exec(message),
  )
  const kinds = parts.flatMap((part) => part?.[1] ?? [])
  const found = parts[0]?.[2]
  return kinds.length < parts.length ? messages[0]! : `Expected ${oneOf(kinds)}${found ? `, found ${found}` : ''}`
}

const MISSING = 'Missing: '

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

const FORMS: Record<string, string> = {
  email: 'an e-mail address such as name@example.com',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  date: 'a date such as 2026-01-31',
  url: 'an address such as https://example.com',
}

function words(issue: Raw, echo: boolean): string {
  const expected = expectedBy(issue)
  if (expected === undefined) return 'This value is not allowed'
  if (issue.input === undefined) return `${MISSING}expected ${expected}`
  return `Expected ${expected}, found ${foundIn(issue, echo)}`
}

function expectedBy(issue: Raw): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'number' && isWhole(issue.inst)
        ? KINDS['int']
        : (KINDS[issue.expected] ?? issue.expected)
    case 'invalid_value':
      return oneOf(issue.values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value))))
    case 'too_small':
      return bound(
        issue.origin,
        issue.exact ? 'exactly' : 'at least',
        issue.inclusive === false,
        Number(issue.minimum),
        1,
      )
    case 'too_big':
      return bound(
        issue.origin,
        issue.exact ? 'exactly' : 'at most',
        issue.inclusive === false,
        Number(issue.maximum),
        -1,
      )
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'invalid_format':
      if (issue.format === 'starts_with') return `text that begins with "${String(issue.prefix)}"`
      return FORMS[String(issue.format)]
    default:
      return undefined
  }
}

/** Whether a schema of numbers takes whole ones alone. */
const isWhole = (inst: unknown) =>
  (inst as { _zod?: { def?: { format?: string } } } | undefined)?._zod?.def?.format?.includes('int') === true

const oneOf = (all: string[]) =>
  all.length < 2 ? (all[0] ?? 'nothing') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`

function bound(origin: string, how: string, exclusive: boolean, limit: number, step: number): string {
  if (origin === 'string') return `${how} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array' || origin === 'set') return `${how} ${limit} ${limit === 1 ? 'item' : 'items'}`
  return `a number of ${how} ${exclusive ? limit + step : limit}`
}

/** What was there, so that nobody has to guess which of two readings was taken. Never text that may be a password. */
function foundIn({ code, input }: Raw, echo: boolean): string {
  const counted = code === 'too_small' || code === 'too_big'
  if (typeof input === 'string') {
    if (counted) return input.length === 0 ? 'none' : String(input.length)
    return echo ? `the text ${JSON.stringify(input.slice(0, 40))}` : input === '' ? 'empty text' : 'other text'
  }
  if (Array.isArray(input)) return counted ? String(input.length) : 'a list'
  if (typeof input === 'object' && input !== null) return 'an object'
  return String(input).slice(0, 40)
}
