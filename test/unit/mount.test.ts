// Who may pass, which words are taken, and what is read of a body, for the declarations of any surface.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { nameOf, type Principal, type Role } from '../../src/auth/principal.ts'
import { ApiError, invalid } from '../../src/errors.ts'
import { lenientQuery } from '../../src/http/body/query.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { json } from '../../src/http/reply/reply.ts'
import { account, declare, small } from './small-surface.ts'

const ROLES = ['viewer', 'operator', 'administrator'] as const
const POST = (more: Partial<Endpoint<object>> = {}) => declare({ method: 'POST', id: 'makeThing', ...more })

describe('a declaration', () => {
  it('without a permission, or that changes a thing without a version, is not mounted', () => {
    expect(() => small([declare({ permission: undefined as never })])).toThrow('listThings declares no permission')
    const resource = { key: () => 'x' }
    expect(() => small([POST({ resource })])).toThrow('makeThing declares a resource without a version')
    expect(() => small([declare({ resource })])).not.toThrow()
    expect(() => small([POST({ resource: { ...resource, version: () => 1 } })])).not.toThrow()
  })

  it('is there where the configuration switches it on', async () => {
    const { told } = small([
      declare({ enabled: () => false }),
      POST({ enabled: (config) => config.limits !== undefined }),
    ])
    expect(await told('POST', '/things?token=viewer')).toBe(200)
    expect(await told('GET', '/things?token=viewer')).toBe('405 No GET')
  })

  it('is found with a slash behind it, and by what its parameters are', async () => {
    const params = z.object({ name: z.string() })
    const show = (call: { params: unknown }) => json(call.params)
    const { ask, told } = small([
      declare(),
      declare({ path: '/', id: 'front' }),
      declare({ path: '/things/{name*}', id: 'getThing', params, handle: show }),
    ])
    for (const path of ['/', '/things', '/things/'])
      expect([path, await told('GET', `${path}?token=viewer`)]).toEqual([path, 200])
    expect((await ask('GET', '/things/a/b?token=viewer')).json).toEqual({ name: 'a/b' })
    expect((await ask('GET', '/other')).status).toBe(404)
  })

  it('of a thing is found where the thing is called as a path of its own, in the methods which that has not', async () => {
    const params = z.object({ name: z.string().regex(/^[a-z/]+$/) })
    const show = (call: { params: unknown }) => json(call.params)
    const of = (more: Partial<Endpoint<object>>) => declare({ path: '/things/{name*}', params, handle: show, ...more })
    const { ask } = small([
      of({ id: 'getThing' }),
      of({ id: 'deleteThing', method: 'DELETE' }),
      of({ id: 'seeThing', path: '/things/{name*}/look' }),
      declare({ id: 'takeThings', method: 'POST', path: '/things/take' }),
    ])
    const found = async (method: string, path: string) => (await ask(method, `${path}?token=viewer`)).json
    expect(await found('GET', '/things/a/look')).toEqual({ name: 'a' })
    expect(await found('DELETE', '/things/a/look')).toEqual({ name: 'a/look' })
    expect(await found('GET', '/things/take')).toEqual({ name: 'take' })
    expect(await found('POST', '/things/take')).toEqual({ done: true })
    // Where neither has the method, or no thing can be called so, the methods of all that the path may mean are told.
    const allowed = async (method: string, path: string) => {
      const { status, headers } = await ask(method, `${path}?token=viewer`)
      return [status, headers.get('allow')]
    }
    expect(await allowed('PUT', '/things/a/look')).toEqual([405, 'GET, DELETE, HEAD'])
    expect(await allowed('PUT', '/things/take')).toEqual([405, 'POST, GET, DELETE, HEAD'])
    expect(await allowed('DELETE', '/things/A/look')).toEqual([405, 'GET, HEAD'])
  })
})

