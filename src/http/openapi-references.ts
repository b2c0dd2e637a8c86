// Resolves the references of an OpenAPI document: the manual shows an operation with everything that belongs to it.
import type { Json } from './openapi-components.ts'

/** The member that holds the component name of a resolved reference. */
export const NAME = 'x-name'

/** The document without references. Members beside a reference, such as a description, override those of the target. */
export function resolveReferences(document: Json): Json {
  const resolve = (value: unknown, inside: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => resolve(item, inside))
    if (typeof value !== 'object' || value === null) return value
    const { $ref, ...rest } = value as Json
    const own = Object.fromEntries(Object.entries(rest).map(([key, member]) => [key, resolve(member, inside)]))
    if (typeof $ref !== 'string') return own
    // A recursive schema ends where it would repeat itself.
    const target = inside.includes($ref) ? {} : (resolve(find(document, $ref), [...inside, $ref]) as Json)
    return { ...target, [NAME]: $ref.slice($ref.lastIndexOf('/') + 1), ...own }
  }
  return resolve(document, []) as Json
}

function find(document: Json, reference: string): unknown {
  let value: unknown = document
  for (const part of reference.slice('#/'.length).split('/')) value = (value as Json | undefined)?.[part]
  if (value === undefined) throw new Error(`The document has no ${reference}`)
  return value
}
