// Reads the JSON that a client uploads, and refuses text that two readers could interpret differently. JSON.parse alone
// silently keeps the last of two equal names, accepts `__proto__` and rounds large numbers.
import { invalid } from '../../../errors.ts'
import { parseWritten } from '../../../store/json-text.ts'
import { decodeText } from '../../../store/text.ts'

export type JsonObject = Record<string, unknown>

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
const FORBIDDEN = ['__proto__', 'constructor', 'prototype']
/** Far deeper than any settings, and safe for the recursion that writes the document again. */
const DEPTH = 64

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The value in `text`. Text that is not JSON is an error without a message, as in the original. `original`: deep values
 * and large numbers are accepted, as there; callers store their text then (`memberText`).
 */
export function readDocument(text: string, mode: 'strict' | 'original' = 'strict'): unknown {
  let value: unknown
  try {
    value = parseWritten(text)
  } catch (cause) {
    throw invalid('', { cause, words: `The file is ${saying(cause)}` })
  }
  checkTokens(text, mode === 'strict')
  return value
}

/**
 * The text of uploaded bytes in their own encoding. What cannot be decoded is refused with the reason, never repaired.
 */
export function decodeDocument(bytes: Uint8Array): string {
  try {
    return decodeText(bytes)
  } catch (cause) {
    throw invalid('', { cause, words: `The file is not JSON in UTF-8. Found: ${saying(cause)}` })
  }
}

const saying = (error: unknown) => (error instanceof Error ? error.message : 'unreadable')

/** The text of a member of the document's object, byte for byte; undefined if there is no such member. */
export function memberText(text: string, name: string): string | undefined {
  let depth = 0
  let previous = ''
  let start = -1
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && start >= 0 && (token === ',' || token === '}')) return text.slice(start, index).trim()
    if (depth === 1 && start < 0 && token === ':' && JSON.parse(previous) === name) start = index + 1
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
    previous = token
  }
  return undefined
}

/** Scans valid JSON, so every token is complete and in its place. */
function checkTokens(text: string, bounded: boolean): void {
  const names: (Set<string> | undefined)[] = []
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (names.push(token === '{' ? new Set() : undefined) > DEPTH && bounded)
        throw invalid('The document is nested too deeply')
    } else if (token === '}' || token === ']') names.pop()
    else if (token === ':') checkName(JSON.parse(previous), names.at(-1)!)
    else if (token.startsWith('"')) checkString(token)
    else if (token !== ',' && bounded) checkNumber(Number(token))
    previous = token
  }
}

function checkName(name: string, names: Set<string>): void {
  if (FORBIDDEN.includes(name)) throw invalid(`Forbidden name in the document. Not allowed: ${FORBIDDEN.join(', ')}`)
  if (names.has(name)) throw invalid('A name is used twice in one object of the document')
  names.add(name)
}

function checkString(token: string): void {
  if (/\p{Surrogate}/u.test(JSON.parse(token))) throw invalid('Half of a surrogate pair in a string of the document')
}

/** `true`, `false` and `null` are not numbers, and are skipped. */
function checkNumber(value: number): void {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw invalid('A number in the document is too large to be kept exactly. Write it as a string')
  }
}
