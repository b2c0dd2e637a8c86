// The OpenAPI documents against their golden copies: as they are served, and with their references replaced by what they refer to.
// `UPDATE=1` (or `make api`) writes the copies anew: the change then shows in review.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { describeAdmin } from '../../src/surfaces/admin/describe.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { VERSION } from '../../src/version.ts'
import { startAppliance } from '../api/appliance.ts'
import { call } from '../api/client.ts'
import { DOCUMENTS, everything, inlined, schemasOf } from './openapi-golden.ts'

const golden = (name: string) => join(dirname(fileURLToPath(import.meta.url)), `../golden/${name}.json`)
const read = (name: string) => readFileSync(golden(name), 'utf8')
/** Characters of a schema that a name is worth. */
const LARGE = 240
const pretty = (text: string) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`

interface Operation {
  operationId: string
  summary: string
  security: object[]
  parameters?: { $ref?: string; name: string; in: string; schema: object }[]
  responses: Record<string, { description: string }>
}
type Paths = Record<string, Record<string, Operation>>
const paths = (config = everything): Paths => JSON.parse(describeAdmin(config, VERSION)).paths

describe.each(DOCUMENTS)('the OpenAPI document of the $name surface', ({ name, make }) => {
  const document = () => JSON.parse(make()) as Record<string, Record<string, Record<string, object>>>

  it('is the golden copy, byte for byte', () => {
    const now = pretty(make())
    if (process.env['UPDATE']) writeFileSync(golden(name), now)
    expect(now).toBe(read(name))
  })

  it('says the same as before it had names for what it shares', () => {
    const now = inlined(document())
    const isSame = isDeepStrictEqual(now, JSON.parse(read(`${name}.resolved`)))
    // The order of members in the copy is the one of before.
    if (process.env['UPDATE'] && !isSame) writeFileSync(golden(`${name}.resolved`), pretty(JSON.stringify(now)))
    expect(now).toEqual(JSON.parse(read(`${name}.resolved`)))
  })

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(document())
    expect(result.errors ?? []).toEqual([])
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  it('has no schema of any size twice, and none in full that has a name', () => {
    const places = new Map<string, string[]>()
    for (const { at, text } of schemasOf(document()))
      if (text.length > LARGE) places.set(text, [...(places.get(text) ?? []), at])
    expect([...places.values()].filter((all) => all.length > 1)).toEqual([])
    expect(places.size).toBeGreaterThan(3)
  })

  it('refers to each of its components', () => {
    const text = make()
    for (const kind of ['schemas', 'responses', 'parameters'])
      for (const component of Object.keys(document()['components']?.[kind] ?? {}))
        expect(text).toContain(`"#/components/${kind}/${component}"`)
  })
})

describe('the OpenAPI document', () => {
  it('has each declared endpoint once, with a summary and its own name', () => {
    const operations = Object.entries(paths()).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
    )
    expect(operations.map(({ name }) => name).sort()).toEqual(
      adminEndpoints.map(({ method, path }) => `${method} ${path}`).sort(),
    )
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { operation } of operations) expect(operation.summary).toMatch(/^[A-Z].{4,}[^.]$/)
  })

  it('asks for credentials wherever the declaration does', () => {
    for (const { method, path, permission } of adminEndpoints) {
      const { security } = paths()[path]![method.toLowerCase()]!
      if (permission === 'public') expect([path, security]).toEqual([path, []])
      else if (permission === 'set-up') expect(security).toContainEqual({})
      else expect([path, security]).toEqual([path, [{ hash: [] }, { token: [] }]])
    }
  })

  it('leaves out what the configuration does not switch on', () => {
    const names = Object.keys(paths(Configuration.parse({ reboot: { get: false } })))
    expect(names).not.toContain('/api/v1/admin/backup')
    expect(names).toContain('/api/v1/admin/update')
    expect(paths(Configuration.parse({ reboot: { get: false } }))['/api/v1/admin/reboot']).not.toHaveProperty('get')
  })

  it('SEC-37 gives every query parameter bounds or a list', () => {
    const shared = (): Record<string, { name: string; schema: object }> =>
      JSON.parse(describeAdmin(everything, VERSION)).components.parameters
    for (const methods of Object.values(paths())) {
      for (const { parameters = [] } of Object.values(methods)) {
        for (const { $ref = '', ...parameter } of parameters) {
          const { name, schema } = $ref ? shared()[$ref.split('/').at(-1)!]! : parameter
          expect([name, Object.keys(schema).some((key) => /^(enum|maximum|maxLength|pattern)$/.test(key))]).toEqual([
            name,
            true,
          ])
        }
      }
    }
  })

  it('is what the server serves, to anyone', async () => {
    const appliance = await startAppliance()
    try {
      const { status, headers, body } = await call(appliance.url, 'GET', '/api/v1/admin/openapi.json')
      expect([status, headers['content-type']]).toEqual([200, 'application/json'])
      expect(body).toBe(describeAdmin(Configuration.parse({ endpoints: everything.endpoints }), '0.0.0-test'))
      const without = Object.keys(JSON.parse(body).paths)
      expect(Object.keys(paths()).filter((path) => !without.includes(path))).toEqual(['/', '/docs'])
    } finally {
      await appliance.close()
    }
  })
})
