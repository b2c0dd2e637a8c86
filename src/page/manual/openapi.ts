// Reads the OpenAPI documents into one flat list of calls. Error responses look the same everywhere, so only their
// statuses are kept; otherwise every call would end in the same page of text.

export interface Schema {
  /** Its name in the document, where it has one. */
  'x-name'?: string
  type?: string | string[]
  format?: string
  description?: string
  enum?: unknown[]
  const?: unknown
  example?: unknown
  default?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  anyOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  contentMediaType?: string
  'x-limit-bytes'?: number
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Schema
}

export interface Answer {
  status: string
  description: string
  type: string
  schema: Schema | undefined
}

export interface Operation {
  id: string
  method: string
  path: string
  tag: string
  summary: string
  description: string
  permission: string
  parameters: Parameter[]
  form: Schema | undefined
  body: Schema | undefined
  answers: Answer[]
  /** Statuses whose body is the API's error. */
  refusals: string[]
}

export interface Surface {
  title: string
  description: string
  /** How callers authenticate, in the words of the document. */
  proofs: { name: string; description: string }[]
  error: Schema | undefined
  operations: Operation[]
}

interface Described {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  'x-permission': string
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>
}

interface Resolved {
  info: { title: string; description: string }
  paths: Record<string, Record<string, Described>>
  components: {
    schemas: Record<string, Schema>
    securitySchemes: Record<string, { name?: string; description?: string }>
  }
}

/** As it comes: with references from its operations to its components. */
export type Document = Pick<Resolved, 'info'> & { paths: object; components: object }

export function readSurface(document: Document): Surface {
  const { info, paths, components } = resolve(document, document, []) as Resolved
  return {
    title: info.title,
    description: info.description,
    proofs: Object.entries(components.securitySchemes).map(([key, { name, description = '' }]) => ({
      name: name ?? key,
      description,
    })),
    error: components.schemas['Error'],
    operations: Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => readOperation(method.toUpperCase(), path, described)),
    ),
  }
}

/** Puts in the place of each reference what it refers to, with its name. `inside`: the references that led here. */
function resolve(value: unknown, document: Document, inside: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, document, inside))
  if (typeof value !== 'object' || value === null) return value
  const { $ref, ...rest } = value as { $ref?: unknown; [member: string]: unknown }
  const own = Object.fromEntries(Object.entries(rest).map(([key, member]) => [key, resolve(member, document, inside)]))
  if (typeof $ref !== 'string') return own
  const path = $ref.slice('#/'.length).split('/')
  const found = path.reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], document)
  // A schema that holds itself ends where it begins again.
  const target = inside.includes($ref) ? {} : (resolve(found, document, [...inside, $ref]) as object)
  return { ...target, 'x-name': path.at(-1), ...own }
}

function readOperation(method: string, path: string, described: Described): Operation {
  const { operationId, tags, summary, description = '', parameters = [], requestBody, responses } = described
  const content = requestBody?.content ?? {}
  const isError = (status: string) => Number(status) >= 400
  return {
    id: operationId,
    method,
    path,
    tag: tags[0] ?? 'Other',
    summary,
    description,
    permission: described['x-permission'],
    parameters,
    form: content['multipart/form-data']?.schema,
    body: content['application/json']?.schema,
    answers: Object.entries(responses)
      .filter(([status]) => !isError(status))
      .flatMap(([status, { description, content = {} }]): Answer[] => {
        const types = Object.entries(content)
        return types.length === 0
          ? [{ status, description, type: '', schema: undefined }]
          : types.map(([type, { schema }]) => ({ status, description, type, schema }))
      }),
    refusals: Object.keys(responses).filter(isError),
  }
}

/** The calls that contain every search word in their method, path, name or text. */
export function search(operations: Operation[], text: string): Operation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return operations.filter(({ id, method, path, tag, summary, description }) => {
    const all = `${method} ${path} ${id} ${tag} ${summary} ${description}`.toLowerCase()
    return words.every((word) => all.includes(word))
  })
}

/** In the order of the document. */
export function byTag(operations: Operation[]): [tag: string, operations: Operation[]][] {
  const tags = [...new Set(operations.map(({ tag }) => tag))]
  return tags.map((tag) => [tag, operations.filter((one) => one.tag === tag)])
}

/** Whether a call changes something: a GET that answers 202 starts work, so it does, too. */
export const changes = ({ method, answers }: Operation) =>
  method !== 'GET' || answers.some(({ status }) => status === '202')

/** Whether the response is a file to save. */
export const isDownload = ({ answers }: Operation) =>
  answers.some(({ type }) => type === 'application/octet-stream' || type === 'application/x-tar')
