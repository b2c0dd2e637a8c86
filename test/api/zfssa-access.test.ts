// The ZFSSA surface's ways to authenticate, its versions, headers and faults (../shared/seeds/zfssa-rest.txt).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ApiError, ERROR_KINDS } from '../../src/errors.ts'
import { CODES, fault } from '../../src/surfaces/zfssa/fault.ts'
import { checkVersion, versionOf } from '../../src/surfaces/zfssa/versions.ts'
import { TestClock } from '../harness/clock.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, PASSWORD } from './controller.ts'
import { account, asks, authHeaders, session, ZFSSA } from './zfssa.ts'

const clock = new TestClock()
let box: InProcess
beforeAll(async () => {
  box = await startAppliance({ ...ZFSSA, clock })
  for (const role of ['administrator', 'operator', 'viewer'] as const) await account(box, role)
})
afterAll(() => box.close())
/** Back-off of one test must not delay the next. */
let host = 1
let from: string
beforeEach(() => {
  host += 1
  from = `127.0.7.${host}`
})
const ask = (method: string, path: string, options: Parameters<typeof asks>[3] = {}) =>
  asks(box, method, path, { from, ...options })
const faultOf = (name: keyof typeof CODES, details: unknown = expect.any(String)) => ({
  fault: { message: name, details, code: CODES[name], name },
})

describe('a caller', () => {
  it.each([
    ['Basic', { basic: 'viewer' }],
    ['X-Auth-User and X-Auth-Key', { user: 'viewer' }],
  ] as const)('is known by %s', async (_how, auth) => {
    const { status, json } = await ask('GET', '/api/access/v2', { auth })
    expect([status, Object.keys(json)]).toEqual([200, ['services']])
    expect(json.services).toContainEqual({ version: '2.0', name: 'access', uri: `${box.url}/api/access/v2` })
  })

  it('is known by the session that begins with any of them, whatever its role', async () => {
    for (const auth of [{ basic: 'viewer' }, { user: 'operator' }]) {
      const { status, headers, json } = await ask('POST', '/api/access/v1', { auth })
      expect([status, Object.keys(json), headers['x-auth-name']]).toEqual([201, ['access'], undefined])
      const token = String(headers['x-auth-session'])
      expect(token).toMatch(/^[A-Za-z0-9]{32}$/)
      expect((await ask('GET', '/api/access/v1', { auth: { session: token } })).status).toBe(200)
    }
  })

  const wrong: [string, Record<string, string | string[]>][] = [
    ['nothing', {}],
    ['a wrong password', authHeaders({ basic: 'viewer', password: 'not-the-one-1' })],
    ['an unknown name', authHeaders({ user: 'nobody' })],
    ['an empty password', authHeaders({ basic: 'viewer', password: '' })],
    ['a name without a key', { 'X-Auth-User': 'viewer' }],
    ['a key without a name', { 'X-Auth-Key': PASSWORD }],
    ['Basic that is no base64', { Authorization: 'Basic !' }],
    ['Basic without a colon', { Authorization: `Basic ${Buffer.from('viewer').toString('base64')}` }],
    ['another scheme', { Authorization: `Bearer ${PASSWORD}` }],
    ['a session that never was', authHeaders({ session: 'A'.repeat(32) })],
    ['an empty session beside a right password', { ...authHeaders({ basic: 'viewer' }), 'X-Auth-Session': '' }],
    ['a very long password', authHeaders({ user: 'viewer', password: 'a1'.repeat(2000) })],
  ]
  it.each(wrong)('with %s gets 401, and no session', async (_what, headers) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await ask(method, '/api/access/v1', { headers })
      // After three wrong passwords the address has to wait.
      expect([401, 503]).toContain(answer.status)
      expect(answer.json).toEqual(faultOf(answer.status === 401 ? 'ERR_UNAUTHORIZED' : 'ERR_BUSY'))
      expect(answer.headers).not.toHaveProperty('x-auth-session')
    }
  })

  it('with two of a header gets 400: a proxy may have looked at the other one', async () => {
    const headers = { 'X-Auth-Session': ['A'.repeat(32), await session(box, 'viewer')] }
    const { status, json } = await ask('GET', '/api/access/v1', { headers })
    expect([status, json]).toEqual([400, faultOf('ERR_INVALID_ARG', expect.stringContaining('x-auth-session'))])
  })

  it('who guesses hears 503 with Retry-After, never 429 and never 500', async () => {
    const statuses: number[] = []
    for (let guess = 0; guess < 12; guess += 1) {
      const { status, headers, json } = await ask('GET', '/api/access/v1', {
        auth: { basic: 'operator', password: `guess-${guess}` },
      })
      statuses.push(status)
      if (status !== 503) continue
      expect(json).toEqual(faultOf('ERR_BUSY', expect.stringMatching(/^Too many failed logins/)))
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
    expect(new Set(statuses)).toEqual(new Set([401, 503]))
    // The account's owner, elsewhere, is not kept out.
    expect((await ask('GET', '/api/access/v1', { auth: { basic: 'operator' }, from: '127.0.8.1' })).status).toBe(200)
  })

  it('who is proven is not counted: a driver polls several times a second', async () => {
    const auth = { session: await session(box, 'viewer') }
    for (let round = 0; round < 150; round += 1) expect((await ask('GET', '/api/access/v1', { auth })).status).toBe(200)
  })
})

