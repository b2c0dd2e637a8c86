// The reader of uploaded JSON. Every refusal here is of text that JSON.parse takes, so each case checks that first.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { decodeDocument, readDocument } from '../../src/features/settings/upload/document.ts'

const refusal = (read: () => unknown): string => {
  try {
    read()
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'invalid') return error.message
    throw error
  }
  throw new Error('not refused')
}

describe('readDocument', () => {
  it.each(['', ' ', 'x', '{', '{"a":1,}', '{"a":1} x', '# c\n{}', "{'a':1}", '\ufeff{}', '{"a":01}', '{"a":NaN}'])(
    'has no words for %j, which is no JSON',
    (text) => {
      expect(refusal(() => readDocument(text))).toBe('')
    },
  )
  it.each([
    ['A name is used twice', '{"a":1,"a":2}'],
    ['A name is used twice', '{"a":{"b":1,"c":{},"b":[]}}'],
    ['A name is used twice', '{"a":1,"\\u0061":2}'],
    ['A name is used twice', '[{"a":"}","a":1}]'],
    ['Forbidden name', '{"__proto__":{"admin":true}}'],
    ['Forbidden name', '{"app":[{"\\u005f_proto__":1}]}'],
    ['Forbidden name', '{"app":{"constructor":{"prototype":{}}}}'],
    ['Half of a surrogate', '{"a":"\\ud800"}'],
    ['Half of a surrogate', '{"a\\udc00":1}'],
    ['Half of a surrogate', '["\\udc00\\ud800"]'],
    ['too large', '[12345678901234567890]'],
    ['too large', '[-1e400]'],
    ['nested too deeply', '['.repeat(65) + ']'.repeat(65)],
    ['nested too deeply', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
  ])('says %j of %j', (words, text) => {
    expect(() => JSON.parse(text)).not.toThrow()
    expect(refusal(() => readDocument(text))).toContain(words)
  })
  it('survives a nesting that no stack could hold', () => {
    const deep = '['.repeat(5_000_000) + ']'.repeat(5_000_000)
    expect(refusal(() => readDocument(deep))).toMatch(/^$|nested/)
  })
  it('never repeats what the caller wrote', () => {
    for (const text of ['{"canary":1,"canary":2}', '{"canary":"\\ud800"}', '{"constructor":"canary"}', 'canary']) {
      expect(refusal(() => readDocument(text))).not.toContain('canary')
    }
  })
  it('takes names that are equal in different objects, brackets in strings, and pairs of surrogates', () => {
    const text = '{"a":{"a":[{"a":"{[\\"a\\":,]}"},{"a":"\\ud83d\\ude00"}]}, "b": -1.5e3, "c":[true,false,null]}'
    expect(readDocument(text)).toEqual(JSON.parse(text))
  })
  it('SEC-39 gives what JSON.parse gives, or refuses', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        try {
          expect(readDocument(text)).toEqual(JSON.parse(text))
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
          expect(error.message).not.toBe('')
        }
      }),
    )
  })
})

describe('decodeDocument', () => {
  it('decodes UTF-8 and refuses what is not', () => {
    expect(decodeDocument(Buffer.from('{"a":"grün"}'))).toBe('{"a":"grün"}')
    expect(refusal(() => decodeDocument(Buffer.from('{"a":"gr\xfcn"}', 'latin1')))).toBe('')
    expect(refusal(() => decodeDocument(Buffer.from([0xc0, 0xaf])))).toBe('')
    expect(decodeDocument(Buffer.from('\ufeff{"a":1}'))).toBe('{"a":1}')
    expect(refusal(() => readDocument(decodeDocument(Buffer.from('\ufeff\ufeff{"a":1}'))))).toBe('')
  })
})
