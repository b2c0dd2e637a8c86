// The OpenAPI document against its golden copy. `UPDATE=1` (or `make api`) writes the copy anew: the change then shows in review.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { OPTIONAL_ENDPOINTS } from '../../src/endpoint-names.ts'
import { describeAdmin } from '../../src/surfaces/admin/assemble.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { VERSION } from '../../src/version.ts'
import { startAppliance } from '../api/appliance.ts'
import { call } from '../api/client.ts'

const golden = join(dirname(fileURLToPath(import.meta.url)), '../golden/openapi.json')
const endpoints = [...OPTIONAL_ENDPOINTS]
/** The console takes two pages of this surface's away. */
const everything = Configuration.parse({ endpoints, surfaces: { console: { enabled: false } } })
const pretty = (text: string) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`

interface Operation {
  operationId: string
  summary: string
  security: object[]
  parameters?: { name: string; in: string; schema: object }[]
  responses: Record<string, { description: string }>
}
type Paths = Record<string, Record<string, Operation>>
const paths = (config = everything): Paths => JSON.parse(describeAdmin(config, VERSION)).paths

describe('the OpenAPI document', () => {
  it('is the golden copy, byte for byte', () => {
    const now = pretty(describeAdmin(everything, VERSION))
    if (process.env['UPDATE']) writeFileSync(golden, now)
    expect(now).toBe(readFileSync(golden, 'utf8'))
  })

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(describeAdmin(everything, VERSION)))
    expect(result.errors ?? []).toEqual([])
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

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
    for (const methods of Object.values(paths())) {
      for (const { parameters = [] } of Object.values(methods)) {
        for (const { name, schema } of parameters) {
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
      expect(body).toBe(describeAdmin(Configuration.parse({ endpoints }), '0.0.0-test'))
      const without = Object.keys(JSON.parse(body).paths)
      expect(Object.keys(paths()).filter((path) => !without.includes(path))).toEqual(['/', '/docs'])
    } finally {
      await appliance.close()
    }
  })
})
