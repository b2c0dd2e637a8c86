// Turns the values of a request into what a schema takes: one value or a list for each name, and names matched by
// prefix.
import type * as z from 'zod'
import { invalid } from '../../errors.ts'
import { quoted } from '../../nearest.ts'
import { contradiction, type Parameters, type QueryDialect, singles, type Values } from './query.ts'

type Shape = z.ZodObject['shape']

/** The member of a shape that takes a name: the member of that name, or `match_*` for all names with that prefix. */
export function memberFor(shape: Shape, name: string): string | undefined {
  if (Object.hasOwn(shape, name)) return name
  for (const member in shape) {
    if (member.endsWith('*') && name.length >= member.length && name.startsWith(member.slice(0, -1))) return member
  }
  return undefined
}

/** The input for the schema. Values of `match_*` are collected in one record, keyed by the rest of their names. */
export function valuesFor({ shape }: z.ZodObject, values: Values, dialect: QueryDialect): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  for (const name in values) {
    const member = memberFor(shape, name)
    if (member === undefined) continue
    const value = values[name] ?? ''
    if (member === name) given[name] = settle(name, value, dialect, takesList(shape[name]))
    else {
      given[member] ??= Object.create(null)
      const record = given[member] as Record<string, unknown>
      record[name.slice(member.length - 1)] = settle(name, value, dialect, false)
    }
  }
  return given
}

function settle(name: string, value: string | string[], { doubled }: QueryDialect, list: boolean) {
  if (list) return [value].flat()
  if (doubled === undefined || typeof value === 'string' || doubled === 'list') return value
  if (doubled === 'refuse') throw cameTwice(name)
  return value.at(doubled === 'first' ? 0 : -1)
}

const cameTwice = (name: string) => invalid(`The option ${quoted(name)} came more than once`, about(name))
const about = (name: string) => ({ details: { field: name.slice(0, 100) } })

/** Whether a schema takes a list of values, looking through optional and transforming wrappers. */
function takesList(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false
  const { type, innerType, in: first } = schema._zod.def as { type: string; innerType?: Inner; in?: Inner }
  return type === 'array' || takesList(innerType ?? first)
}
type Inner = z.core.$ZodType

/**
 * Query and form as one set of values. For a name in both, the dialect either puts the query's values first or refuses
 * a contradiction.
 */
export function together(query: Values, form: Values, { doubled, lastWins }: QueryDialect): Values {
  const all: Values = Object.assign(Object.create(null), form)
  for (const name in query) {
    const [asked = '', sent] = [query[name], form[name]]
    if (sent === undefined) all[name] = asked
    else if (doubled !== undefined) all[name] = [asked, sent].flat()
    else if (lastWins || asked === sent) all[name] = asked
    else throw contradiction(name)
  }
  return all
}

/**
 * The same with one value for each name, for values without a schema: credentials, and the text fields of a form. A
 * dialect that refuses repeated names refuses those of `names` that are repeated.
 */
export function oneOfEach(
  query: Values,
  form: Values | undefined,
  dialect: QueryDialect,
  names: readonly string[],
): Parameters {
  if (dialect.doubled === undefined)
    return form ? Object.assign(Object.create(null), form, query) : (query as Parameters)
  const all = together(query, form ?? {}, dialect)
  for (const name of names) {
    if (dialect.doubled === 'refuse' && Array.isArray(all[name])) throw cameTwice(name)
  }
  return singles(all, dialect)
}
