// Query strings and url-encoded forms. How strictly they are read is a property of the surface: the original ignores what it cannot parse,
// which on a surface with `?dry_run=true` would carry out what the caller only wanted to look at.
import { type ApiError, invalid } from '../../errors.ts'
import type { FieldError } from '../../field-errors.ts'
import { didYouMean, quoted } from '../../nearest.ts'

export type Parameters = Record<string, string>

/** How a surface reads the words of a request. */
export interface QueryDialect {
  /** `changes`: the call may change or destroy something. There nothing that the caller wrote may be dropped, whatever the dialect. */
  read: (text: string, changes: boolean) => Parameters
  /** The refusal of a word that neither the surface nor the declaration knows; `known` are those that they do. */
  unknown: (name: string, known: () => string[]) => ApiError
  /** The refusal of values; each error says what is allowed. */
  wrong: (first: FieldError, more: FieldError[]) => ApiError
  /** Everything that a caller wrote counts: a body, or a condition, that the endpoint does not take is refused. */
  strict: boolean
  /** A part of a form, or a parameter beside it, may come again with another value: then the last one counts. */
  lastWins: boolean
}

const MOST = 64

/** Their values name storage, which may hold a blank and never a plus: many programs write the one as the other. */
const STORAGE = new Set(['dataset', 'pool', 'resource'])

/** Every word is a name with a value, once. */
export const strictQuery: QueryDialect = {
  read(text) {
    const parameters: Parameters = Object.create(null)
    if (text === '') return parameters
    for (const pair of split(text)) {
      const equals = pair.indexOf('=')
      const name = decode(
        equals < 0 ? pair : pair.slice(0, equals),
        'The name of a query parameter is not well encoded',
      )
      if (name === '') throw invalid('A query parameter without a name: expected name=value')
      const refuse = (what: string) => invalid(`The query parameter ${quoted(name)} ${what}`, about(name))
      const written = equals < 0 ? '' : pair.slice(equals + 1)
      const value = decode(
        STORAGE.has(name) ? written.replaceAll('+', ' ') : written,
        `The query parameter ${quoted(name)} is not well encoded`,
      )
      if (value === '') throw refuse('has no value: expected name=value')
      if (name in parameters) throw refuse('came more than once')
      parameters[name] = value
    }
    return parameters
  },
  unknown: (name, known) =>
    invalid(`Unknown query parameter ${quoted(name)}${didYouMean(name, known()) || listed(known())}`, about(name)),
  wrong: (first, more) => invalid(first.message, { details: { field: first.field, errors: [first, ...more] } }),
  strict: true,
  lastWins: false,
}

/**
 * As the original reads them: the last of a repeated name wins, a word without a value is ignored. Not where something is changed: there a
 * word without a value must at least be one that is known, and two values of one name contradict each other.
 */
export const lenientQuery: QueryDialect = {
  read(text, changes) {
    const parameters = parseParameters(text)
    if (changes && text !== '') refuseContradictions(text, parameters)
    return parameters
  },
  unknown: () => invalid('Unknown parameter'),
  wrong: ({ field }) => invalid(`Invalid value for option: ${field}`),
  strict: false,
  lastWins: false,
}

/** As the original reads them, wherever they come. */
export const originalQuery: QueryDialect = { ...lenientQuery, read: parseParameters, lastWins: true }

/**
 * Parses `a=b&c=d` as the original does: `+` stays a plus, since a token may hold any printable character. Throws a bare 400 on malformed
 * percent-encoding, or more than 64 words.
 */
export function parseParameters(text: string): Parameters {
  const parameters: Parameters = Object.create(null)
  if (text === '') return parameters
  for (const pair of split(text)) {
    const equals = pair.indexOf('=')
    if (equals <= 0) continue
    parameters[decode(pair.slice(0, equals))] = decode(pair.slice(equals + 1))
  }
  return parameters
}

function refuseContradictions(text: string, parameters: Parameters): void {
  for (const pair of split(text)) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    if (name === '') continue
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    // A word without a value is looked up as every other name is.
    parameters[name] ??= value
    if (parameters[name] !== value) throw contradiction(name)
  }
}

export const contradiction = (name: string) =>
  invalid(`The option ${quoted(name)} came more than once, with different values`, about(name))

const about = (name: string) => ({ details: { field: name.slice(0, 100) } })

const listed = (known: string[]) =>
  known.length === 0 ? ': this request takes none' : `: expected ${[...known].sort().join(', ')}`

function split(text: string): string[] {
  const pairs = text.split('&', MOST + 1)
  if (pairs.length > MOST) throw invalid('Too many parameters')
  return pairs
}

function decode(text: string, message = ''): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(message, { words: 'Expected percent-encoded UTF-8 in the parameters' })
  }
}
