// The API manual: HTML generated from the OpenAPI documents of all enabled surfaces. Each surface authenticates callers
// differently, so each document's operations are preceded by an explanation.
import { html, raw } from 'hono/html'
import { NAME, resolveReferences } from '../../http/openapi-references.ts'
import { PREFIX } from './context.ts'

interface Schema {
  [NAME]?: string
  type?: string
  example?: unknown
  examples?: unknown[]
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  description?: string
  required?: string[]
  properties?: Record<string, Schema & { 'x-limit-bytes'?: number }>
}

interface Operation {
  summary: string
  description?: string
  tags: string[]
  security: object[]
  parameters?: { name: string; description?: string }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}

interface Document {
  info: { title: string }
  paths: Record<string, Record<string, Operation>>
}

interface Entry {
  method: string
  path: string
  op: Operation
}

const FORM = 'multipart/form-data'
const JSON_BODY = 'application/json'

/** The body of the page. `documents`: OpenAPI as JSON text, the admin surface's first. */
export function manual(documents: string[], version: string) {
  const parts = documents.map((text, index) => {
    const { info, paths } = resolveReferences(JSON.parse(text)) as unknown as Document
    const entries = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, op]) => ({ method, path, op })),
    )
    return { title: info.title, admin: index === 0, entries, tags: [...new Set(entries.map(tagOf))] }
  })
  return html`<h1>Edge Admin ${version}: API</h1>
${parts.map(
  ({ title, tags, admin }) => html`<p>${title}, <a href="${documentPath(admin)}">as OpenAPI</a></p>
<nav><ul>${tags.map((tag) => html`<li><a href="#${anchor(tag)}">${tag}</a></li>`)}</ul></nav>`,
)}
${parts.map(({ admin, entries, tags }) => html`${admin ? signing() : bearer()}${chapters(entries, tags, admin)}`)}`
}

const tagOf = ({ op }: Entry) => op.tags[0] ?? ''
const anchor = (tag: string) => tag.replace(/ /g, '-')
const documentPath = (admin: boolean) => (admin ? `${PREFIX}/openapi.json` : '/api/v1/openapi.json')

const chapters = (entries: Entry[], tags: string[], admin: boolean) =>
  raw(
    tags
      .map((tag) => {
        const own = entries.filter((entry) => tagOf(entry) === tag)
        return String(html`<h2 id="${anchor(tag)}">${tag}</h2>${own.map((entry) => operation(entry, admin))}`)
      })
      .join(''),
  )

const signing = () => html`<h2 id="auth">Who is calling</h2>
<p>Each call below <code>${PREFIX}</code> carries <code>?hash=</code> (better) or <code>?token=</code>. The key of the hash is the SHA-256 of the
token, as hexadecimal text; what is signed is the method and the path, without the query:</p>
<pre>KEY=$(printf %s "$TOKEN" | openssl dgst -sha256 -r | cut -d' ' -f1)
HASH=$(printf %s "GET${PREFIX}/version" | openssl dgst -sha256 -hmac "$KEY" -r | cut -d' ' -f1)
curl "https://HOST:8443${PREFIX}/version?hash=$HASH"</pre>
<p>A refusal is 403. After five refusals an address waits: 429 with <code>Retry-After</code>. Errors are
<code>{"Status":"400 Bad Request","Error-Message":"..."}</code>; <code>X-Request-Id</code> names the line in the server's log.</p>
`

const bearer = () => html`<h2 id="accounts">Accounts and storage: who is calling</h2>
<p>The calls below carry the token of a login, for a day at most:</p>
<pre>JWT=$(curl -s https://HOST:8443/api/v1/auth/login -H 'Content-Type: application/json' \\
  -d '{"username":"admin","password":"..."}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
curl -H "Authorization: Bearer $JWT" https://HOST:8443/api/v1/pools</pre>
<p>Without a valid token 401, with too small a role 403. Errors are <code>{"code":"NOT_FOUND","message":"...","details":"tank/x"}</code>. What takes
long is a job: the answer is 202 with its address in <code>Location</code>, at once with <code>Prefer: respond-async</code>. A GET carries an
<code>ETag</code>; <code>If-Match</code> makes a change happen only to what you saw (else 412). <code>Idempotency-Key</code> on a POST makes a retry safe.
A DELETE with <code>?dry_run=true</code> answers what would be destroyed, and destroys nothing.</p>
`