describe('the permission', () => {
  it.each(ROLES)('%s lets through whoever has that role or more', async (permission) => {
    const { told } = small([declare({ permission })])
    const may = ROLES.map((role) => (ROLES.indexOf(role) >= ROLES.indexOf(permission) ? 200 : '403 No'))
    expect(await Promise.all(ROLES.map((role) => told('GET', `/things?token=${role}`)))).toEqual(may)
    expect(await told('GET', '/things')).toBe('401 No')
  })

  it('public lets anyone through', async () => {
    const { told } = small([declare({ permission: 'public' })])
    for (const query of ['', '?token=viewer', '?token=wrong']) expect(await told('GET', `/things${query}`)).toBe(200)
  })

  it('set-up lets strangers through, and administrators, but no lesser account and no session that was not taken', async () => {
    const endpoints = [declare({ permission: 'set-up' })]
    const { told } = small(endpoints)
    expect(await told('GET', '/things')).toBe(200)
    expect(await Promise.all(ROLES.map((role) => told('GET', `/things?token=${role}`)))).toEqual([
      '403 No',
      '403 No',
      200,
    ])
    for (const [cookie, answer] of [
      [{ why: 'csrf', principal: account('administrator') }, '401 No'],
      [{ why: 'over' }, 200],
    ] as const) {
      const withCookie = small(endpoints, {
        authenticate: (request) => {
          request.cookie = cookie
          return undefined
        },
      })
      expect(await withCookie.told('GET', '/things')).toBe(answer)
    }
  })

  describe('within a project', () => {
    const confined = (projects: [string, Role][]): Principal => {
      const { scopes: _, ...whole } = account('administrator')
      return { ...whole, scopes: new Map(projects) }
    }
    const path = '/projects/{project}/things/{name*}'
    const endpoints = [
      declare({ id: 'getThing', path, permission: ({ project }) => ({ role: 'viewer', scope: `project ${project}` }) }),
      declare({
        id: 'putThing',
        path,
        method: 'PUT',
        permission: ({ project }) => ({ role: 'operator', scope: `project ${project}` }),
      }),
      declare({ id: 'listThings', permission: 'viewer' }),
    ]
    const as = (principal: Principal | undefined) => small(endpoints, { authenticate: () => principal }).told

    it('is the role that the caller has there, and nowhere else', async () => {
      const told = as(
        confined([
          ['project a', 'operator'],
          ['project b', 'viewer'],
        ]),
      )
      expect(await told('PUT', '/projects/a/things/x')).toBe(200)
      expect(await told('GET', '/projects/b/things/x')).toBe(200)
      for (const [method, where] of [
        ['PUT', '/projects/b/things/x'],
        ['GET', '/projects/c/things/x'],
        ['GET', '/projects/A/things/a'],
        ['DELETE', '/projects/c/things/x'],
      ] as const)
        expect([where, await told(method, where)]).toEqual([where, '403 No'])
    })

    it('keeps a confined caller from what belongs to no project, whatever its role', async () => {
      expect(await as(confined([['project a', 'administrator']]))('GET', '/things')).toBe('403 No')
      expect(await as(confined([]))('GET', '/projects/a/things/x')).toBe('403 No')
    })

    it('is the role of a caller who is not confined', async () => {
      expect(await as(account('operator'))('PUT', '/projects/c/things/x')).toBe(200)
      expect(await as(account('viewer'))('PUT', '/projects/c/things/x')).toBe('403 No')
      expect(await as(undefined)('GET', '/projects/a/things/x')).toBe('401 No')
    })
  })

  it('is asked before it is said which methods there are, of those that there are', async () => {
    const { ask, told } = small([declare(), POST({ permission: 'operator' })])
    expect(await told('PUT', '/things')).toBe('401 No')
    const { status, headers } = await ask('PUT', '/things?token=viewer')
    expect([status, headers.get('allow')]).toEqual([405, 'GET, POST, HEAD'])
    expect(await told('OPTIONS', '/things')).toBe('405 No OPTIONS')
    const acts = small([declare({ acts: true }), POST()])
    const refused = await acts.ask('HEAD', '/things?token=viewer')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect((await acts.ask('PUT', '/things?token=viewer')).headers.get('allow')).toBe('GET, POST')
    expect((await small([POST()]).ask('HEAD', '/things?token=viewer')).status).toBe(405)
  })

  it('may take a moment to be proven', async () => {
    const { told } = small([declare()], {
      authenticate: async (_request, { token }) => (token ? account('viewer') : undefined),
    })
    expect([await told('GET', '/things'), await told('GET', '/things?token=x')]).toEqual(['401 No', 200])
  })

  it('comes after the gate, which hears what is asked for', async () => {
    const heard: (string | undefined)[] = []
    const { told } = small([declare()], {
      gate: (request, endpoint) => {
        heard.push(endpoint?.id ?? request.method)
        throw new ApiError('too-many', 'Wait')
      },
    })
    expect([await told('GET', '/things'), await told('PUT', '/things')]).toEqual(['429 Wait', '429 Wait'])
    expect(heard).toEqual(['listThings', 'PUT'])
  })

  it('is counted but where the declaration says not', async () => {
    const counted: (string | undefined)[] = []
    const { told } = small([declare(), declare({ path: '/health', unlimited: true })], {
      count: (request, principal) => void counted.push(`${request.path} ${nameOf(principal)}`),
    })
    for (const path of ['/things', '/things?token=viewer', '/health?token=viewer', '/things/']) await told('GET', path)
    await told('PUT', '/things')
    expect(counted).toEqual(['/things undefined', '/things the viewer', '/things/ undefined', '/things undefined'])
  })
})

