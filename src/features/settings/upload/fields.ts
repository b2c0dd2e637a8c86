// The original's checks of one member: its characters, then its length, in the original's words. Shared by settings and storage.
// The trap: an empty string skips the test of characters and fails, when the member is required, on its length.
import { ApiError, invalid } from '../../../errors.ts'
import { nearest, quoted } from '../../../nearest.ts'
import type { JsonObject } from './document.ts'

/**
 * `original` checks characters and lengths only and drops members it does not know; `strict` refuses whatever could not work.
 * It is the configuration's `compat`: the first exists to be compared with the original.
 */
export type Mode = 'strict' | 'original'

export interface Field {
  name: string
  /** Every character allowed, in the order in which the message lists them. */
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

/** The member's text; empty when it is not there. */
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

/** One thing that is wrong with a document, at its member. */
export interface FieldError {
  field: string
  message: string
}

/** Throws all of them at once; what stands first is the message. */
export function refuseAll(errors: readonly FieldError[]): void {
  if (errors[0]) throw invalid(errors[0].message, { details: { errors } })
}

/** Keeps what `check` refuses, and goes on; what is no refusal of a value passes. */
export function collect<T>(errors: FieldError[], field: string, check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'invalid') throw error
    errors.push({ field, message: error.message })
    return undefined
  }
}

/** So many unknown members are named. */
const MOST = 5

/** Refuses members that nothing reads, by their names and the nearest right ones. */
export function refuseUnknown(members: JsonObject, allowed: readonly string[], where: string): void {
  const unknown = Object.keys(members).filter((name) => !allowed.includes(name))
  if (unknown.length === 0) return
  const named = unknown.slice(0, MOST).map((name) => {
    const near = nearest(name, allowed)
    return quoted(name) + (near === undefined ? '' : ` (did you mean "${near}"?)`)
  })
  throw invalid(`Unknown option in ${where}: ${named.join(', ')}. Allowed: ${allowed.join(', ')}`)
}
