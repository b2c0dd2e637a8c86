// Our OpenAPI document of the controller surface against the contract: nothing of it may be missing or differ in type.
// More than the contract (another status, a bound on a length) is allowed; demanding more of a caller is not.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { describeController } from '../../src/surfaces/controller/describe.ts'
import { enabledEndpoints } from '../../src/surfaces/controller/endpoints.ts'
import { DATASET_SCHEMAS } from './contract-datasets.ts'
import { ISCSI_SCHEMAS } from './contract-iscsi.ts'
import { POOL_SCHEMAS } from './contract-pools.ts'
import { SHARE_SCHEMAS } from './contract-shares.ts'
import { PARAMETERS, PATHS, SCHEMAS } from './controller-contract.ts'
import { inlined } from './openapi-golden.ts'

const controllerEndpoints = enabledEndpoints(Configuration.parse({}))

const seed = readFileSync(
  join(dirname(fileURLToPath(import.meta.url)), '../../../shared/seeds/atlas-openapi.txt'),
  'utf8',
)
  .replace(/\s+/g, ' ')
  // It writes some lists in one way and some in another.
  .replace(/enum: \[([^\]]*)\]/g, (_, words: string) => `enum: ${words.replace(/(^|, *)/g, ' - ').trim()}`)

/** The seed without the words for people. */
const bare = seed
  .replace(/(?<= )(?:summary|description|example): .*?(?= (?:- )?[^\s:]+:(?: |$)|$)/g, '')
  .replace(/ +/g, ' ')

/** A table as YAML would say it, in one line. */
function flat(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `- ${flat(item)}`).join(' ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, inner]) => {
      const said = Array.isArray(inner) && inner.length === 0 ? '[]' : flat(inner)
      return said ? `${name}: ${said}` : `${name}:`
    })
    .join(' ')
}

interface Schema {
  $ref?: string
  type?: string
  format?: string
  enum?: string[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
}
interface Operation {
  operationId: string
  security?: object[]
  parameters?: { $ref?: string; name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: Schema }> }>
}
const contract = PATHS as unknown as Record<string, Record<string, Operation>>
/** As it is served. */
const served = JSON.parse(describeController(Configuration.parse({}), '1.0.0')) as Record<string, unknown>
/** With its references followed. */
const document = inlined(served) as unknown as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; securitySchemes: object }
}

const last = (reference = '') => reference.replaceAll("'", '').split('/').at(-1) ?? ''
const theirs = (schema: Schema): Schema =>
  schema.$ref ? (SCHEMAS as Record<string, Schema>)[last(schema.$ref)]! : schema
const ours = (schema: Schema): Schema => (schema.$ref ? document.components.schemas[last(schema.$ref)]! : schema)

/** What of the contract's schema ours does not have, or has otherwise. */
function missing(wanted: Schema, given: Schema | undefined, where: string): string[] {
  const want = theirs(wanted)
  if (!given) return [`${where}: nothing`]
  const have = ours(given)
  return [
    ...(want.type === have.type ? [] : [`${where}: ${have.type} instead of ${want.type}`]),
    ...(want.format === undefined || want.format === have.format ? [] : [`${where}: format ${have.format}`]),
    ...(want.enum === undefined || [...want.enum].sort().join() === [...(have.enum ?? [])].sort().join()
      ? []
      : [`${where}: ${have.enum}`]),
    ...(want.items ? missing(want.items, have.items, `${where}[]`) : []),
    ...Object.entries(want.properties ?? {}).flatMap(([name, inner]) =>
      missing(inner, have.properties?.[name], `${where}.${name}`),
    ),
  ]
}

