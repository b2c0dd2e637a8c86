// Query strings and url-encoded forms as the original reads them: the last of a repeated name wins, `+` stays a plus, a word without
// a value is ignored. The trap: a token may hold any printable character, so nothing is decoded but percent-encoding.
import { invalid } from './errors.ts'

export type Parameters = Record<string, string>

/** Parses `a=b&c=d`. Throws a bare 400 on malformed percent-encoding, NUL, or more than 64 names. */
export function parseParameters(text: string): Parameters {
  const parameters: Parameters = Object.create(null)
  if (text === '') return parameters
  const pairs = text.split('&')
  if (pairs.length > 64) throw invalid('Too many parameters')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals <= 0) continue
    parameters[decode(pair.slice(0, equals))] = decode(pair.slice(equals + 1))
  }
  return parameters
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('', { words: 'Expected percent-encoded UTF-8 in the parameters' })
  }
}
