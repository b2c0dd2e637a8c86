// The OpenAPI documents that have a golden copy, and what of them is compared.

import { Configuration } from '../../src/config.ts'
import { OPTIONAL_ENDPOINTS } from '../../src/endpoint-names.ts'
import { describeAdmin } from '../../src/surfaces/admin/describe.ts'
import { describeController } from '../../src/surfaces/controller/describe.ts'
import { VERSION } from '../../src/version.ts'

/** The console takes two pages of the admin surface's away. */
export const everything = Configuration.parse({
  endpoints: [...OPTIONAL_ENDPOINTS],
  surfaces: { console: { enabled: false } },
})

export const DOCUMENTS = [
  { name: 'admin', make: () => describeAdmin(everything, VERSION) },
  { name: 'controller', make: () => describeController(everything, VERSION) },
] as const

type Json = Record<string, unknown>
const ERROR = '#/components/schemas/Error'

/**
 * The document as it was before it named anything but errors. Written apart from the product's own way of following references, so that
 * one fault cannot hide in both.
 */
export function inlined(document: Json): Json {
  const inline = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inline)
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value)
    const reference = (value as { $ref?: string }).$ref
    if (reference === undefined || reference === ERROR)
      return Object.fromEntries(members.map(([name, member]) => [name, inline(member)]))
    const [, , kind = '', name = ''] = reference.split('/')
    const target = (document['components'] as Record<string, Record<string, Json>>)[kind]?.[name]
    if (!target) throw new Error(`no ${reference}`)
    const beside = Object.fromEntries(members.filter(([member]) => member !== '$ref'))
    return { ...(inline(target) as Json), ...(inline(beside) as Json) }
  }
  const { schemas, securitySchemes } = document['components'] as Record<string, Json>
  const components = { schemas: { Error: inline(schemas?.['Error']) }, securitySchemes }
  return { ...document, paths: inline(document['paths']), components }
}

/** Each schema of the document with where it stands; of a reference, nothing. */
export function schemasOf(document: Json): { at: string; text: string }[] {
  const found: { at: string; text: string }[] = []
  const walk = (value: unknown, at: string, isSchema: boolean) => {
    if (typeof value !== 'object' || value === null) return
    if (isSchema && !('$ref' in value)) found.push({ at, text: JSON.stringify(value) })
    for (const [name, member] of Object.entries(value)) {
      const inProperties = /(?:\/properties|\/anyOf|\/allOf|\/components\/schemas)$/.test(at)
      walk(member, `${at}/${name}`, inProperties || /^(?:schema|items|additionalProperties)$/.test(name))
    }
  }
  walk(document, '', false)
  return found
}
