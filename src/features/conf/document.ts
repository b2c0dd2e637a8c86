// Reads the JSON that a client uploads. Text that two readers could take in two ways is refused before anything is looked at.
// The trap: JSON.parse alone keeps the last of two equal names, takes `__proto__` and rounds large numbers, all without a word.
import { invalid } from '../../http/errors.ts'

export type JsonObject = Record<string, unknown>

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
const FORBIDDEN = ['__proto__', 'constructor', 'prototype']
/** Far deeper than any settings, far shallower than the stack of what writes the document again. */
const DEPTH = 64

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value in `text`. What is no JSON at all is an error without words, as the original's. */
export function readDocument(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('', { cause })
  }
  checkTokens(text)
  return value
}

/** The text of uploaded bytes. Malformed UTF-8 is refused, never repaired; a byte order mark stays, and is no JSON. */
export function decodeDocument(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw invalid('', { cause })
  }
}

/** Walks text that is known to be JSON, so that every token is whole and in its place. */
function checkTokens(text: string): void {
  const names: (Set<string> | undefined)[] = []
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (names.push(token === '{' ? new Set() : undefined) > DEPTH) throw invalid('The document is nested too deeply')
    } else if (token === '}' || token === ']') names.pop()
    else if (token === ':') checkName(JSON.parse(previous), names.at(-1)!)
    else if (token.startsWith('"')) checkString(token)
    else if (token !== ',') checkNumber(Number(token))
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

/** `true`, `false` and `null` are not numbers, and pass. */
function checkNumber(value: number): void {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw invalid('A number in the document is too large to be kept exactly. Write it as a string')
  }
}