describe('a word of the query', () => {
  const query = z.object({ dry_run: z.stringbool().optional() })
  const form = {
    note: { kind: 'text' as const, description: 'x', required: false },
    update: { kind: 'file' as const, description: 'x', required: false, limit: () => 9 },
  }

  it('has to be the surface’s, the declaration’s, or the name of a text of its form', async () => {
    const { told } = small([declare({ query }), POST({ form })])
    expect(await told('GET', '/things?token=viewer&dry_run=true')).toBe(200)
    expect(await told('GET', '/things?token=viewer&dry=true')).toMatch(/^400 Unknown query parameter "dry"/)
    expect(await told('GET', '/things?note=a')).toMatch(/^400 Unknown query parameter "note": expected dry_run$/)
    expect(await told('POST', '/things?token=viewer&note=a')).toBe(200)
    for (const name of ['dry_run', 'update', 'constructor'])
      expect(await told('POST', `/things?${name}=a`)).toBe(
        `400 Unknown query parameter "${name}": this request takes none`,
      )
    // Of a method that is not there, those of the others are no mistake.
    for (const name of ['dry_run', 'note'])
      expect(await told('PUT', `/things?token=viewer&${name}=true`)).toBe('405 No PUT')
    expect(await told('PUT', '/things?token=viewer&other=true')).toMatch(/^400 Unknown query parameter "other"/)
  })

  it('is checked', async () => {
    const { ask, told } = small([declare({ query, handle: (call) => json(call.query) })])
    expect((await ask('GET', '/things?token=viewer&dry_run=true')).json).toEqual({ dry_run: true })
    expect(await told('GET', '/things?token=viewer&dry_run=maybe')).toMatch(/^400 /)
  })
})

