// Words that a caller wrote and nobody would read: in the query, twice in a body, in a body or header that is not taken. Made from the tables
// of endpoints. Dropping one would carry out what the caller only wanted to look at, so each is refused by name and nothing is done.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { call, file, multipart } from './client.ts'
import { addCaller, ask, ON } from './controller.ts'
import { everything, makePool } from './storage-tools.ts'
import { startStorage, type World } from './storage-world.ts'

// Some thousand requests: on a busy machine they take their time.
vi.setConfig({ testTimeout: 300_000 })

const tables: Endpoint<never>[] = [...controllerEndpoints, ...consoleEndpoints]
const pathOf = (path: string) => path.replace(/\{(\w+)\*?\}/g, 'tank')

let appliance: InProcess
let bearer: string
beforeAll(async () => {
  appliance = await startAppliance(ON)
  bearer = (await addCaller(appliance.folders, 'administrator')).token
})
afterAll(() => appliance?.close())

describe('each endpoint of the controller and the console refuses by name', () => {
  /** A word of the endpoint's own where it has one, so that nothing but its spelling is wrong. */
  const own = ({ query }: Endpoint<never>) => Object.keys(query?.shape ?? {})[0] ?? 'dry_run'
  const encoded = (word: string) => `%${word.charCodeAt(0).toString(16)}${word.slice(1)}`
  const wrong: Record<string, (word: string) => [query: string, named: string, why: RegExp]> = {
    'a word without a value': (word) => [word, word, /has no value/],
    'a word with an empty value': (word) => [`${word}=`, word, /has no value/],
    'a word that comes twice': (word) => [`${word}=true&${word}=true`, word, /more than once/],
    'a word that comes twice in two spellings': (word) => [
      `${word}=false&${encoded(word)}=true`,
      word,
      /more than once/,
    ],
    'a word that is not well encoded': (word) => [`${word}=%ff`, word, /not well encoded/],
    'a word behind a semicolon': (word) => [`x;${word}`, `x;${word}`, /has no value/],
    'an unknown word': (word) => [`${word}zq=true`, `${word}zq`, /^Unknown query parameter/],
  }
  for (const [what, make] of Object.entries(wrong)) {
    it(what, async () => {
      for (const endpoint of tables) {
        const [query, named, why] = make(own(endpoint))
        const { status, json } = await ask(appliance.url, endpoint.method, `${pathOf(endpoint.path)}?${query}`, {
          bearer,
        })
        expect([endpoint.id, status]).toEqual([endpoint.id, 400])
        expect(json.message).toMatch(why)
        expect(json.message).toContain(`"${named}"`)
      }
    })
  }

  it('a value without a name, and an empty word', async () => {
    for (const { method, path, id } of tables) {
      for (const query of ['=x', '&', 'a=b&&c=d', '%ff=1', '&dry_run=true']) {
        const { status, json } = await ask(appliance.url, method, `${pathOf(path)}?${query}`, { bearer })
        expect([id, query, status, json.message]).toEqual([
          id,
          query,
          400,
          expect.stringMatching(/without a name|not well encoded|Unknown query parameter/),
        ])
      }
    }
  })

  it('offers the word that was most likely meant', async () => {
    for (const [word, meant] of [
      ['dryrun', 'dry_run'],
      ['Dry-Run', 'dry_run'],
      ['confrim', 'confirm'],
    ]) {
      const { json } = await ask(appliance.url, 'DELETE', `/api/v1/pools/tank?${word}=true`, { bearer })
      expect(json).toEqual({
        code: 'VALIDATION_ERROR',
        message: `Unknown query parameter "${word}": did you mean "${meant}"?`,
        details: word,
        errors: [{ field: word, message: `Unknown query parameter "${word}": did you mean "${meant}"?` }],
      })
    }
  })

  it('a word that only the configuration of the original’s surface tolerates', async () => {
    const tolerant = await startAppliance({ config: { ...ON.config, parameters: ['dryrun'] } })
    try {
      const { token } = await addCaller(tolerant.folders, 'administrator')
      const path = '/api/v1/pools/tank?dryrun=true'
      expect((await ask(tolerant.url, 'DELETE', path, { bearer: token })).status).toBe(400)
      expect((await tolerant.call('GET', '/version', { query: { dryrun: '1' } })).status).toBe(200)
    } finally {
      await tolerant.close()
    }
  })
})

