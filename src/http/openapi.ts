// The OpenAPI 3.1 document, made from the same declarations that route and validate, so that it cannot drift from the server.
import * as z from 'zod'
import type { Configuration } from '../config.ts'
import { type Endpoint, type Form, neededOf } from './endpoint.ts'
import { shown } from './pipeline/route.ts'

export interface DocumentOptions {
  title: string
  version: string
  description: string
  config: Configuration
  /** Query parameters that prove who calls, by name. */
  credentials: Record<string, string>
  /** What the JWT in the Authorization header is, where that is the proof. */
  bearer?: string
  /** The statuses that everything behind a permission may answer. */
  refusals?: number[]
  /** POSTs are heard for an Idempotency-Key. */
  idempotent?: boolean
  /** The shape of every error. */
  failure: z.ZodType
}

type Json = Record<string, unknown>

const BEARER = 'bearerAuth'

export function openapiDocument<Deps>(endpoints: Endpoint<Deps>[], options: DocumentOptions): Json {
  const paths: Record<string, Json> = {}
  for (const declaration of endpoints) {
    const path = shown(declaration.path)
    paths[path] = {
      ...paths[path],
      [declaration.method.toLowerCase()]: operation(declaration, options),
    }
  }
  const schemes: [string, Json][] = Object.entries(options.credentials).map(([name, description]) => [
    name,
    { type: 'apiKey', in: 'query', name, description },
  ])
  if (options.bearer)
    schemes.push([BEARER, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: options.bearer }])
  return {
    openapi: '3.1.0',
    info: { title: options.title, version: options.version, description: options.description },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: { Error: jsonSchema(options.failure) }, securitySchemes: Object.fromEntries(schemes) },
  }
}

function operation<Deps>(declaration: Endpoint<Deps>, options: DocumentOptions): Json {
  const { config, credentials, bearer, refusals: usual = [400, 403, 429] } = options
  const { id, method, tag, summary, description, permission, params, query, input, form, body, response, resource } =
    declaration
  const open = permission === 'public'
  const names = [...Object.keys(credentials), ...(bearer ? [BEARER] : [])]
  const anyCredential = names.map((name) => ({ [name]: [] }))
  const content =
    response === 'none'
      ? undefined
      : typeof response === 'string'
        ? { [response]: response === 'application/json' ? { schema: { type: 'object' } } : {} }
        : { 'application/json': { schema: jsonSchema(response) } }
  const headers = headersOf(declaration, options)
  const errors = new Set([
    ...(declaration.errors ?? []),
    ...(open ? [] : usual),
    ...(needsSpace(declaration) ? [507] : []),
    ...headers.flatMap(({ refusals }) => refusals),
  ])
  const refusals = [...errors]
    .sort()
    .map((status) => [
      String(status),
      { description: 'Refused', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
    ])
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...permissionOf(declaration),
    security: permission === 'set-up' ? [{}, ...anyCredential] : open ? [] : anyCredential,
    ...((params || query || input || headers.length > 0) && {
      parameters: [
        ...(params ? parametersIn('path', params) : []),
        ...(query ? parametersIn('query', query) : []),
        ...(input ? inputParameters(input, declaration.path) : []),
        ...headers.map(({ name, description }) => ({ name, in: 'header', description, schema: { type: 'string' } })),
      ],
    }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } },
    }),
    ...(form && {
      requestBody: { required: true, content: { 'multipart/form-data': { schema: formSchema(form, config) } } },
    }),
    responses: {
      [String(declaration.status ?? 200)]: { description: 'Done', ...(content && { content }) },
      ...(declaration.accepted && {
        '202': {
          description: 'Under way: a job, at Location',
          content: { 'application/json': { schema: jsonSchema(declaration.accepted) } },
        },
      }),
      ...(resource && method === 'GET' && { '304': { description: 'Not changed since the tag of If-None-Match' } }),
      ...Object.fromEntries(refusals),
    },
  }
}

/** Where the permission depends on the path, its parameters stand for themselves: `{project}`. */
function permissionOf<Deps>({ path, permission }: Endpoint<Deps>): Json {
  const names = [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name = '']) => name)
  const needed = neededOf(permission, Object.fromEntries(names.map((name) => [name, `{${name}}`])))
  return { 'x-permission': needed?.role ?? permission, ...(needed?.scope !== undefined && { 'x-scope': needed.scope }) }
}

/** Whether a full disk refuses the call: a change needs room for its audit entry. Who signs in or out is let in without it (handle.ts). */
function needsSpace<Deps>({ method, permission, repeatable }: Endpoint<Deps>): boolean {
  return method !== 'GET' && permission !== 'public' && !repeatable
}

/** Request headers that a declaration is heard for, and what they may be answered with. */
function headersOf<Deps>(
  { method, resource, secret, repeatable, form, response }: Endpoint<Deps>,
  { idempotent }: DocumentOptions,
) {
  const found: { name: string; description: string; refusals: number[] }[] = []
  if (resource && method === 'GET')
    found.push({ name: 'If-None-Match', description: 'Tags of what the caller has', refusals: [] })
  if (resource && method !== 'GET')
    found.push({ name: 'If-Match', description: 'The ETag that the change is meant for', refusals: [412] })
  if (idempotent && method === 'POST' && !secret && !repeatable && !form && typeof response !== 'string')
    found.push({
      name: 'Idempotency-Key',
      description: 'Sent again with the same key and body within a day, it is answered as before and done once',
      refusals: [409, 422],
    })
  return found
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}

function parametersIn(where: 'path' | 'query', schema: z.ZodType): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as Json
    return {
      name,
      in: where,
      required: required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    }
  })
}

/** Of one schema over path, query and form: where each value goes. A form may carry what is said here of the query. */
const inputParameters = (input: z.ZodType, path: string): Json[] =>
  parametersIn('query', input).map((one) =>
    shown(path).includes(`{${one['name']}}`) ? { ...one, in: 'path', required: true } : one,
  )

function formSchema(form: Form, config: Configuration): Json {
  const parts = Object.entries(form)
  const properties = parts.map(([name, part]) => {
    const size =
      part.kind === 'file' ? { contentMediaType: 'application/octet-stream', 'x-limit-bytes': part.limit(config) } : {}
    return [name, { type: 'string', description: part.description, ...size }]
  })
  const required = parts.filter(([, part]) => part.required).map(([name]) => name)
  return { type: 'object', properties: Object.fromEntries(properties), required }
}
