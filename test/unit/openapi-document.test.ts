// What the OpenAPI document says of a declaration, one property of it at a time.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Configuration } from '../../src/config.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { type DocumentOptions, openapiDocument } from '../../src/http/openapi.ts'
import { declare } from './small-surface.ts'

interface Operation {
  [member: string]: unknown
  security: Record<string, unknown>[]
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Record<string, unknown> }> }
  responses: Record<string, { description: string; content?: Record<string, { schema?: Record<string, unknown> }> }>
}
const usual: DocumentOptions = {
  ...{
    title: 'T',
    version: '1',
    description: 'D',
    config: Configuration.parse({}),
    failure: z.object({ code: z.string() }),
  },
  credentials: { token: 'The token', hash: 'A hash' },
}
const documentOf = (endpoints: Endpoint<object>[], more: Partial<DocumentOptions> = {}) =>
  openapiDocument(endpoints, { ...usual, ...more }) as unknown as {
    [member: string]: unknown
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, unknown>; securitySchemes: Record<string, Record<string, unknown>> }
  }
const operation = (more: Partial<Endpoint<object>> = {}, options: Partial<DocumentOptions> = {}) => {
  const [methods = {}] = Object.values(documentOf([declare(more)], options).paths)
  return Object.values(methods)[0] as Operation
}
const headers = (more: Partial<Endpoint<object>>, options: Partial<DocumentOptions> = {}) =>
  (operation(more, options).parameters ?? []).filter((one) => one.in === 'header').map(({ name }) => name)
const statuses = (more: Partial<Endpoint<object>>, options: Partial<DocumentOptions> = {}) =>
  Object.keys(operation(more, options).responses).join(' ')

it('the document has what it is told, each path once with all its methods, and how callers prove themselves', () => {
  const made = documentOf(
    [declare(), declare({ method: 'POST', id: 'makeThing' }), declare({ path: '/things/{name*}', id: 'getThing' })],
    { bearer: 'A JWT' },
  )
  expect(made).toMatchObject({
    openapi: '3.1.0',
    info: { title: 'T', version: '1', description: 'D' },
    servers: [{ url: '/' }],
  })
  expect(Object.entries(made.paths).map(([path, methods]) => [path, Object.keys(methods)])).toEqual([
    ['/things', ['get', 'post']],
    ['/things/{name}', ['get']],
  ])
  expect(made.components.schemas['Error']).toMatchObject({ type: 'object', required: ['code'] })
  expect(made.components.schemas['Error']).not.toHaveProperty('$schema')
  expect(made.components.securitySchemes).toEqual({
    token: { type: 'apiKey', in: 'query', name: 'token', description: 'The token' },
    hash: { type: 'apiKey', in: 'query', name: 'hash', description: 'A hash' },
    bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A JWT' },
  })
  expect(Object.keys(documentOf([]).components.securitySchemes)).toEqual(['token', 'hash'])
})

it('an operation has its words, and who may call it', () => {
  expect(operation({ description: 'More' })).toMatchObject({
    ...{ operationId: 'listThings', tags: ['x'], summary: 'x', description: 'More', 'x-permission': 'viewer' },
  })
  for (const member of ['description', 'parameters', 'requestBody']) expect(operation()).not.toHaveProperty(member)
  const all = [{ token: [] }, { hash: [] }]
  expect(operation().security).toEqual(all)
  expect(operation({}, { bearer: 'A JWT' }).security).toEqual([...all, { bearerAuth: [] }])
  expect(operation({ permission: 'public' }).security).toEqual([])
  expect(operation({ permission: 'set-up' }).security).toEqual([{}, ...all])
  const within = ({ project }: Readonly<Record<string, string>>) =>
    ({ role: 'operator', scope: `project ${project}` }) as const
  const confined = documentOf([declare({ path: '/projects/{project}/{name*}', permission: within })])
  expect(confined.paths['/projects/{project}/{name}']?.['get']).toMatchObject({
    ...{ 'x-permission': 'operator', 'x-scope': 'project {project}', security: all },
  })
  expect(operation()).not.toHaveProperty('x-scope')
})