describe('a JSON body', () => {
  const body = z.strictObject({ name: z.string() })
  const echo = POST({ body, handle: (call) => json(call.body) })
  const type = { 'content-type': 'application/json' }
  const post = (text: string, more: Record<string, string> = {}) =>
    ['POST', '/things?token=operator', { body: text, headers: { ...type, ...more } }] as const

  it('is read once its sender may pass, and handed over checked', async () => {
    const { ask, told, entries } = small([echo])
    expect((await ask(...post('{"name":"a"}'))).json).toEqual({ name: 'a' })
    expect(await told('POST', '/things', { body: '{', headers: type })).toBe('401 No')
    expect(await told(...post('{'))).toBe('400 The body is not valid JSON')
    expect(await told(...post('{"name":1}'))).toMatch(/^400 Expected text/)
    expect(await told(...post('{}', { 'content-type': 'text/plain' }))).toMatch(/^415 /)
    // A stranger’s is the surface’s own affair; the others are refused changes.
    expect(entries.map(({ event, target }) => [event, target])).toEqual([
      ['makeThing', ''],
      ...['400', '400', '415'].map((status) => ['makeThing.refused', status]),
    ])
  })

  it('is refused where there is no request underneath', async () => {
    const { app } = small([echo, POST({ path: '/plain' }), POST({ path: '/form', form: {} })])
    const answer = await app.request('/things?token=operator', { method: 'POST' }, {})
    expect([answer.status, JSON.parse(await answer.text()).message]).toEqual([400, 'A body is missing'])
    expect((await app.request('/form?token=operator', { method: 'POST' }, {})).status).toBe(400)
    expect((await app.request('/plain?token=operator', { method: 'POST' }, {})).status).toBe(200)
  })

  it('is asked for where its sender waits for that, after the refusals that need none of it', async () => {
    const { ask } = small([echo, POST({ path: '/plain' })])
    const expects = { expect: '100-continue' }
    expect((await ask(...post('{"name":"a"}', expects))).continued).toBe(1)
    expect((await ask(...post('{"name":"a"}'))).continued).toBe(0)
    for (const [value, times] of [
      ['x, 100-Continue', 1],
      ['100-continued', 0],
      ['x100-continue', 0],
    ] as const)
      expect([value, (await ask(...post('{"name":"a"}', { expect: value }))).continued]).toEqual([value, times])
    expect((await ask(...post('{}', { ...expects, 'content-type': 'a/b' }))).continued).toBe(0)
    expect((await ask('POST', '/things', { body: '{}', headers: { ...type, ...expects } })).continued).toBe(0)
    expect((await ask('POST', '/plain?token=viewer', { body: '{}', headers: expects })).continued).toBe(1)
  })
})

describe('a body where none is taken', () => {
  it.each(['', '{}', ' { } ', 'null', '\n'])('means nothing: %j', async (body) => {
    expect(await small([POST()]).told('POST', '/things?token=viewer', { body })).toBe(200)
  })

  it.each(['{"dry_run":true}', 'x', '[]', '{}{}'])('is refused: %j', async (body) => {
    const { told, entries } = small([POST()])
    const words = '400 This request takes no body: its parameters belong in the query'
    expect(await told('POST', '/things?token=viewer', { body })).toBe(words)
    expect(entries.map(({ event }) => event)).toEqual(['makeThing.refused'])
  })

  it('is nobody’s business on a read, and where the original is followed', async () => {
    expect(await small([declare()]).told('GET', '/things?token=viewer', { body: 'x' })).toBe(200)
    expect(
      await small([POST()], { wire: { query: lenientQuery } }).told('POST', '/things?token=viewer', { body: 'x' }),
    ).toBe(200)
  })
})