describe('the table of the contract', () => {
  it('is the seed’s own text, word by word', () => {
    const names = Object.keys(PATHS)
    for (const name of names) expect(seed).toContain(` ${name}: `)
    expect(bare).toContain(flat({ '/api/v1/auth/login': PATHS['/api/v1/auth/login'] }))
    for (const [name, methods] of Object.entries(PATHS)) {
      const said = flat({ [name]: methods })
      const at = bare.indexOf(` ${name}: `)
      expect(bare.slice(at + 1, at + 1 + said.length)).toBe(said)
      // And the next word is the next path: no method is left out.
      expect(bare.slice(at + 1 + said.length)).toMatch(/^ \/[a-z]/)
    }
    expect(bare).toContain(` parameters: ${flat(PARAMETERS)} schemas: `)
    expect(bare).toContain(` schemas: ${flat({ User: SCHEMAS.User, Role: SCHEMAS.Role, ...POOL_SCHEMAS })} Dataset: `)
    expect(bare).toContain(` ${flat(DATASET_SCHEMAS)} SMBShare: `)
    expect(bare).toContain(` ${flat({ Job: SCHEMAS.Job, JobStatus: SCHEMAS.JobStatus })} AuditLog: `)
    expect(bare).toContain(` ${flat({ AuditLog: SCHEMAS.AuditLog, Error: SCHEMAS.Error })} responses: `)
    expect(bare).toContain(` ${flat(SHARE_SCHEMAS)} ISCSITarget: `)
    expect(bare).toContain(` ${flat(ISCSI_SCHEMAS)} Job: `)
  })
})

describe('the OpenAPI document of the controller surface', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(JSON.stringify(served)))
    expect(result.errors ?? []).toEqual([])
    expect(validator.version).toBe('3.1')
  })

  it('has each schema of the contract under its name', () => {
    const { schemas } = served['components'] as { schemas: Record<string, Schema> }
    const names = Object.keys({ ...SCHEMAS, ...POOL_SCHEMAS, ...DATASET_SCHEMAS, ...SHARE_SCHEMAS, ...ISCSI_SCHEMAS })
    expect(names.filter((name) => !schemas[name])).toEqual([])
  })

  it('has each declared endpoint once', () => {
    const names = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const shown = (path: string) => path.replace('*}', '}')
    expect(names.sort()).toEqual(controllerEndpoints.map(({ method, path }) => `${method} ${shown(path)}`).sort())
  })

  const operations = Object.entries(contract).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, wanted]) => ({ path, method, wanted })),
  )
  for (const { path, method, wanted } of operations) {
    it(`has everything that the contract says of ${method.toUpperCase()} ${path}`, () => {
      const given = document.paths[path]?.[method] as Operation
      expect(given?.operationId).toBe(wanted.operationId)
      expect(given.security).toEqual(wanted.security ?? [])
      for (const parameter of wanted.parameters ?? []) {
        const want = parameter.$ref ? PARAMETERS[last(parameter.$ref) as 'UserId'] : parameter
        const have = given.parameters?.find((one) => one.name === want.name && one.in === want.in)
        expect([want.name, have?.required]).toEqual([want.name, want.required ?? false])
        expect(missing(want.schema, have?.schema, want.name)).toEqual([])
      }
      expect(given.requestBody?.required).toBe(wanted.requestBody?.required)
      const body = wanted.requestBody?.content['application/json']?.schema
      if (body) {
        const have = given.requestBody?.content['application/json']?.schema
        expect(missing(body, have, 'body')).toEqual([])
        expect(have?.required ?? []).toEqual(body.required ?? [])
      }
      for (const [quoted, { $ref, content }] of Object.entries(wanted.responses)) {
        const status = quoted.replaceAll("'", '')
        const answer = given.responses[status]
        expect([status, answer]).toEqual([status, expect.anything()])
        const schema = $ref ? (SCHEMAS.Error as Schema) : content?.['application/json']?.schema
        if (schema) expect(missing(schema, answer?.content?.['application/json']?.schema, status)).toEqual([])
      }
    })
  }

  it('is compared by something that sees a difference', () => {
    const { properties } = SCHEMAS.User
    const wrong = {
      ...SCHEMAS.User,
      properties: { ...properties, active: { type: 'string' }, role: { type: 'string' } },
    }
    expect(missing({ $ref: 'User' }, wrong, 'user')).toEqual([
      'user.role: undefined',
      'user.active: string instead of boolean',
    ])
    expect(missing({ $ref: 'User' }, { type: 'object' }, 'user')).toContain('user.email: nothing')
    expect(missing({ type: 'string', format: 'email' }, { type: 'string' }, 'x')).toEqual(['x: format undefined'])
  })
})
