// The `components` of an OpenAPI document: what several operations share is defined there once and referenced by name.
// A schema gets its name where it is declared, by `.meta({ id: 'Pool' })`.
import type * as z from 'zod'
// By this name the build keeps it apart from what a start loads (build/zod.ts).
import { toJSONSchema } from 'zod/v4/core'

export type Json = Record<string, unknown>

/** The kinds of components in this document, besides the security schemes. */
type Kind = 'schemas' | 'responses' | 'parameters'

const DEFINITIONS = '#/$defs/'

export class Components {
  private readonly all: Record<Kind, Map<string, Json>> = {
    schemas: new Map(),
    responses: new Map(),
    parameters: new Map(),
  }

  /**
   * Adds a component and returns a reference to it. The same name for two different values is a mistake in a
   * declaration.
   */
  refer(kind: Kind, name: string, value: Json): Json {
    const known = this.all[kind].get(name)
    if (known && JSON.stringify(known) !== JSON.stringify(value))
      throw new Error(`components.${kind}.${name} stands for two different things`)
    this.all[kind].set(name, value)
    return { $ref: `#/components/${kind}/${name}` }
  }

  /** The JSON Schema of a value. Every named schema in it, itself included, becomes a component. */
  schema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
    const made = toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & { $defs?: Record<string, Json> }
    const { $schema: _, $defs = {}, ...rest } = referring(made)
    for (const [name, definition] of Object.entries($defs)) this.refer('schemas', name, definition)
    return rest
  }

  /** Each kind that has components, sorted by name. */
  toJSON(): Partial<Record<Kind, Json>> {
    const kinds = Object.entries(this.all).filter(([, named]) => named.size > 0)
    return Object.fromEntries(
      kinds.map(([kind, named]) => [kind, Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))]),
    )
  }
}

/** zod nests named schemas inside the schema that uses them; the document keeps all of them in one place. */
function referring<T extends Json>(schema: T): T {
  const text = JSON.stringify(schema, (key, value) =>
    key === '$ref' && typeof value === 'string' && value.startsWith(DEFINITIONS)
      ? `#/components/schemas/${value.slice(DEFINITIONS.length)}`
      : value,
  )
  return JSON.parse(text) as T
}