describe('the answers', () => {
  it('are its own, those of its surface, and its refusals, in their order', () => {
    expect(statuses({})).toBe('200 400 403 429')
    expect(statuses({ status: 201, errors: [409, 404] })).toBe('201 400 403 404 409 429')
    expect(statuses({}, { refusals: [401] })).toBe('200 401')
    expect(statuses({ permission: 'public', errors: [503] })).toBe('200 503')
    expect(statuses({ permission: 'set-up' })).toBe('200 400 403 429')
    expect(operation().responses['400']).toEqual({
      description: 'Refused',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    })
  })

  it('have the shape that was declared', () => {
    const content = (response: Endpoint<object>['response']) => operation({ response }).responses['200']?.content
    expect(content('application/json')).toEqual({ 'application/json': { schema: { type: 'object' } } })
    expect(content('text/plain')).toEqual({ 'text/plain': {} })
    expect(content(z.object({ a: z.int() }))).toMatchObject({ 'application/json': { schema: { required: ['a'] } } })
  })

  it('are 202 where it may take longer, and 304 where a thing is read', () => {
    const accepted = operation({ accepted: z.object({ job: z.string() }) }).responses
    expect(Object.keys(accepted)).toContain('202')
    expect(accepted['202']?.content?.['application/json']?.schema).toMatchObject({ required: ['job'] })
    const resource = { key: () => 'x', version: () => 1 }
    expect(statuses({ resource })).toBe('200 304 400 403 429')
    expect(statuses({ resource, method: 'PUT' })).toBe('200 400 403 412 429 507')
  })

  it('are 507 where a change finds the disk full, but not of who signs in or out', () => {
    expect(statuses({ method: 'POST' })).toBe('200 400 403 429 507')
    expect(statuses({ method: 'DELETE' })).toBe('200 400 403 429 507')
    expect(statuses({ method: 'POST', repeatable: true })).toBe('200 400 403 429')
    expect(statuses({ method: 'POST', permission: 'public' })).toBe('200')
  })
})

describe('the request headers', () => {
  const resource = { key: () => 'x', version: () => 1 }
  const keyed: Partial<Endpoint<object>> = { method: 'POST', response: z.object({}) }
  const idempotent = { idempotent: true }

  it('are the conditions of a thing', () => {
    expect([headers({ resource }), headers({ resource, method: 'PUT' }), headers({})]).toEqual([
      ...[['If-None-Match'], ['If-Match'], []],
    ])
    expect(operation({ resource }).parameters).toMatchObject([{ in: 'header', schema: { type: 'string' } }])
  })

  it('are the key of a POST, where one is heard and its answer can be kept', () => {
    expect(headers(keyed, idempotent)).toEqual(['Idempotency-Key'])
    expect(headers({ ...keyed, resource }, idempotent)).toEqual(['If-Match', 'Idempotency-Key'])
    expect(statuses(keyed, idempotent)).toBe('200 400 403 409 422 429 507')
    expect(headers(keyed)).toEqual([])
    for (const more of [
      ...[{ method: 'PUT' as const }, { secret: true as const }, { repeatable: true as const }, { form: {} }],
      { response: 'text/plain' },
    ])
      expect([more, headers({ ...keyed, ...more }, idempotent)]).toEqual([more, []])
  })
})

describe('what is sent', () => {
  it('are the parameters of the path and the query, each with its own words', () => {
    const params = z.object({ name: z.string() })
    const query = z.object({ wait: z.string().optional().meta({ description: 'Seconds' }), at: z.string() })
    expect(operation({ params, query }).parameters).toEqual([
      { name: 'name', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'wait', in: 'query', required: false, description: 'Seconds', schema: { type: 'string' } },
      { name: 'at', in: 'query', required: true, schema: { type: 'string' } },
    ])
    expect(operation({ params }).parameters?.map((one) => one.in)).toEqual(['path'])
    expect(operation({ query }).parameters?.map((one) => one.in)).toEqual(['query', 'query'])
  })

  it('is a body as it is sent, not as it is read', () => {
    const body = z.object({ size: z.string().transform(Number), role: z.string().default('viewer') })
    const { requestBody } = operation({ body, method: 'POST' })
    expect(requestBody).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { properties: { size: { type: 'string' } }, required: ['size'] } } },
    })
  })

  it('is a form, with the limits of its files', () => {
    const form = {
      update: { kind: 'file' as const, description: 'The package', required: true, limit: () => 99 },
      note: { kind: 'text' as const, description: 'Words', required: false },
    }
    expect(operation({ form, method: 'POST' }).requestBody).toEqual({
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: {
              update: {
                ...{ type: 'string', description: 'The package' },
                ...{ contentMediaType: 'application/octet-stream', 'x-limit-bytes': 99 },
              },
              note: { type: 'string', description: 'Words' },
            },
            required: ['update'],
          },
        },
      },
    })
  })
})
