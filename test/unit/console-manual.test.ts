// What the manual at /docs makes of the OpenAPI documents. A schema in words that says less than the schema sends
// people astray; and a dataset's name holds slashes, but is one segment of a path.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { headersOf, keyOf, missing, pathOf } from '../../src/page/manual/call.ts'
import { byTag, changes, type Document, isDownload, readSurface, search } from '../../src/page/manual/openapi.ts'
import { example, membersOf, words } from '../../src/page/manual/schema-text.ts'
import { pathOf as auditPath, NONE } from '../../src/page/pages/audit-path.ts'

const document: Document = JSON.parse(readFileSync(new URL('../golden/admin.json', import.meta.url), 'utf8'))
const surface = readSurface(document)
const operation = (id: string) => surface.operations.find((one) => one.id === id)!

describe('the manual', () => {
  it('has every call of the document, each under its tag', () => {
    const count = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0)
    expect(surface.operations).toHaveLength(count)
    expect(byTag(surface.operations).flatMap(([, operations]) => operations)).toHaveLength(count)
  })

  it('keeps what a call is refused with apart from what it answers', () => {
    const { answers, refusals, form } = operation('postUpdate')
    expect(answers.map(({ status }) => status)).toEqual(['202'])
    expect(refusals).toEqual(['400', '403', '413', '429', '507'])
    expect(Object.keys(form?.properties ?? {})).toEqual(['update'])
  })

  it('finds calls by words of their path, method and text, all of them', () => {
    expect(search(surface.operations, 'POST backup').map(({ id }) => id)).toEqual(['postBackup', 'restoreBackup'])
    expect(search(surface.operations, 'get BACKUP download').map(({ id }) => id)).toEqual(['downloadBackup'])
    expect(search(surface.operations, 'backup nowhere')).toEqual([])
    expect(search(surface.operations, '  ')).toHaveLength(surface.operations.length)
  })

  it('knows a GET that starts work, and a file', () => {
    expect(changes(operation('getReboot'))).toBe(true)
    expect(changes(operation('getVersion'))).toBe(false)
    expect(changes(operation('postReboot'))).toBe(true)
    expect(isDownload(operation('getLogs'))).toBe(true)
    expect(isDownload(operation('getChangelog'))).toBe(false)
  })
})

describe('the manual of a document that refers to its components', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'))
  /** Without the names, which a document without references cannot tell. */
  const unnamed = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, member) => (key === 'x-name' ? undefined : member)))

  it.each(['admin', 'controller'])(
    'shows what it showed when everything stood in the place where it is used: %s',
    (name) => {
      expect(JSON.stringify(readSurface(read(name)))).not.toContain('$ref')
      expect(unnamed(readSurface(read(name)))).toEqual(unnamed(readSurface(read(`${name}.resolved`))))
    },
  )

  it('names what a client would call it', () => {
    const { operations } = readSurface(read('controller'))
    const schema = (id: string) => operations.find((one) => one.id === id)?.answers[0]?.schema ?? {}
    expect(words(schema('getPool'))).toBe('object (PoolDetails)')
    expect(words(schema('listJobs'))).toBe('list of object (Job)')
    expect(words(schema('deletePool'))).toBe('object (Message) or object (DestructionPlan)')
    const { status = {} } = membersOf(schema('getJob')).properties
    expect(words(status)).toBe('one of pending, running, completed, failed, cancelled (JobStatus)')
  })

  it('ends where a schema holds itself', () => {
    const Tree = { type: 'object', properties: { below: { $ref: '#/components/schemas/Tree' } } }
    const { error } = readSurface({
      info: { title: '', description: '' },
      paths: {},
      components: { schemas: { Tree, Error: { $ref: '#/components/schemas/Tree' } }, securitySchemes: {} },
    })
    expect(error?.properties?.['below']).toEqual({ 'x-name': 'Tree' })
  })
})