describe('a form', () => {
  const file = (limit: number) => ({ kind: 'file' as const, description: 'x', required: false, limit: () => limit })
  const note = { kind: 'text' as const, description: 'x', required: false }
  const form = { update: file(5 << 20), second: file(1 << 20), note }
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const incoming = { uploads: '/tmp', task: '/tmp' }
  const echo = (more: Partial<Endpoint<object>> = {}) => POST({ form, handle: (call) => json(call.fields), ...more })

  it('may carry the proof of who sends it, and is refused once where it does not', async () => {
    let refusals = 0
    const { ask, told } = small(
      [echo()],
      {
        refuse: (_request, principal) => {
          refusals += 1
          return new ApiError(principal ? 'forbidden' : 'unauthenticated', 'No')
        },
      },
      { incoming },
    )
    const send = (body: string, path = '/things') => ['POST', path, { body, headers: type }] as const
    expect((await ask(...send('token=viewer&note=a'))).json).toEqual({ token: 'viewer', note: 'a' })
    expect(await told(...send('note=a'))).toBe('401 No')
    expect(refusals).toBe(1)
    expect((await ask(...send('note=a', '/things?token=viewer'))).json).toEqual({ note: 'a' })
    expect(await told('POST', '/things', { body: '{}', headers: { 'content-type': 'application/json' } })).toBe(
      '401 No',
    )
    // A query has the last word about who asks.
    expect(await told(...send('token=viewer', '/things?token=wrong'))).toBe('401 No')
  })

  it('takes its words from the query as well, unless they contradict each other', async () => {
    const { ask, told } = small([echo()], {}, { incoming })
    const headers = type
    expect((await ask('POST', '/things?token=viewer&note=a', { body: '', headers })).json).toEqual({ note: 'a' })
    expect((await ask('POST', '/things?token=viewer&note=a', { body: 'note=a', headers })).json).toEqual({ note: 'a' })
    expect(await told('POST', '/things?token=viewer&note=a', { body: 'note=b', headers })).toMatch(
      /^400 The option "note" came more than once/,
    )
    const lastWins = small([echo()], { wire: { query: { ...lenientQuery, lastWins: true } } }, { incoming })
    const path = '/things?token=viewer&note=a'
    expect((await lastWins.ask('POST', path, { body: 'note=b', headers })).json).toEqual({ note: 'a' })
  })

  it('that announces more than all its files and a mebibyte is refused before its first byte', async () => {
    const { told, ask } = small([echo()], {}, { incoming })
    const announce = (length: number) =>
      [
        'POST',
        '/things?token=viewer',
        { headers: { ...type, 'content-length': `${length}`, expect: '100-continue' } },
      ] as const
    expect(await told(...announce(7 << 20))).toBe(200)
    expect(await told(...announce((7 << 20) + 1))).toBe(
      `413 File too large for option: update. Allowed: <= ${5 << 20} bytes, received: ${(7 << 20) + 1} bytes`,
    )
    expect([(await ask(...announce(7 << 20))).continued, (await ask(...announce((7 << 20) + 1))).continued]).toEqual([
      1, 0,
    ])
    // Without files there is no such sum.
    const text = small([echo({ form: { note } })], {}, { incoming })
    expect(await text.told(...announce((7 << 20) + 1))).toBe(200)
  })

  it('of somebody known is refused before it is read where the declaration knows already', async () => {
    const precheck = () => {
      throw new ApiError('locked', 'Another is under way')
    }
    const { told, entries } = small([echo({ precheck })], {}, { incoming })
    const request = { body: 'note=a', headers: type }
    expect(await told('POST', '/things?token=viewer', request)).toBe('409 Another is under way')
    expect(entries.map(({ event, target, failure }) => [event, target, failure])).toEqual([
      ['makeThing.refused', '409', '409 Another is under way'],
    ])
    expect(await told('POST', '/things', { ...request, body: 'token=viewer' })).toBe(200)
  })

  it('begins nothing for a session that ended while it arrived', async () => {
    let looks = 0
    const { told } = small(
      [echo()],
      {
        authenticate: () => {
          looks += 1
          return looks === 1 ? { ...account('viewer'), via: 'session' } : undefined
        },
      },
      { incoming },
    )
    expect(await told('POST', '/things', { body: 'note=a', headers: type })).toBe('401 No')
    expect(looks).toBe(2)
  })

  it('asks the gate again once it is here, for whoever proves himself in it', async () => {
    let gates = 0
    const gate = () => {
      gates += 1
      if (gates > 1) throw new ApiError('too-many', 'Wait')
    }
    const { told } = small([echo()], { gate }, { incoming })
    expect(await told('POST', '/things', { body: 'token=viewer', headers: type })).toBe('429 Wait')
  })
})