describe('a session', () => {
  const works = async (token: string) => (await ask('GET', '/api/access/v1', { auth: { session: token } })).status
  const MINUTE = 60_000

  it('ends a quarter of an hour after its last use, and not before', async () => {
    const token = await session(box, 'operator')
    for (let hour = 0; hour < 60; hour += 1) {
      clock.pass(14 * MINUTE)
      expect(await works(token)).toBe(200)
    }
    clock.pass(15 * MINUTE)
    expect(await works(token)).toBe(401)
  })

  it('ends with a DELETE, at once and alone, without a body', async () => {
    const [token, other] = [await session(box, 'operator'), await session(box, 'operator')]
    const { status, json, headers } = await ask('DELETE', '/api/access/v1', { auth: { session: token }, body: 'null' })
    expect([status, json, headers['content-type']]).toEqual([204, undefined, undefined])
    expect([await works(token), await works(other)]).toEqual([401, 200])
  })

  it('has to be named to be ended', async () => {
    const { status, json } = await ask('DELETE', '/api/access/v1', { auth: { basic: 'operator' } })
    expect([status, json]).toEqual([400, faultOf('ERR_INVALID_ARG')])
  })

  it('has a name in version 2, given or made', async () => {
    const named = await ask('POST', '/api/access/v2', { auth: { basic: 'operator' }, json: { name: 'nightly' } })
    expect([named.status, named.headers['x-auth-name']]).toEqual([201, 'nightly'])
    const unnamed = await ask('POST', '/api/access/v2', { auth: { basic: 'operator' } })
    expect(unnamed.headers['x-auth-name']).toMatch(/^REST-[A-Za-z0-9]{8}$/)
    for (const [path, json, name] of [
      ['v1', { name: 'nightly' }, 'ERR_UNKNOWN_ARG'],
      ['v2', { nam: 'nightly' }, 'ERR_UNKNOWN_ARG'],
      ['v2', { name: 'a\nb' }, 'ERR_INVALID_ARG'],
      ['v2', { name: 7 }, 'ERR_INVALID_ARG'],
      ['v2', [], 'ERR_INVALID_ARG'],
    ] as const) {
      const answer = await ask('POST', `/api/access/${path}`, { auth: { basic: 'operator' }, json })
      expect([answer.status, answer.json]).toEqual([400, faultOf(name)])
      expect(answer.headers).not.toHaveProperty('x-auth-session')
    }
  })

  it('is not begun without end: after a hundred in a minute a client hears 503', async () => {
    await addCaller(box.folders, 'operator', 'eager')
    const auth = { session: await session(box, 'eager') }
    const statuses = new Set<number>()
    for (let more = 0; more < 101; more += 1) statuses.add((await ask('POST', '/api/access/v1', { auth })).status)
    expect([...statuses]).toEqual([201, 503])
  })

  it('is kept as a digest alone', async () => {
    const token = await session(box, 'operator')
    const file = readFileSync(join(box.folders.state, 'client-sessions.json'), 'utf8')
    expect(file).not.toContain(token)
    expect(file).not.toContain(PASSWORD)
  })

  it('is entered in the audit log when it begins and when it ends, and so is a wrong password', async () => {
    const auth = { session: await session(box, 'viewer') }
    await ask('DELETE', '/api/access/v1', { auth })
    await ask('GET', '/api/access/v1', { auth: { basic: 'viewer', password: 'not-the-one-1' } })
    const lines = box.audit().join('\n')
    for (const event of ['auth.login', 'auth.logout', 'auth.login.failed']) expect(lines).toContain(event)
    expect(lines).not.toContain('not-the-one-1')
  })
})

