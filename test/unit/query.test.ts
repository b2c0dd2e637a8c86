// Query strings as the original reads them. A token is any printable text, so `+` is a plus and only percent-encoding
// is undone.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { lenientQuery, originalQuery, parseParameters, strictQuery } from '../../src/http/body/query.ts'
import { runs } from '../harness/fuzz.ts'

const parse = (text: string) => ({ ...parseParameters(text) })
function refusal(text: string): ApiError {
  try {
    parseParameters(text)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('a query string', () => {
  it('gives its parameters', () => {
    expect(parse('')).toEqual({})
    expect(parse('token=a&hash=b')).toEqual({ token: 'a', hash: 'b' })
  })
  it('keeps a plus, and everything behind the first equals sign', () => {
    expect(parse('token=a+b=c')).toEqual({ token: 'a+b=c' })
  })
  it('takes the last of a repeated name', () => expect(parse('a=1&a=2&a=')).toEqual({ a: '' }))
  it('ignores words without a value, and values without a name', () => expect(parse('foo&=x&&a=1')).toEqual({ a: '1' }))
  it('undoes percent-encoding in names and values', () => expect(parse('%74oken=%C3%A9%26')).toEqual({ token: 'é&' }))
  it('is refused with a bare 400 when its percent-encoding is broken', () => {
    for (const text of ['a=%', 'a=%4', 'a=%zz', 'a=%ff', '%c0%ae=1']) {
      expect([text, refusal(text).kind, refusal(text).message]).toEqual([text, 'invalid', ''])
    }
  })
  it('is refused with more than 64 words', () => {
    expect(Object.keys(parse(Array.from({ length: 64 }, (_, i) => `a${i}=1`).join('&')))).toHaveLength(64)
    expect(refusal('&'.repeat(64)).message).toBe('Too many parameters')
  })
  it('SEC-39 has no prototype that a name could reach', () => {
    const parameters = parseParameters('__proto__=x&constructor=y&toString=z')
    expect(Object.getPrototypeOf(parameters)).toBeNull()
    expect(Object.keys(parameters)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
  it('comes back as what was encoded', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cs}/u.test(text))
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cs}/u.test(text))
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 20 }), (pairs) => {
        const text = pairs.map(([key, item]) => `${encodeURIComponent(key)}=${encodeURIComponent(item)}`).join('&')
        expect(Object.entries(parseParameters(text)).sort()).toEqual([...new Map(pairs)].sort())
      }),
    )
  })
  it('never throws anything but a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseParameters(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }),
      { numRuns: runs(2000) },
    )
  })
})

describe('a strict query', () => {
  it('takes a plus for a blank where it names storage, and nowhere else', () => {
    const text =
      'dataset=tank/My+Photos&pool=a+b&resource=datasets/tank/My+Photos&since=2026-01-01T00:00:00+01:00&x=a+b'
    expect({ ...strictQuery.read(text, false) }).toEqual({
      ...{ dataset: 'tank/My Photos', pool: 'a b', resource: 'datasets/tank/My Photos' },
      ...{ since: '2026-01-01T00:00:00+01:00', x: 'a+b' },
    })
    expect(strictQuery.read('resource=a%2Bb+%20c', false)['resource']).toBe('a+b  c')
  })
})

describe('a strict query of one kind of mistake', () => {
  const wrong = (text: string) => {
    try {
      strictQuery.read(text, false)
      return 'taken'
    } catch (error) {
      return error instanceof ApiError ? [error.message || error.words, error.details?.['field']] : error
    }
  }

  it.each([
    ['a', ['The query parameter "a" has no value: expected name=value', 'a']],
    ['a=', ['The query parameter "a" has no value: expected name=value', 'a']],
    ['=a', ['A query parameter without a name: expected name=value', undefined]],
    ['a=1&', ['A query parameter without a name: expected name=value', undefined]],
    ['a=1&a=1', ['The query parameter "a" came more than once', 'a']],
    ['a=1&%61=2', ['The query parameter "a" came more than once', 'a']],
    ['a=%ff', ['The query parameter "a" is not well encoded', undefined]],
    ['%ff=a', ['The name of a query parameter is not well encoded', undefined]],
    ['a=1&b=2', 'taken'],
    ['', 'taken'],
    ['toString=1', 'taken'],
  ])('is refused for it: %j', (text, words) => expect(wrong(text)).toEqual(words))

  it('is refused with the right word, or with all that there are', () => {
    const unknown = (name: string, known: string[]) => strictQuery.unknown(name, () => known)
    expect(unknown('dryrun', ['dry_run', 'b']).message).toBe(
      'Unknown query parameter "dryrun": did you mean "dry_run"?',
    )
    expect(unknown('zzz', ['dry_run', 'b']).message).toBe('Unknown query parameter "zzz": expected b, dry_run')
    expect(unknown('zzz', []).message).toBe('Unknown query parameter "zzz": this request takes none')
    expect(unknown('z'.repeat(200), []).details).toEqual({ field: 'z'.repeat(100) })
    const [one, other] = ['a', 'b'].map((field) => ({ field, message: `wrong ${field}` }))
    const refused = strictQuery.wrong(one!, [other!])
    expect([refused.message, refused.details]).toEqual(['wrong a', { field: 'a', errors: [one, other] }])
  })
})

describe('a lenient query', () => {
  const read = (text: string, changes = true, dialect = lenientQuery) => {
    try {
      return { ...dialect.read(text, changes) }
    } catch (error) {
      return error instanceof ApiError ? error.message || error.words : error
    }
  }
  const twice = (name: string) => `The option "${name}" came more than once, with different values`

  it('drops nothing where something is changed: the last of a name does not win, and a word is looked up', () => {
    expect(read('a=1&b=2')).toEqual({ a: '1', b: '2' })
    expect(read('a=1&a=1')).toEqual({ a: '1' })
    expect(read('a=1&a=2')).toBe(twice('a'))
    expect(read('a=1&%61=2')).toBe(twice('a'))
    expect(read('a=1&a')).toBe(twice('a'))
    expect(read('a=1&a=')).toBe(twice('a'))
    expect(read('a&b=1')).toEqual({ a: '', b: '1' })
    expect(read('=x&&b=1')).toEqual({ b: '1' })
    expect(read('a=x=y')).toEqual({ a: 'x=y' })
    expect(read('%ff')).toBe('Expected percent-encoded UTF-8 in the parameters')
    expect(read('')).toEqual({})
  })

  it('is the original’s where nothing is changed, and where that is followed', () => {
    for (const [changes, dialect] of [
      [false, lenientQuery],
      [true, originalQuery],
    ] as const) {
      expect(read('a=1&a=2', changes, dialect)).toEqual({ a: '2' })
      expect(read('a&b=1', changes, dialect)).toEqual({ b: '1' })
    }
    expect([lenientQuery.lastWins, originalQuery.lastWins, strictQuery.lastWins]).toEqual([false, true, false])
    expect([lenientQuery.strict, originalQuery.strict, strictQuery.strict]).toEqual([false, false, true])
  })

  it('is refused in the original’s words', () => {
    expect(lenientQuery.unknown('x', () => []).message).toBe('Unknown parameter')
    expect(lenientQuery.wrong({ field: 'x', message: 'y' }, []).message).toBe('Invalid value for option: x')
  })
})
