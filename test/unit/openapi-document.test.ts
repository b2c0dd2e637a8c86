// What the OpenAPI document says of a declaration, one property of it at a time.
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Configuration } from '../../src/config.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { type DocumentOptions, inQuery, openapiDocument, type SecurityScheme } from '../../src/http/openapi.ts'
import { NAME, resolveReferences } from '../../src/http/openapi-references.ts'
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
    failure: z.object({ code: z.string() }).meta({ id: 'Error' }),
  },
  proofs: { token: inQuery('token', 'The token'), hash: inQuery('hash', 'A hash') },
}
const bearerAuth = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A JWT' } as const
const withBearer = { proofs: { ...usual.proofs, bearerAuth } }
type Document = {
  [member: string]: unknown
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, Record<string, unknown>> }
}
const documentOf = (endpoints: Endpoint<object>[], more: Partial<DocumentOptions> = {}) =>
  openapiDocument(endpoints, { ...usual, ...more }) as unknown as Document
/** Without references, and without the names that were in them. */
const resolved = (endpoints: Endpoint<object>[], options: Partial<DocumentOptions> = {}): Document =>
  JSON.parse(
    JSON.stringify(resolveReferences(documentOf(endpoints, options)), (key, value) =>
      key === NAME ? undefined : value,
    ),
  )
const operation = (more: Partial<Endpoint<object>> = {}, options: Partial<DocumentOptions> = {}) => {
  const [methods = {}] = Object.values(resolved([declare(more)], options).paths)
  return Object.values(methods)[0] as Operation
}
const headers = (more: Partial<Endpoint<object>>, options: Partial<DocumentOptions> = {}) =>
  (operation(more, options).parameters ?? []).filter((one) => one.in === 'header').map(({ name }) => name)
const statuses = (more: Partial<Endpoint<object>>, options: Partial<DocumentOptions> = {}) =>
  Object.keys(operation(more, options).responses).join(' ')

it('the document has what it is told, each path once with all its methods, and how callers prove themselves', () => {
  const made = documentOf(
    [declare(), declare({ method: 'POST', id: 'makeThing' }), declare({ path: '/things/{name*}', id: 'getThing' })],
    withBearer,
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
    bearerAuth,
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
  expect(operation({}, withBearer).security).toEqual([...all, { bearerAuth: [] }])
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
    expect(statuses({ permission: 'public', errors: [503] })).toBe('200 400 503')
    expect(statuses({ permission: 'set-up' })).toBe('200 400 403 429')
    expect(operation().responses['400']).toEqual({
      description: 'Refused',
      content: { 'application/json': { schema: documentOf([]).components.schemas['Error'] } },
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
    expect(statuses({ method: 'POST', permission: 'public' })).toBe('200 400')
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

describe('how callers prove who they are', () => {
  const proofs: Record<string, SecurityScheme> = {
    key: { type: 'apiKey', in: 'header', name: 'X-Auth-Key', description: 'A key' },
    user: { type: 'apiKey', in: 'header', name: 'X-Auth-User', description: 'Whose key it is' },
    cookie: { type: 'apiKey', in: 'cookie', name: 'session', description: 'A session' },
    basic: { type: 'http', scheme: 'basic', description: 'A name and a password' },
    bearer: bearerAuth,
    query: inQuery('token', 'The token'),
  }

  it('is what the surface declares, of every kind', async () => {
    const made = documentOf([declare()], { proofs })
    expect(made.components.securitySchemes).toEqual(proofs)
    const { errors = [], valid } = await new Validator().validate(JSON.parse(JSON.stringify(made)))
    expect([errors, valid]).toEqual([[], true])
    expect(operation({}, { proofs }).security).toEqual(Object.keys(proofs).map((name) => ({ [name]: [] })))
  })

  it('may take two together, or one alone', () => {
    const alternatives = [['user', 'key'], ['cookie']]
    const together = [{ user: [], key: [] }, { cookie: [] }]
    expect(operation({}, { proofs, alternatives }).security).toEqual(together)
    expect(operation({ permission: 'set-up' }, { proofs, alternatives }).security).toEqual([{}, ...together])
  })
})

describe('what several operations share', () => {
  const Size = z.int().meta({ id: 'Size', description: 'bytes' })
  const Thing = z.object({ size: Size, free: Size.optional().describe('bytes that are left') }).meta({ id: 'Thing' })
  const reference = (name: string, kind = 'schemas') => ({ $ref: `#/components/${kind}/${name}` })
  const answer = ({ paths }: Document) =>
    paths['/things']?.['get']?.responses['200']?.content?.['application/json']?.schema

  it('stands in the components once, and is referred to by its name', () => {
    const made = documentOf([
      declare({ response: z.array(Thing) }),
      declare({ method: 'POST', id: 'x', response: Thing }),
    ])
    expect(answer(made)).toEqual({ type: 'array', items: reference('Thing') })
    expect(made.components.schemas['Thing']).toMatchObject({
      properties: { size: reference('Size'), free: { ...reference('Size'), description: 'bytes that are left' } },
    })
    expect(Object.keys(made.components.schemas)).toEqual(['Error', 'Size', 'Thing'])
  })

  it('cannot be two things under one name', () => {
    const other = z.object({ other: z.int() }).meta({ id: 'Thing' })
    const endpoints = [declare({ response: Thing }), declare({ method: 'POST', id: 'x', response: other })]
    expect(() => documentOf(endpoints)).toThrow('components.schemas.Thing stands for two different things')
  })

  it('are the refusals, the headers of the request, and parameters that have a name for it', () => {
    const wait = z.string().optional().meta({ description: 'Seconds', parameter: 'Wait' })
    const resource = { key: () => 'x', version: () => 1 }
    const made = documentOf([declare({ resource, query: z.object({ wait, at: z.string() }) })]) as unknown as {
      paths: Record<string, Record<string, { parameters: object[]; responses: object }>>
      components: Record<string, Record<string, object>>
    }
    const { parameters = [], responses } = made.paths['/things']?.['get'] ?? {}
    expect(parameters).toEqual([
      reference('Wait', 'parameters'),
      { name: 'at', in: 'query', required: true, schema: { type: 'string' } },
      reference('IfNoneMatch', 'parameters'),
    ])
    expect(responses).toMatchObject({
      '304': reference('NotModified', 'responses'),
      '400': reference('Refused', 'responses'),
    })
    expect(made.components['parameters']?.['Wait']).toEqual({
      ...{ name: 'wait', in: 'query', required: false, description: 'Seconds' },
      schema: { type: 'string' },
    })
  })

  it('is found again by whoever follows the references, with its name and the words beside it', () => {
    const document = {
      a: { $ref: '#/b/Tree', description: 'own' },
      b: { Tree: { description: 'all', below: { $ref: '#/b/Tree' } } },
    }
    expect(resolveReferences(document)['a']).toEqual({ [NAME]: 'Tree', description: 'own', below: { [NAME]: 'Tree' } })
    expect(() => resolveReferences({ a: { $ref: '#/b/c' } })).toThrow('The document has no #/b/c')
  })
})