function operation({ method, path, op }: Entry, admin: boolean) {
  const rows = [
    ...(op.parameters ?? []).map(({ name, description }) => ({ name, description: description ?? '' })),
    ...Object.entries(op.requestBody?.content ?? {}).flatMap(([type, { schema }]) => members(schema, type === FORM)),
  ]
  const statuses = Object.entries(op.responses).map(
    ([status, { content = {} }]) =>
      `${status} ${Object.entries(content)
        .map(([type, { schema }]) => [type, schema && nameOf(schema)].filter(Boolean).join(' '))
        .join(', ')}`,
  )
  return html`<h3 id="${method}-${path}"><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p>${op.summary}. ${op.description ?? ''}</p>
${rows.length > 0 ? html`<table>${rows.map(({ name, description }) => html`<tr><td><code>${name}</code></td><td>${description}</td></tr>`)}</table>` : ''}
<pre>${admin ? signedCurl(method, path, op) : bearerCurl(method, path, op)}</pre>
<p>Answers: ${statuses.join(' · ')}</p>
`
}

function members({ properties = {}, required = [] }: Schema, isForm: boolean) {
  return Object.entries(properties).map(([name, part]) => {
    const limit = part['x-limit-bytes'] ? `, at most ${part['x-limit-bytes']} bytes` : ''
    const kind = isForm ? '' : `${[part.type, nameOf(part)].filter(Boolean).join(' ')}, `
    const must = required.includes(name) ? 'required' : 'optional'
    return { name, description: `${part.description ?? ''} (${kind}${must}${limit})`.trim() }
  })
}

/** The schema's name in the document; empty if it has none. */
function nameOf({ [NAME]: name, items, anyOf }: Schema): string {
  if (name !== undefined) return name
  if (items) return nameOf(items) && `list of ${nameOf(items)}`
  return (anyOf ?? []).map(nameOf).filter(Boolean).join(' or ')
}

function signedCurl(method: string, path: string, { requestBody }: Operation): string {
  const { properties = {}, required = [] } = requestBody?.content[FORM]?.schema ?? {}
  const parts = required.map((name) => ` -F ${name}=${properties[name]?.['x-limit-bytes'] ? `@${name}.file` : 'VALUE'}`)
  return `curl -X ${method.toUpperCase()} "https://HOST:8443${path}?hash=HASH"${parts.join('')}`
}

function bearerCurl(method: string, path: string, { requestBody, security }: Operation): string {
  const schema = requestBody?.content[JSON_BODY]?.schema
  const who = security.length > 0 ? ' -H "Authorization: Bearer $JWT"' : ''
  const body = schema ? ` -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(sample(schema))}'` : ''
  return `curl -X ${method.toUpperCase()} "https://HOST:8443${path}"${who}${body}`
}

/** An example value for the schema. For an object: the required members, else the first one. */
function sample(schema: Schema): unknown {
  const given = schema.example ?? schema.examples?.[0] ?? schema.enum?.[0]
  if (given !== undefined) return given
  if (schema.anyOf?.[0]) return sample(schema.anyOf[0])
  if (schema.type === 'array') return schema.items ? [sample(schema.items)] : []
  if (schema.type === 'integer' || schema.type === 'number') return 1
  if (schema.type === 'boolean') return true
  if (!schema.properties) return schema.type === 'object' ? {} : '…'
  const names = schema.required?.length ? schema.required : Object.keys(schema.properties).slice(0, 1)
  return Object.fromEntries(names.map((name) => [name, sample(schema.properties?.[name] ?? {})]))
}
