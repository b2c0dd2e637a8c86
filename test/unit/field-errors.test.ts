// What refusals say about members: generated from every body and query that is declared, so that no schema can let zod's own words through.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { check } from '../../src/field-errors.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { didYouMean, nearest, quoted } from '../../src/nearest.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'

const tables: Endpoint<never>[] = [...controllerEndpoints, ...consoleEndpoints]
const ZODS =
  /Invalid (?:input|string|option|element|key|email|ISO)|Too (?:small|big)|Unrecognized|received|not allowed$|undefined|\[object/
const errorsOf = (schema: z.ZodType, value: unknown, options = {}) => check(schema, value, options).errors ?? []

/** One wrong value after the other: each kind, at each member. */
const WRONG: unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  '\0',
  'x'.repeat(5000),
  'no such word',
  [],
  [null],
  [''],
  {},
  { a: 1 },
]

describe('a body that is wrong', () => {
  it('is refused in our words, member by member, whatever is wrong with it', () => {
    for (const { id, body } of tables) {
      if (!body) continue
      const shape = Object.keys(
        (z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as object,
      )
      for (const value of [...WRONG, ...shape.flatMap((name) => WRONG.map((wrong) => ({ [name]: wrong })))])
        for (const { message } of errorsOf(body, value)) {
          expect([id, value, message]).not.toEqual([id, value, expect.stringMatching(ZODS)])
          expect(message).not.toBe('')
        }
    }
  })

  it('names an unknown member and the right one, before what is missing', () => {
    for (const { id, body } of tables) {
      if (!body) continue
      const [first] = errorsOf(body, { 'no-such-member': 1 })
      expect([id, first?.field, first?.message]).toEqual([
        id,
        'no-such-member',
        expect.stringMatching(/^Unknown member "no-such-member"/),
      ])
    }
    const Named = z.strictObject({
      name: z.string(),
      size: z.int(),
      options: z.strictObject({ quota: z.string() }).optional(),
    })
    expect(errorsOf(Named, { nme: 'x', options: { qouta: '1' } })).toEqual([
      { field: 'options.qouta', message: 'Unknown member "qouta": did you mean "quota"?', wrong: 'unknown' },
      { field: 'nme', message: 'Unknown member "nme": did you mean "name"?', wrong: 'unknown' },
      { field: 'name', message: 'Missing: expected text', wrong: 'missing' },
      { field: 'size', message: 'Missing: expected a whole number', wrong: 'missing' },
      { field: 'options.quota', message: 'Missing: expected text', wrong: 'missing' },
    ])
  })
})

describe('a query that is wrong', () => {
  it('is refused in our words', () => {
    for (const { id, query } of tables)
      for (const name of Object.keys(query?.shape ?? {}))
        for (const value of WRONG.filter((one) => typeof one === 'string'))
          for (const { field, message } of errorsOf(query as z.ZodType, { [name]: value }, { echo: true })) {
            expect([id, field]).toEqual([id, name])
            expect([id, name, message]).not.toEqual([id, name, expect.stringMatching(ZODS)])
          }
  })
})

describe('the words', () => {
  const say = (schema: z.ZodType, value: unknown, options = {}) =>
    errorsOf(schema, value, options).map(({ message }) => message)
  it('say what was expected and what was found', () => {
    expect(say(z.string(), 5)).toEqual(['Expected text, found 5'])
    expect(say(z.int(), '8443')).toEqual(['Expected a whole number, found other text'])
    expect(say(z.int(), '8443', { echo: true })).toEqual(['Expected a whole number, found the text "8443"'])
    expect(say(z.boolean(), null)).toEqual(['Expected true or false, found null'])
    expect(say(z.array(z.string()), {})).toEqual(['Expected a list, found an object'])
    expect(say(z.int().min(0).max(255), 256)).toEqual(['Expected a number of at most 255, found 256'])
    expect(say(z.string().min(8), 'abc')).toEqual(['Expected at least 8 characters, found 3'])
    expect(say(z.array(z.string()).min(1), [])).toEqual(['Expected at least 1 item, found 0'])
    expect(say(z.enum(['a', 'b', 'c']), 'd', { echo: true })).toEqual(['Expected "a", "b" or "c", found the text "d"'])
    expect(say(z.union([z.string(), z.int()]), true)).toEqual(['Expected text or a whole number, found true'])
    expect(say(z.email(), 'x')).toEqual(['Expected an e-mail address such as name@example.com, found other text'])
  })
  it.each([
    [z.string().max(3), 'abcd', 'Expected at most 3 characters, found 4'],
    [z.string().min(1), '', 'Expected at least 1 character, found none'],
    [z.string().min(2), 'a', 'Expected at least 2 characters, found 1'],
    [z.string().length(2), 'a', 'Expected exactly 2 characters, found 1'],
    [z.string().length(2), 'abc', 'Expected exactly 2 characters, found 3'],
    [z.array(z.string()).max(2), ['a', 'b', 'c'], 'Expected at most 2 items, found 3'],
    [z.array(z.string()).length(1), [], 'Expected exactly 1 item, found 0'],
    [z.set(z.string()).min(2), new Set(['a']), 'Expected at least 2 items, found an object'],
    [z.int().min(5), 4, 'Expected a number of at least 5, found 4'],
    [z.int().gt(5), 5, 'Expected a number of at least 6, found 5'],
    [z.int().lt(5), 5, 'Expected a number of at most 4, found 5'],
    [z.int().multipleOf(8), 9, 'Expected a multiple of 8, found 9'],
    [z.int(), 1.5, 'Expected a whole number, found 1.5'],
    [z.number(), 'x', 'Expected a number, found other text'],
    [z.number(), '', 'Expected a number, found empty text'],
    [z.null(), [1], 'Expected null, found a list'],
    [z.strictObject({}), [], 'Expected an object, found a list'],
    [z.record(z.string(), z.string()), 7, 'Expected an object, found 7'],
    [z.string(), undefined, 'Missing: expected text'],
    [z.string(), null, 'Expected text, found null'],
    [z.string().startsWith('pool/'), 'x', 'Expected text that begins with "pool/", found other text'],
    [z.iso.datetime(), 'x', 'Expected a time such as 2026-01-31T12:00:00Z, found other text'],
    [z.iso.date(), 'x', 'Expected a date such as 2026-01-31, found other text'],
    [z.url(), 'x', 'Expected an address such as https://example.com, found other text'],
    [z.uuid(), 'x', 'This value is not allowed'],
    [z.literal(['a', 1, true]), 2, 'Expected "a", 1 or true, found 2'],
    [z.literal('a'), 2, 'Expected "a", found 2'],
    [z.bigint(), '1'.repeat(50), 'Expected bigint, found other text'],
    [z.boolean(), 10 ** 20 + 1, 'Expected true or false, found 100000000000000000000'],
  ])('say so of each kind: %#', (schema, value, message) => {
    expect(say(schema as z.ZodType, value)).toEqual([message])
  })
  it('say of a choice what each branch wants, or what is wrong in the one that was meant', () => {
    const choice = z.union([z.string(), z.strictObject({ name: z.string() }), z.array(z.int()).min(2)])
    expect(say(choice, 7)).toEqual(['Expected text, an object or a list, found 7'])
    expect(errorsOf(choice, { name: 7 })).toEqual([{ field: 'name', message: 'Expected text, found 7' }])
    expect(errorsOf(choice, { nam: 'x' })).toEqual([
      { field: 'nam', message: 'Unknown member "nam": did you mean "name"?', wrong: 'unknown' },
      { field: 'name', message: 'Missing: expected text', wrong: 'missing' },
    ])
    expect(say(choice, [1])).toEqual(['Expected at least 2 items, found 1'])
    expect(errorsOf(z.strictObject({ a: choice }), {})).toEqual([
      { field: 'a', message: 'Expected text, an object or a list', wrong: 'missing' },
    ])
    expect(say(z.union([z.string(), z.string()]), 7)).toEqual(['Expected text, found 7'])
    expect(say(z.union([z.string('A name'), z.int()]), true)).toEqual(['A name'])
  })
  it('offer all that may be there where there are few', () => {
    const of = (count: number) =>
      z.strictObject(Object.fromEntries(Array.from({ length: count }, (_, i) => [`member${i}`, z.string().optional()])))
    expect(say(of(0), { zzz: 1 })).toEqual(['Unknown member "zzz"'])
    expect(say(of(1), { zzz: 1 })).toEqual(['Unknown member "zzz": expected member0'])
    expect(say(of(12), { zzz: 1 })[0]).toMatch(/: expected member0, .*, member11$/)
    expect(say(of(13), { zzz: 1 })).toEqual(['Unknown member "zzz"'])
    expect(say(of(1), { zzz: 1 }, { noun: 'option' })).toEqual(['Unknown option "zzz": expected member0'])
  })
  it('show so many errors, and so much of a text and of a name', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, i]))
    for (const [given, shown] of [
      [20, 20],
      [21, 20],
    ] as const)
      expect(errorsOf(z.record(z.string(), z.string()), many(given))).toHaveLength(shown)
    const [error] = say(z.int(), 'y'.repeat(50), { echo: true })
    expect(error).toBe(`Expected a whole number, found the text "${'y'.repeat(40)}"`)
    expect(errorsOf(z.strictObject({}), { ['z'.repeat(101)]: 1 })[0]?.field).toBe('z'.repeat(100))
  })
  it('are none where nothing is wrong', () => {
    expect(check(z.strictObject({ a: z.stringbool() }), { a: 'true' })).toEqual({ data: { a: true } })
  })
  it('are the schema’s own where it has some', () => {
    expect(say(z.string().regex(/^a$/, 'Expected an a'), 'b')).toEqual(['Expected an a'])
  })
  it('never hold the text of a body, which may be a password', () => {
    const secret = 'hunter2-canary'
    for (const schema of [
      z.int(),
      z.enum(['a']),
      z.email(),
      z.string().max(3),
      z.union([z.int(), z.boolean()]),
      z.iso.datetime(),
    ])
      expect(say(schema, secret).join()).not.toContain(secret)
  })
  it('are bounded, however much is wrong', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, i]))
    expect(errorsOf(z.strictObject({}), many)).toHaveLength(20)
    const [{ field, message } = { field: '', message: '' }] = errorsOf(z.strictObject({}), {
      ['\n"\u00e9'.repeat(500)]: 1,
    })
    expect(field.length).toBeLessThanOrEqual(100)
    expect(message).toMatch(/^[\x20-\x7e]{1,120}$/)
  })
})

describe('the nearest word', () => {
  it('is the one that was most likely meant, or none', () => {
    const known = ['name', 'size', 'dry_run', 'recursive', 'confirm', 'listen']
    for (const [word, meant] of [
      ['nme', 'name'],
      ['naem', 'name'],
      ['Name', 'name'],
      ['dryrun', 'dry_run'],
      ['dry-run', 'dry_run'],
      ['recursiv', 'recursive'],
      ['cofirm', 'confirm'],
      ['liten', 'listen'],
      ['listne', 'listen'],
      ['x', undefined],
      ['token', undefined],
      ['', undefined],
      ['name'.repeat(20), undefined],
    ] as const)
      expect([word, nearest(word, known)]).toEqual([word, meant])
    expect(didYouMean('nme', known)).toBe(': did you mean "name"?')
    expect(didYouMean('zzz', known)).toBe('')
  })
  it('is shown beside the caller’s own in one short line of ASCII', () => {
    expect(quoted('a"b\r\nc\u00e9')).toBe('"a?b??c?"')
    expect(quoted('x'.repeat(100))).toBe(`"${'x'.repeat(40)}..."`)
  })
})
