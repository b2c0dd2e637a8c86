// Builds the request of the manual's form from what was typed. A path parameter may contain slashes; it is encoded as
// one segment.
import { queryText } from '../query-text.ts'
import type { Operation, Schema } from './openapi.ts'
import { example } from './schema-text.ts'

export type Values = Record<string, string>

/** Two parameters of one call may share a name in different places. */
export const keyOf = ({ in: place, name }: { in: string; name: string }) => `${place} ${name}`

export function pathOf({ path, parameters }: Operation, values: Values): string {
  const filled = path.replace(/\{([^}]+)\}/g, (whole, name: string) => {
    const value = values[keyOf({ in: 'path', name })]
    return value ? encodeURIComponent(value) : whole
  })
  const query = new URLSearchParams()
  for (const one of parameters) {
    const value = values[keyOf(one)]
    if (one.in === 'query' && value) query.set(one.name, value)
  }
  return query.size > 0 ? `${filled}?${queryText(query)}` : filled
}

export function headersOf({ parameters }: Operation, values: Values): Record<string, string> {
  const given = parameters.filter((one) => one.in === 'header' && values[keyOf(one)])
  return Object.fromEntries(given.map((one) => [one.name, values[keyOf(one)] ?? '']))
}

/** Path parameters that are still empty. */
export const missing = ({ parameters }: Operation, values: Values): string[] =>
  parameters.filter((one) => one.in === 'path' && !values[keyOf(one)]).map(({ name }) => name)

/** The initial text of the field for a JSON body. */
export const bodyText = (schema: Schema) => JSON.stringify(example(schema), null, 2)

export const isFile = (part: Schema) => part.contentMediaType !== undefined
