// Parses query strings and url-encoded forms. Each surface chooses how strictly: the original ignores what it cannot
// parse, which on a surface with `?dry_run=true` would carry out what the caller only wanted to preview.
import { type ApiError, invalid } from '../../errors.ts'
import { type FieldError, invalidFields } from '../../field-errors.ts'
import { didYouMean, quoted } from '../../nearest.ts'

export type Parameters = Record<string, string>

/** The same where a name may have several values. */
export type Values = Record<string, string | string[]>

/**
 * One value for each name, for uses that take no lists, such as credentials and text fields without a schema: the value
 * that counts in this dialect. Dialects that read a single value already return it as it is.
 */
export const singles = (values: Values, { doubled }: Pick<QueryDialect, 'doubled'>): Parameters =>
  doubled === undefined ? (values as Parameters) : onlyOne(values, doubled === 'first' ? 0 : -1)

function onlyOne(values: Values, at: number): Parameters {
  const one = noParameters()
  for (const name in values) one[name] = [values[name] ?? ''].flat().at(at) ?? ''
  return one
}

/** How a surface reads the query and the form of a request. */
export interface QueryDialect {
  /**
   * `changes`: the call may change or destroy something, so no word of the client may be dropped, whatever the dialect.
   */
  read: (text: string, changes: boolean) => Values
  /** Reads a url-encoded form. */
  readForm: (text: string) => Values
  /**
   * The refusal of a name that neither the surface nor the endpoint knows; `known` lists the accepted names. If left
   * out, unknown names are ignored.
   */
  unknown?: (name: string, known: () => string[]) => ApiError
  /**
   * Which of several values counts where the schema takes no list. If left out, `read` returns one value for each name.
   */
  doubled?: Doubled
  /** The refusal of values; each error says what is allowed. */
  wrong: (first: FieldError, more: FieldError[]) => ApiError
  /** Refuse a body or a condition that the endpoint does not take, instead of ignoring it. */
  strict: boolean
  /** A form field may be repeated, or given in the query as well, with another value: the last one counts. */
  lastWins: boolean
}

/** What happens with repeated values: refuse them, take the first or the last, or pass all of them as a list. */
export type Doubled = 'refuse' | 'first' | 'last' | 'list'

const MOST = 64

/**
 * An empty record without a prototype, for names from outside. What `Object.create(null)` makes is a hash table to V8,
 * and takes three times as long to fill and to walk through.
 */
const noParameters = (): Parameters => Object.setPrototypeOf({}, null)

/**
 * Parameters that name storage. Their values may contain a blank but never a plus, and many programs encode a blank as
 * `+`.
 */
const STORAGE = new Set(['dataset', 'pool', 'resource'])

/** A dialect that refuses unknown names. */
type Refusing = QueryDialect & Required<Pick<QueryDialect, 'unknown'>>

/** Every word must be `name=value`, and each name may occur once. */
export const strictQuery: Refusing = {
  read(text) {
    const parameters = noParameters()
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
  readForm: (text) => readLenient(text, true),
  unknown: (name, known) =>
    invalid(`Unknown query parameter ${quoted(name)}${didYouMean(name, known()) || listed(known())}`, about(name)),
  wrong: (first, more) => invalidFields([first, ...more]),
  strict: true,
  lastWins: false,
}

/**
 * Reads a query as the original does: the last of a repeated name wins, and a name without a value is ignored. Requests
 * that change something are stricter: a name without a value must at least be known, and two different values of one
 * name are refused.
 */
export const lenientQuery: Refusing = {
  read: readLenient,
  readForm: (text) => readLenient(text, true),
  unknown: () => invalid('Unknown parameter'),
  wrong: ({ field }) => invalid(`Invalid value for option: ${field}`),
  strict: false,
  lastWins: false,
}

/** The original's parsing for requests of every kind, including changes. */
export const originalQuery: Refusing = {
  ...lenientQuery,
  read: parseParameters,
  readForm: parseParameters,
  lastWins: true,
}

function readLenient(text: string, changes: boolean): Parameters {
  const parameters = parseParameters(text)
  if (changes && text !== '') refuseContradictions(text, parameters)
  return parameters
}

/** The ways in which other clients' dialects differ. */
export interface QueryHabits {
  /** What `+` stands for. */
  plus: 'itself' | 'blank'
  /** `a` alone, and `a=` in dialects that refuse it: no value and so no word, or the empty text. */
  valueless: 'refuse' | 'ignore' | 'empty'
  doubled: Doubled
  unknown: 'refuse' | 'ignore'
}

/** Makes a dialect with these habits; queries and forms are read alike. */
export function queryDialect(habits: QueryHabits): QueryDialect {
  const read = (text: string) => readBy(habits, text)
  const { unknown, ...rest } = strictQuery
  const dialect: QueryDialect = { ...rest, read, readForm: read, doubled: habits.doubled, strict: false }
  return habits.unknown === 'refuse' ? { ...dialect, unknown } : dialect
}

function readBy({ plus, valueless }: QueryHabits, text: string): Values {
  const values: Values = noParameters()
  if (text === '') return values
  const plain = (part: string) => decode(plus === 'blank' ? part.replaceAll('+', ' ') : part)
  for (const pair of split(text)) {
    const equals = pair.indexOf('=')
    const name = plain(equals < 0 ? pair : pair.slice(0, equals))
    if (name === '' || (equals < 0 && valueless === 'ignore')) continue
    const value = equals < 0 ? '' : plain(pair.slice(equals + 1))
    if (value === '' && valueless === 'refuse')
      throw invalid(`The option ${quoted(name)} has no value: expected name=value`, about(name))
    const known = values[name]
    values[name] = known === undefined ? value : [known, value].flat()
  }
  return values
}

/**
 * Parses `a=b&c=d` as the original does: `+` stays a plus, since a token may contain any printable character. Throws a
 * 400 without details on malformed percent-encoding, or on more than 64 words.
 */
export function parseParameters(text: string): Parameters {
  const parameters = noParameters()
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
    // A name without a value is looked up like every other name.
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
