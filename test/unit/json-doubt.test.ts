// JSON with doubled names, also when an escape spells one of them, and JSON that ends early. A brace inside a string is no structure.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { doubtIn } from '../../src/store/json-names.ts'
import { parseWritten } from '../../src/store/json-text.ts'

const TWICE = 'came more than once'
const LARGE = 'is a number too large to be kept exactly'

describe('a member that two readers could take in two ways', () => {
  it.each([
    ['{"a":1,"a":2}', 'a', TWICE],
    ['{"a":1,"\\u0061":2}', 'a', TWICE],
    ['{"a":{"b":1},"c":{"b":1,"b":2}}', 'c.b', TWICE],
    ['{"a":[1,{"b":1},{"b":1,"c":[],"b":3}]}', 'a.2.b', TWICE],
    ['[[0,1],[0,{"x":9007199254740992}]]', '1.1.x', LARGE],
    ['9007199254740992', '', LARGE],
    ['[-9007199254740992]', '0', LARGE],
    ['{"a":1,"b":1e300}', 'b', LARGE],
    ['{"a":[1,2],"b":3,"a":4}', 'a', TWICE],
    ['{"":1,"":2}', '', TWICE],
  ])('%s is found: %s', (text, path, what) => expect(doubtIn(text)).toEqual({ path, what }))

  it.each([
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["b","b"],"b":1}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '{"a":"9007199254740993","b":9007199254740991,"c":-9007199254740991}',
    '{"a":0.5,"b":1e-300,"c":123456789.123456789}',
    '[true,false,null]',
    '""',
  ])('is not in %s', (text) => expect(doubtIn(text)).toBeUndefined())

  it('is in no text that this machine wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value, (_key, inner) => (typeof inner === 'number' ? inner % 1e6 : inner))
        expect(doubtIn(text)).toBeUndefined()
      }),
    )
  })
})

describe('what people wrote', () => {
  it.each([
    ['', 'it is empty'],
    [' \n\t', 'it is empty'],
    ['{"a":1', 'it ends too early'],
    ['{"a":"x', 'it ends too early'],
    ['[1,', 'it ends too early'],
    ['{"a":1,}', 'line 1, column 8'],
    ['{\n  "a": 1,\n  b: 2\n}', 'line 3, column 3'],
    ['{"a":1}\n}', 'line 2, column 1'],
    ['x', 'line 1, column 1'],
    ['{"a": tru}', 'line 1, column 10'],
    ['[1 2]', 'line 1, column 4'],
    ["{'a':1}", 'line 1, column 2'],
  ])('%j stops being JSON: %s', (text, where) => {
    expect(() => parseWritten(text)).toThrow(`not JSON (${where})`)
  })

  it('stops at the very character, however long it is before and behind', () => {
    for (let before = 0; before < 20; before++)
      for (let behind = 0; behind < 3; behind++)
        expect(() => parseWritten(`[${'1,'.repeat(before)}x${']'.repeat(behind)}`)).toThrow(
          `not JSON (line 1, column ${2 + 2 * before})`,
        )
  })

  it('is parsed where it is JSON, and never repeated where it is none', () => {
    expect(parseWritten(' {"a":[1]}\n')).toEqual({ a: [1] })
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (noise) => {
        const text = `{"password":"canary",${noise}`
        try {
          parseWritten(text)
        } catch (error) {
          expect((error as Error).message).not.toContain('canary')
        }
      }),
    )
  })
})