describe('an answer', () => {
  it('has the surface’s headers and its own, and is told to the log', async () => {
    const headers = { 'X-Own': '1' }
    const { ask, answered } = small([declare({ handle: () => json({ a: 1 }, 200, headers) })])
    const { headers: got, json: body } = await ask('GET', '/things?token=viewer')
    expect([got.get('x-own'), body, answered]).toEqual(['1', { a: 1 }, [[200, undefined]]])
    const [one, other] = [
      got.get('x-request-id'),
      (await ask('GET', '/things?token=viewer')).headers.get('x-request-id'),
    ]
    expect([one === other, one]).toEqual([false, expect.stringMatching(/^\w+-\w+$/)])
  })

  it('to HEAD is that of GET without its body, also of a refusal', async () => {
    const { ask } = small([declare({ handle: () => json({ a: 1 }) })])
    const head = await ask('HEAD', '/things?token=viewer')
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '7'])
    const refused = await ask('HEAD', '/things')
    expect([refused.status, refused.text, Number(refused.headers.get('content-length')) > 10]).toEqual([401, '', true])
  })

  it('closes the connection where a body is still on its way, and hides what went wrong here', async () => {
    const cause = new Error('secret')
    const { app, answered } = small([
      POST({
        handle: () => {
          throw cause
        },
      }),
    ])
    const ask = async (incoming: object) => {
      const answer = await app.request('/things?token=viewer', { method: 'POST' }, { incoming } as never)
      return [answer.status, answer.headers.get('connection'), await answer.text()]
    }
    const on = () => {}
    const underneath = { headers: {}, on, socket: {}, complete: false }
    expect(await ask(underneath)).toEqual([500, null, expect.not.stringContaining('secret')])
    expect(answered).toEqual([[500, cause]])
    const arriving = small([POST({ permission: 'operator' })])
    for (const [headers, complete, connection] of [
      [{ 'content-length': '9' }, false, 'close'],
      [{ 'transfer-encoding': 'chunked' }, false, 'close'],
      [{ 'content-length': '9' }, true, null],
      [{ 'content-length': '0' }, false, null],
    ] as const) {
      const incoming = { ...underneath, headers, complete } as never
      const answer = await arriving.app.request('/things?token=viewer', { method: 'POST' }, { incoming })
      expect([headers, complete, answer.status, answer.headers.get('connection')]).toEqual([
        headers,
        complete,
        403,
        connection,
      ])
    }
  })

  it('is checked against its declaration where tests ask for that', async () => {
    const answer = (more: Partial<Endpoint<object>>) =>
      small([declare(more)], {}, { checkResponses: true }).told('GET', '/things?token=viewer')
    const internal = expect.stringMatching(/^500 Internal/)
    const response = z.strictObject({ done: z.boolean() })
    expect(await answer({ response })).toBe(200)
    expect(await answer({ response: z.strictObject({}) })).toEqual(internal)
    expect(await answer({ response, status: 201 })).toEqual(internal)
    expect(await answer({ response, status: 201, handle: () => json({ done: true }, 201) })).toBe(201)
    expect(await answer({ response, handle: () => json({ done: true }, 202) })).toEqual(internal)
    expect(await answer({ response, accepted: z.strictObject({}), handle: () => json({}, 202) })).toBe(202)
    expect(await answer({ response, accepted: z.strictObject({}), handle: () => json({ x: 1 }, 202) })).toEqual(
      internal,
    )
    expect(await answer({ response: 'text/plain' })).toEqual(internal)
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' }
    expect(await answer({ response: 'text/plain', handle: () => ({ status: 200, headers, body: 'x' }) })).toBe(200)
    const bytes = Buffer.from('{"done":1}')
    expect(await answer({ response, handle: () => ({ status: 200, headers: {}, body: bytes }) })).toEqual(internal)
    expect(await answer({ response, handle: () => ({ status: 304, headers: {}, body: '' }) })).toBe(304)
  })

  it('of a handler that throws what it means is what it says, now or later', async () => {
    for (const handle of [
      () => {
        throw invalid('Not so')
      },
      async () => {
        throw invalid('Not so')
      },
    ])
      expect(await small([declare({ handle })]).told('GET', '/things?token=viewer')).toBe('400 Not so')
  })
})
