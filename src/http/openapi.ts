// The OpenAPI 3.1 document, generated from the declarations that route and validate, so that it cannot drift from the
// server.
import type * as z from 'zod'
import type { Configuration } from '../config.ts'
import { type Endpoint, type Form, neededOf } from './endpoint.ts'
import { Components, type Json } from './openapi-components.ts'
import { shown } from './pipeline/route.ts'

/** How callers prove who they are (OpenAPI 3.1, 4.8.27): a value under a name, or the Authorization header. */
export type SecurityScheme = { description: string } & (
  | { type: 'apiKey'; in: 'query' | 'header' | 'cookie'; name: string }
  | { type: 'http'; scheme: 'basic' }
  | { type: 'http'; scheme: 'bearer'; bearerFormat?: string }
)

export const inQuery = (name: string, description: string): SecurityScheme => ({
  type: 'apiKey',
  in: 'query',
  ...{ name, description },
})

export const inHeader = (name: string, description: string): SecurityScheme => ({
  type: 'apiKey',
  in: 'header',
  ...{ name, description },
})

export interface DocumentOptions {
  title: string
  version: string
  description: string
  config: Configuration
  /** The credentials that the surface accepts, by the names of their security schemes. */
  proofs: Record<string, SecurityScheme>
  /** Which of them must be sent together; if left out, each alone is sufficient. */
  alternatives?: readonly (readonly string[])[]
  /** Statuses that every endpoint with a permission may answer. */
  refusals?: number[]
  /** POST requests may carry an Idempotency-Key. */
  idempotent?: boolean
  /** The shape of every error, named `Error`. */
  failure: z.ZodType
}

export function openapiDocument<Deps>(endpoints: Endpoint<Deps>[], options: DocumentOptions): Json {
  const components = new Components()
  const refused: Json = { description: 'Refused', content: jsonContent(components.schema(options.failure)) }
  const paths: Record<string, Json> = {}
  for (const declaration of endpoints) {
    const path = shown(declaration.path)
    paths[path] = {
      ...paths[path],
      [declaration.method.toLowerCase()]: operation(declaration, options, components, refused),
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: options.title, version: options.version, description: options.description },
    servers: [{ url: '/' }],
    paths,
    components: { ...components.toJSON(), securitySchemes: options.proofs },
  }
}

const jsonContent = (schema: Json): Json => ({ 'application/json': { schema } })

function operation<Deps>(
  declaration: Endpoint<Deps>,
  options: DocumentOptions,
  components: Components,
  refused: Json,
): Json {
  const { config, proofs, refusals: usual = [400, 403, 429] } = options
  const { id, method, tag, summary, description, permission, params, query, input, form, body, response, resource } =
    declaration
  const open = permission === 'public'
  const alternatives = options.alternatives ?? Object.keys(proofs).map((name) => [name])
  const anyProof = alternatives.map((names) => Object.fromEntries(names.map((name) => [name, []])))
  const content =
    response === 'none'
      ? undefined
      : typeof response === 'string'
        ? { [response]: response === 'application/json' ? { schema: { type: 'object' } } : {} }
        : jsonContent(components.schema(response))
  const headers = headersOf(declaration, options)
  const errors = new Set([
    ...(declaration.errors ?? []),
    // A wrong query is refused for every caller.
    ...(open ? usual.filter((status) => status === 400) : usual),
    ...(needsSpace(declaration) ? [507] : []),
    ...headers.flatMap(({ refusals }) => refusals),
  ])
  const refusals = [...errors]
    .sort()
    .map((status) => [String(status), components.refer('responses', 'Refused', refused)])
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...permissionOf(declaration),
    security: permission === 'set-up' ? [{}, ...anyProof] : open ? [] : anyProof,
    ...((params || query || input || headers.length > 0) && {
      parameters: [
        ...(params ? parametersIn('path', params, components) : []),
        ...(query ? parametersIn('query', query, components) : []),
        ...(input ? inputParameters(input, declaration.path, components) : []),
        ...headers.map(({ name, description }) =>
          components.refer('parameters', name.replaceAll('-', ''), {
            ...{ name, in: 'header', description },
            schema: { type: 'string' },
          }),
        ),
      ],
    }),
    ...(body && { requestBody: { required: true, content: jsonContent(components.schema(body, 'input')) } }),
    ...(form && {
      requestBody: { required: true, content: { 'multipart/form-data': { schema: formSchema(form, config) } } },
    }),
    responses: {
      [String(declaration.status ?? 200)]: { description: 'Done', ...(content && { content }) },
      ...(declaration.accepted && {
        '202': {
          description: 'Under way: a job, at Location',
          content: jsonContent(components.schema(declaration.accepted)),
        },
      }),
      ...(resource && method === 'GET' && { '304': components.refer('responses', 'NotModified', NOT_MODIFIED) }),
      ...Object.fromEntries(refusals),
    },
  }
}

/** Where the permission depends on the path, the parameter is shown as a placeholder: `{project}`. */
function permissionOf<Deps>({ path, permission }: Endpoint<Deps>): Json {
  const names = [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name = '']) => name)
  const needed = neededOf(permission, Object.fromEntries(names.map((name) => [name, `{${name}}`])))
  return { 'x-permission': needed?.role ?? permission, ...(needed?.scope !== undefined && { 'x-scope': needed.scope }) }
}

const NOT_MODIFIED = { description: 'Not changed since the tag of If-None-Match' }

/**
 * Whether a full disk refuses the call: a change needs room for its audit entry. Logins and logouts work without it
 * (handle.ts).
 */
function needsSpace<Deps>({ method, permission, repeatable }: Endpoint<Deps>): boolean {
  return method !== 'GET' && permission !== 'public' && !repeatable
}

/** The request headers that an operation honors, and the statuses that they may lead to. */
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

/**
 * Each member of the schema as a parameter; a schema with `parameter` in its metadata becomes a shared component of
 * that name.
 */
function parametersIn(where: 'path' | 'query', schema: z.ZodType, components: Components): Json[] {
  const { properties = {}, required = [] } = components.schema(schema, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, parameter, ...rest }]) => {
    const one = {
      name,
      in: where,
      required: required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    }
    return typeof parameter === 'string' ? components.refer('parameters', parameter, one) : one
  })
}

/**
 * The parameters of one schema over path, query and form, each where it belongs. A form may carry the query parameters
 * as well.
 */
const inputParameters = (input: z.ZodType, path: string, components: Components): Json[] =>
  parametersIn('query', input, components).map((one) =>
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