describe('a body', () => {
  // Those of the console that are not public need its cookie.
  const withBody = tables.filter(
    ({ body, path, permission }) => body && (permission === 'public' || !path.startsWith('/console')),
  )
  it('that names a member twice is refused, however it is spelled', async () => {
    for (const { method, path, id } of withBody) {
      for (const body of [
        '{"recursive":false,"recursive":true}',
        '{"a":1,"\\u0061":1}',
        '{"a":{"b":[0,{"c":1,"c":2}]}}',
      ]) {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
        const { status, body: text } = await call(appliance.url, method, pathOf(path), { body, headers })
        expect([id, body, status, text]).toEqual([
          id,
          body,
          expect.any(Number),
          expect.stringContaining('more than once'),
        ])
        expect(status).toBe(400)
      }
    }
  })

  it('with a number that would be rounded is refused', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
    const body = '{"name":"tank/v","size":9007199254740993}'
    const { status, body: text } = await call(appliance.url, 'POST', '/api/v1/zvols', { body, headers })
    expect([status, JSON.parse(text).details, JSON.parse(text).message]).toEqual([
      400,
      'size',
      'The member "size" is a number too large to be kept exactly',
    ])
  })

  it('where none is taken is refused, unless it says nothing', async () => {
    for (const { method, path, id, body } of tables) {
      if (method === 'GET' || body) continue
      const { status, json } = await ask(appliance.url, method, pathOf(path), { bearer, json: { dry_run: true } })
      // The console takes no token, and says so first.
      if (status === 401) continue
      expect([id, status, json.message]).toEqual([
        id,
        400,
        'This request takes no body: its parameters belong in the query',
      ])
    }
    for (const body of ['', '{}', ' null\n', '{ }']) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
      const { status } = await call(appliance.url, 'POST', '/api/v1/jobs/none/cancel', { body, headers })
      expect([body, status]).toEqual([body, 404])
    }
  })
})

describe('a condition that is not kept', () => {
  it('is refused, not dropped', async () => {
    const send = (path: string, headers: Record<string, string>) =>
      ask(appliance.url, 'POST', path, { bearer, headers }).then(({ status, json }) => [status, json.details])
    const rollback = '/api/v1/snapshots/tank/t@s/rollback'
    expect(await send(rollback, { 'if-match': '"x"' })).toEqual([400, 'If-Match'])
    expect(await send(rollback, { 'if-none-match': '*' })).toEqual([400, 'If-None-Match'])
    const gone = await ask(appliance.url, 'DELETE', '/api/v1/pools/tank', {
      bearer,
      headers: { 'if-unmodified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' },
    })
    expect([gone.status, gone.json.details]).toEqual([400, 'If-Unmodified-Since'])
  })
})

describe('on the admin surface, which reads as the original does, a call that changes something', () => {
  const PATH = '/backup'
  const message = (body: string) => JSON.parse(body)['Error-Message']
  it('is refused when its words contradict each other, wherever they stand', async () => {
    const twice = [
      { name: 'action', value: 'START' },
      { name: 'action', value: 'STOP' },
    ]
    const urlencoded = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'action=START&action=STOP',
    }
    for (const [path, options] of [
      [`${PATH}?action=START&action=STOP`, {}],
      [`${PATH}?action=START&%61ction=STOP`, {}],
      [`${PATH}?action=STOP&action`, {}],
      [`${PATH}?action=STOP`, { form: twice.slice(0, 1) }],
      [PATH, { form: twice }],
      [PATH, urlencoded],
    ] as const) {
      const { status, body } = await appliance.call('POST', path, {
        ...options,
        form: 'form' in options ? [...options.form] : undefined,
      } as never)
      expect([path, status, message(body)]).toEqual([path, 400, expect.stringContaining('different values')])
    }
    const { type, body } = multipart([file('archive', 'a'), file('archive', 'b')])
    const files = await appliance.call('POST', '/backup/restore', { headers: { 'content-type': type }, body })
    expect([files.status, message(files.body)]).toEqual([400, 'The option "archive" came more than once'])
  })

  it('is refused when a word of it is unknown, with a value or without', async () => {
    for (const query of ['dry_run', 'dry_run=', 'dry_run=true', '%64ry_run'])
      expect([query, (await appliance.call('POST', `${PATH}?${query}`)).status]).toEqual([query, 400])
    expect((await appliance.call('GET', '/reboot?dry_run')).status).toBe(400)
    expect((await appliance.call('GET', '/logs?dry_run')).status).toBe(400)
  })

  it('takes the words that the original’s clients send', async () => {
    expect((await appliance.call('GET', '/version?index.html&v=1&foo')).status).toBe(200)
    expect((await appliance.call('GET', '/version?token=wrong&token=yourtoken', { nobody: true })).status).toBe(200)
  })
})

describe('a destruction with a flag that cannot be read', () => {
  let world: World
  beforeAll(async () => {
    world = await startStorage()
    makePool(world)
  })
  afterAll(() => world?.close())

  it('destroys nothing', async () => {
    expect((await world.ask('POST', '/datasets', { json: { name: 'tank/t1' } })).status).toBe(201)
    const before = everything(world)
    for (const [method, path] of [
      ['DELETE', '/pools/tank?dry_run'],
      ['DELETE', '/pools/tank?recursive=false&recursive=true'],
      ['DELETE', '/pools/tank?recursive=true&dry%5Frun'],
      ['DELETE', '/datasets/tank/t1?dry_run'],
      ['DELETE', '/datasets/tank/t1?confirm'],
      ['DELETE', '/datasets/tank/t1?dry_run=true&dry_run=false'],
      ['POST', '/pools/tank/export?dry_run'],
    ] as const) {
      const { status } = await world.ask(method, path)
      expect([path, status]).toEqual([path, 400])
    }
    expect((await world.ask('DELETE', '/pools/tank', { json: { dry_run: true } })).status).toBe(400)
    expect(everything(world)).toBe(before)
  })
})
