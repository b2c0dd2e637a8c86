// From the words of a request to what a schema is given: one value or a list for each name, and names that are known by their beginning.
import type * as z from 'zod'
import { invalid } from '../../errors.ts'
import { quoted } from '../../nearest.ts'
import { contradiction, type Parameters, type QueryDialect, singles, type Values } from './query.ts'

type Shape = z.ZodObject['shape']

/** The member of a shape that takes a name: its own, or `match_*` for all that begin so. */
export function memberFor(shape: Shape, name: string): string | undefined {
  if (Object.hasOwn(shape, name)) return name
  for (const member in shape) {
    if (member.endsWith('*') && name.length >= member.length && name.startsWith(member.slice(0, -1))) return member
  }
  return undefined
}

/** What the schema is given of the values. Those of `match_*` come as one record, by the rest of their names. */
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

/** Whether a schema takes all values of a name, behind whatever makes it optional or another type. */
function takesList(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false
  const { type, innerType, in: first } = schema._zod.def as { type: string; innerType?: Inner; in?: Inner }
  return type === 'array' || takesList(innerType ?? first)
}
type Inner = z.core.$ZodType

/** Query and form as one set: where a name is in both, the query's values come first, or the two may not contradict each other. */
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
 * The same as one value of each name, for what has no schema: credentials, and the text parts of a form. Where a dialect takes no name twice,
 * those of `names` that came twice are refused.
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
