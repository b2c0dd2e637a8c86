// What refusals say about members: generated from every body and query that is declared, so that no schema can let zod's own words through.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { check } from '../../src/http/field-errors.ts'
import { didYouMean, nearest, quoted } from '../../src/http/nearest.ts'
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
      { field: 'options.qouta', message: 'Unknown member "qouta": did you mean "quota"?' },
      { field: 'nme', message: 'Unknown member "nme": did you mean "name"?' },
      { field: 'name', message: 'Missing: expected text' },
      { field: 'size', message: 'Missing: expected a whole number' },
      { field: 'options.quota', message: 'Missing: expected text' },
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