describe('a schema in words', () => {
  it.each([
    [{ type: 'string', minLength: 1, maxLength: 255 }, 'text, 1 to 255 characters'],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'text, of the form ^[a-z]+$'],
    [{ type: 'string', pattern: 'x'.repeat(61) }, 'text'],
    [{ type: 'string', format: 'date-time', pattern: 'x' }, 'date and time, such as 2026-01-31T12:00:00Z'],
    [{ type: 'string', contentMediaType: 'application/octet-stream', 'x-limit-bytes': 10 }, 'file of at most 10 bytes'],
    [{ type: 'integer', minimum: 1, maximum: 1000 }, 'whole number, 1 to 1000'],
    [{ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, 'whole number'],
    [{ type: ['string', 'null'] }, 'text or null'],
    [{ enum: ['a', 'b'] }, 'one of a, b'],
    [{ const: '200 OK' }, '"200 OK"'],
    [{ anyOf: [{ type: 'string' }, { type: 'boolean' }] }, 'text or true or false'],
    [{ type: 'array', minItems: 1, items: { type: 'string' } }, 'list (at least 1) of text'],
    [{ type: 'object', properties: {} }, 'object'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'object whose members are each text'],
  ])('%j', (schema, expected) => {
    expect(words(schema)).toBe(expected)
  })

  it('shows the members of lists and of maps', () => {
    const inner = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
    const members = { properties: inner.properties, required: ['name'] }
    expect(membersOf({ type: 'array', items: inner })).toEqual(members)
    expect(membersOf({ type: 'object', additionalProperties: inner })).toEqual(members)
    expect(membersOf({ anyOf: [inner, { type: 'null' }] })).toEqual(members)
  })

  it('begins with an example of what has to be there', () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', example: 'tank' },
        size: { type: 'integer', minimum: 512 },
        vdevs: { type: 'array', minItems: 1, items: { type: 'string' } },
        on: { type: 'boolean' },
        note: { type: 'string' },
      },
      required: ['name', 'size', 'vdevs', 'on'],
    }
    expect(example(schema)).toEqual({ name: 'tank', size: 512, vdevs: [''], on: false })
  })
})

describe('a call out of what was typed', () => {
  const call = {
    ...operation('getVersion'),
    path: '/api/v1/datasets/{name}',
    parameters: [
      { name: 'name', in: 'path' as const, schema: {} },
      { name: 'name', in: 'query' as const, schema: {} },
      { name: 'dry_run', in: 'query' as const, schema: {} },
      { name: 'If-Match', in: 'header' as const, schema: {} },
    ],
  }
  const values = {
    [keyOf({ in: 'path', name: 'name' })]: 'tank/a b',
    [keyOf({ in: 'query', name: 'dry_run' })]: 'true',
  }

  it('has a name with slashes as one segment, and leaves out what is empty', () => {
    expect(pathOf(call, values)).toBe('/api/v1/datasets/tank%2Fa%20b?dry_run=true')
    expect(pathOf(call, { ...values, [keyOf({ in: 'query', name: 'name' })]: 'tank/My Photos+' })).toBe(
      '/api/v1/datasets/tank%2Fa%20b?name=tank%2FMy%20Photos%2B&dry_run=true',
    )
    expect(headersOf(call, values)).toEqual({})
    expect(headersOf(call, { ...values, 'header If-Match': '"x"' })).toEqual({ 'If-Match': '"x"' })
  })

  it('says what of the path is missing', () => {
    expect(missing(call, {})).toEqual(['name'])
    expect(missing(call, values)).toEqual([])
  })
})

it('the audit page asks for a name with a blank as the appliance reads it', () => {
  const path = auditPath({ ...NONE, resource: ' datasets/tank/My Photos ', actor: 'a+b' })
  expect(path).toBe('/api/v1/audit?limit=100&actor=a%2Bb&resource=datasets%2Ftank%2FMy%20Photos')
})
