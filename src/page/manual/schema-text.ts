// A schema in words, and an example value. Limits that only mean "fits into a number" and patterns longer than a line
// are left out.
import type { Schema } from './openapi.ts'

const LONGEST_PATTERN = 60
const FORMATS: Record<string, string> = {
  'date-time': 'date and time, such as 2026-01-31T12:00:00Z',
  email: 'e-mail address',
  password: 'password',
}

/** `text, 1 to 255 characters`, with the schema’s name behind it: `object (Pool)`. */
export function words(schema: Schema): string {
  const name = schema['x-name']
  return name === undefined ? unnamed(schema) : `${unnamed(schema)} (${name})`
}

function unnamed(schema: Schema): string {
  const { anyOf, allOf, enum: options, type } = schema
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (options) return `one of ${options.map(String).join(', ')}`
  const parts = anyOf ?? (type === undefined ? allOf : undefined)
  if (parts) return [...new Set(parts.map(words))].join(anyOf ? ' or ' : ', ')
  const types = [type ?? 'object'].flat()
  return types.map((one) => plain(one, schema)).join(' or ')
}

function plain(type: string, schema: Schema): string {
  switch (type) {
    case 'string':
      return text(schema)
    case 'integer':
      return `whole number${range(schema.minimum, schema.maximum)}`
    case 'number':
      return `number${range(schema.minimum, schema.maximum)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list${count(schema)} of ${words(schema.items ?? {})}`
    case 'object':
      return schema.properties || typeof schema.additionalProperties !== 'object'
        ? 'object'
        : `object whose members are each ${words(schema.additionalProperties)}`
    default:
      return type
  }
}

function text({ format, contentMediaType, pattern, minLength, maxLength, ...schema }: Schema): string {
  if (contentMediaType !== undefined) {
    const most = schema['x-limit-bytes']
    return most === undefined ? 'file' : `file of at most ${most.toLocaleString()} bytes`
  }
  const known = FORMATS[format ?? '']
  if (known !== undefined) return known
  const length = range(minLength, maxLength)
  const form = pattern !== undefined && pattern.length <= LONGEST_PATTERN ? `, of the form ${pattern}` : ''
  return `text${length ? `${length} characters` : ''}${form}`
}

const count = ({ minItems, maxItems }: Schema) => {
  const most = range(minItems, maxItems)
  return most ? ` (${most.slice(2)})` : ''
}

function range(least?: number, most?: number): string {
  const from = least !== undefined && least > Number.MIN_SAFE_INTEGER ? least : undefined
  const to = most !== undefined && most < Number.MAX_SAFE_INTEGER ? most : undefined
  if (from !== undefined && to !== undefined) return `, ${from} to ${to}`
  if (from !== undefined) return `, at least ${from}`
  return to === undefined ? '' : `, at most ${to}`
}

/** The members listed below a schema: its own, or those of its items or alternatives. */
export function membersOf(schema: Schema): { properties: Record<string, Schema>; required: string[] } {
  const inner =
    schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
  if (schema.properties) return { properties: schema.properties, required: schema.required ?? [] }
  if (inner) return membersOf(inner)
  const parts = (schema.anyOf ?? schema.allOf ?? []).map(membersOf)
  return {
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required }) => required),
  }
}

/** A minimal example: required members only. */
export function example(schema: Schema): unknown {
  if (schema.example !== undefined) return schema.example
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const [part] = schema.anyOf ?? schema.allOf ?? []
  if (part && schema.type === undefined) return example(part)
  switch ([schema.type ?? 'object'].flat()[0]) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
      return Math.max(0, schema.minimum ?? 0)
    case 'boolean':
      return false
    case 'array':
      return schema.minItems ? [example(schema.items ?? {})] : []
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, example(schema.properties?.[name] ?? {})]))
    default:
      return null
  }
}
