// The `components` of an OpenAPI document: what several operations share stands there once, under a name, and is referred to.
// A schema is named where it is declared, by `.meta({ id: 'Pool' })`.
import * as z from 'zod'

export type Json = Record<string, unknown>

/** The kinds of components that this document has besides the security schemes. */
type Kind = 'schemas' | 'responses' | 'parameters'

const DEFINITIONS = '#/$defs/'

export class Components {
  private readonly all: Record<Kind, Map<string, Json>> = {
    schemas: new Map(),
    responses: new Map(),
    parameters: new Map(),
  }

  /** Adds a component and returns a reference to it. The same name for two different things is a mistake in a declaration. */
  refer(kind: Kind, name: string, value: Json): Json {
    const known = this.all[kind].get(name)
    if (known && JSON.stringify(known) !== JSON.stringify(value))
      throw new Error(`components.${kind}.${name} stands for two different things`)
    this.all[kind].set(name, value)
    return { $ref: `#/components/${kind}/${name}` }
  }

  /** The JSON Schema of a value. Every named schema in it, and it itself where it has a name, becomes a component. */
  schema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
    const made = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & { $defs?: Record<string, Json> }
    const { $schema: _, $defs = {}, ...rest } = referring(made)
    for (const [name, definition] of Object.entries($defs)) this.refer('schemas', name, definition)
    return rest
  }

  /** Each kind that there is any of, its names in order. */
  toJSON(): Partial<Record<Kind, Json>> {
    const kinds = Object.entries(this.all).filter(([, named]) => named.size > 0)
    return Object.fromEntries(
      kinds.map(([kind, named]) => [kind, Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))]),
    )
  }
}

/** zod puts named schemas below the schema that uses them; a document has one place for all of them. */
function referring<T extends Json>(schema: T): T {
  const text = JSON.stringify(schema, (key, value) =>
    key === '$ref' && typeof value === 'string' && value.startsWith(DEFINITIONS)
      ? `#/components/schemas/${value.slice(DEFINITIONS.length)}`
      : value,
  )
  return JSON.parse(text) as T
}
