// The original's checks of one member: characters, then length, with the original's messages. Used for settings and
// storage. An empty string passes the check of characters, and fails on its length if the member is required.
import { ApiError, invalid } from '../../../errors.ts'
import { nearest, quoted } from '../../../nearest.ts'
import type { JsonObject } from './document.ts'

/**
 * `original` checks only characters and lengths and drops unknown members; `strict` refuses whatever could not work. It
 * is the configuration's `compat`: the first is for comparisons with the original.
 */
export type Mode = 'strict' | 'original'

export interface Field {
  name: string
  /** Every allowed character, in the order of the message. */
  allowed: string
  min: number
  max: number
  required?: true
}

export const DIGITS = '0123456789'
export const ALPHANUMERIC = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`
export const ADDRESS = 'abcdef0123456789ABCDEF.:'
/** ASCII 33 to 126. */
export const PRINTABLE = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i))

/** The member's text; empty if it is missing. */
export function checkField({ name, allowed, min, max, required }: Field, members: JsonObject, mode: Mode): string {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  const length = () => invalid(`Invalid string length for option: ${name}. Allowed: >= ${min} and <= ${max}`)
  if (value === undefined && !required) return ''
  if (value === undefined || (mode === 'original' && typeof value === 'object' && value !== null)) throw length()
  if (typeof value !== 'string') throw invalid(`Invalid value for option: ${name}. Expected a string`)
  if (value === '' && !required) return ''
  for (const character of value) {
    if (!allowed.includes(character)) {
      throw invalid(`Missing or invalid string for option: ${name}. Allowed: ${allowed}`)
    }
  }
  if (value.length < min || value.length > max) throw length()
  return value
}

/** One error in a document, by member. */
export interface FieldError {
  field: string
  message: string
}

/** Throws all of them at once; the first becomes the message. */
export function refuseAll(errors: readonly FieldError[]): void {
  if (errors[0]) throw invalid(errors[0].message, { details: { errors } })
}

/** Collects what `check` refuses, and continues; other errors are rethrown. */
export function collect<T>(errors: FieldError[], field: string, check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'invalid') throw error
    errors.push({ field, message: error.message })
    return undefined
  }
}

/** The number of unknown members that are named. */
const MOST = 5

/** Refuses unknown members by name, with suggestions. */
export function refuseUnknown(members: JsonObject, allowed: readonly string[], where: string): void {
  const unknown = Object.keys(members).filter((name) => !allowed.includes(name))
  if (unknown.length === 0) return
  const named = unknown.slice(0, MOST).map((name) => {
    const near = nearest(name, allowed)
    return quoted(name) + (near === undefined ? '' : ` (did you mean "${near}"?)`)
  })
  throw invalid(`Unknown option in ${where}: ${named.join(', ')}. Allowed: ${allowed.join(', ')}`)
}
