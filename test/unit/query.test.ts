// Query strings as the original reads them. The trap: a token is any printable text, so `+` is a plus and only percent-encoding is undone.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/http/errors.ts'
import { parseParameters, strictQuery } from '../../src/http/query.ts'
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
      expect([text, refusal(text).status, refusal(text).message]).toEqual([text, 400, ''])
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