describe('the body of a POST', () => {
  const begin = (options: Parameters<typeof asks>[3]) =>
    ask('POST', '/api/access/v1', { auth: { basic: 'viewer' }, ...options })
  it.each([
    ['missing', {}],
    ['empty', { body: '' }],
    [
      'empty, with a type',
      { body: '', headers: { ...authHeaders({ basic: 'viewer' }), 'content-type': 'text/plain' } },
    ],
    ['null', { body: 'null' }],
    ['null, as Go sends it', { json: null }],
    ['an empty object', { json: {} }],
  ])('may be %s', async (_what, options) => {
    expect((await begin(options)).status).toBe(201)
  })

  it.each([
    ['broken', { body: '{"na', headers: { 'content-type': 'application/json' } }, 'ERR_INVALID_ARG'],
    ['of another type', { body: 'name=x', headers: { 'content-type': 'text/plain' } }, 'ERR_UNSUPPORTED_MEDIA'],
    ['too long', { json: { name: 'x'.repeat(70_000) } }, 'ERR_OVER_LIMIT'],
  ] as const)(
    'is refused where it is %s',
    async (_what, { headers, ...options }: Parameters<typeof asks>[3] & object, name) => {
      const { status, json } = await begin({ ...options, headers: { ...authHeaders({ basic: 'viewer' }), ...headers } })
      expect([status, json]).toEqual([CODES[name as keyof typeof CODES], faultOf(name as keyof typeof CODES)])
    },
  )
})

describe('versions', () => {
  // The seed's table, for a service at 2.1; `service` runs none here, so its rows are tried by their rule.
  it.each([
    ['v1', '1.1'],
    ['v1.0', '1.1'],
    ['v1.1', '1.1'],
    ['v1.2', undefined],
    ['v2', '2.0'],
    ['v2.0', '2.0'],
    ['v2.1', undefined],
    ['v3', undefined],
    ['v0', undefined],
    ['v01', undefined],
    ['v1.', undefined],
    ['v1.01', undefined],
    ['v', undefined],
    ['1', undefined],
    ['V1', undefined],
    ['v99999', undefined],
  ])('access/%s is answered by %s', async (version, served) => {
    const { status, headers, json } = await ask('GET', `/api/access/${version}`, { auth: { basic: 'viewer' } })
    // Of a version that is not run, the header has the highest.
    expect([status, headers['x-zfssa-access-api']]).toEqual([served ? 200 : 404, served ?? '2.0'])
    if (!served) expect(json).toEqual(faultOf('ERR_NOT_FOUND'))
    expect(versionOf(`/api/access/${version}`) !== undefined).toBe(served !== undefined)
  })

  it('say which ones there are', () => {
    expect(() => checkVersion('/api/access/v7')).toThrow('expected v1.1 or v2.0')
  })
})

describe('every answer', () => {
  const HEADERS = {
    'x-zfssa-version': '0.0.0-test',
    'x-frame-options': 'SAMEORIGIN',
    'x-content-type-options': 'nosniff',
    'x-xss-protection': '1',
    'content-security-policy': "default-src 'none'; frame-ancestors 'self'",
  }
  it.each([
    ['GET', '/api/access/v1', { basic: 'viewer' }, 200, '1.0', '1.1'],
    ['GET', '/api/access/v2', { basic: 'viewer' }, 200, '2.0', '2.0'],
    ['GET', '/api/access/v1', undefined, 401, '1.0', '1.1'],
    ['PUT', '/api/access/v2', { basic: 'viewer' }, 405, '2.0', '2.0'],
    ['GET', '/api/access/v1?what=x', { basic: 'viewer' }, 400, '1.0', '1.1'],
    ['GET', '/api/access/v2/more', { basic: 'viewer' }, 404, '2.0', '2.0'],
    ['GET', '/api/nothing/v2', { basic: 'viewer' }, 404, '1.0', undefined],
    ['GET', '/api/', undefined, 404, '1.0', undefined],
  ] as const)('has the headers of the contract: %s %s', async (method, path, auth, status, version, own) => {
    const { headers, json, ...answer } = await ask(method, path, auth && { auth })
    expect(answer.status).toBe(status)
    expect(headers).toMatchObject({ ...HEADERS, 'x-zfssa-api-version': version })
    expect(headers['x-zfssa-access-api']).toBe(own)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    if (status >= 400) expect(json.fault.code).toBe(status)
  })

  it('names an unknown word as one', async () => {
    const { status, json } = await ask('GET', '/api/access/v1?limt=1', { auth: { basic: 'viewer' } })
    expect([status, json]).toEqual([400, faultOf('ERR_UNKNOWN_ARG', expect.stringContaining('"limt"'))])
  })
})

it.each(ERROR_KINDS)('an error of the kind %s is one of the table, and 500 is left to bugs', (kind) => {
  const { status, body } = fault(new ApiError(kind, 'Why'))
  const { fault: said } = JSON.parse(String(body))
  expect(said).toEqual({ message: said.name, details: 'Why', code: status, name: said.name })
  expect(CODES[said.name as keyof typeof CODES]).toBe(status)
  expect([status === 500, status === 429]).toEqual([kind === 'internal', false])
})

it('is off by default: its paths are another surface’s', async () => {
  const plain = await startAppliance({})
  try {
    const { status, json } = await asks(plain, 'GET', '/api/access/v1', { auth: { basic: 'viewer' } })
    expect([status, json.fault]).toEqual([404, undefined])
  } finally {
    await plain.close()
  }
})
