// The one audit entry of a change or a refusal, what waits for the disk, and the conditions and keys of a change: for any surface.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { nameOf, type Principal } from '../../src/auth/principal.ts'
import { ApiError } from '../../src/errors.ts'
import { lenientQuery } from '../../src/http/body/query.ts'
import type { Call, Endpoint } from '../../src/http/endpoint.ts'
import { Answers } from '../../src/http/pipeline/idempotency.ts'
import { json } from '../../src/http/reply/reply.ts'
import type { Surface } from '../../src/http/surface.ts'
import { account, declare, small } from './small-surface.ts'

const POST = (more: Partial<Endpoint<object>> = {}) =>
  declare({ method: 'POST', id: 'makeThing', action: 'things.create', ...more })
const OPERATOR = '/things?token=operator'
const fail = (error: unknown) => () => {
  throw error
}
/** The entries that one POST by an operator leaves, and its status. */
async function posted(more: Partial<Endpoint<object>>, surface: Partial<Surface> = {}, path = OPERATOR) {
  const one = small([POST(more)], surface)
  const status = await one.told('POST', path, { headers: { 'user-agent': 'curl/8' } })
  return { status, entries: one.entries, entry: one.entries[0] }
}
const by = (audit: (call: Call) => void, status = 200) => ({
  handle: (call: Call) => {
    audit(call)
    return json({ done: true }, status)
  },
})

describe('the audit entry', () => {
  it('of a change has its action, its path, and who made it from where', async () => {
    const { entries } = await posted({})
    expect(entries).toEqual([
      {
        ...{ event: 'things.create', action: 'things.create', target: '', actor: 'the operator', name: 'the operator' },
        ...{ account: 'user-operator', resource: '/things', failure: undefined, address: '192.0.2.1', agent: 'curl/8' },
        request: expect.stringMatching(/./),
      },
    ])
    expect((await posted({ action: undefined as never })).entry).toMatchObject({
      event: 'makeThing',
      action: 'makeThing',
    })
    expect((await posted({ handle: async () => json({ done: true }) })).entries).toHaveLength(1)
  })

  it('is none of a read, but of one that names it', async () => {
    const read = small([declare()])
    expect([await read.told('GET', OPERATOR), read.entries]).toEqual([200, []])
    const named = small([declare(by((call) => call.audit('things.read', 'things/a')))])
    await named.told('GET', OPERATOR)
    expect(named.entries).toMatchObject([{ event: 'things.read', target: 'things/a' }])
    const refused = small([declare({ handle: fail(new ApiError('locked', 'No')) })])
    expect([await refused.told('GET', OPERATOR), refused.entries]).toEqual(['409 No', []])
  })

  it('has the handler’s words, and its actor', async () => {
    const entry = async (...more: [string | { id: string; name: string }] | []) =>
      (await posted(by((call) => call.audit('things.made', 'things/a', ...more)))).entry
    expect(await entry()).toMatchObject({
      ...{ event: 'things.made', action: 'things.create', target: 'things/a', resource: 'things/a' },
      ...{ actor: 'the operator', name: 'the operator', account: 'user-operator' },
    })
    expect(await entry({ id: 'user-9', name: 'ann' })).toMatchObject({ actor: 'ann', name: 'ann', account: 'user-9' })
    // A name that somebody only claims proves nothing, whatever else came with it.
    expect(await entry('claimed')).toMatchObject({ actor: 'claimed', name: 'claimed', account: undefined })
    expect(await entry('nobody')).toMatchObject({ actor: 'nobody', name: undefined, account: undefined })
  })

  it('of a stranger has the surface’s word for one', async () => {
    const { entry } = await posted({ permission: 'public' }, {}, '/things')
    expect(entry).toMatchObject({ actor: 'nobody', name: undefined, account: undefined, failure: undefined })
  })

  it('has its path as the resource where the surface’s targets are words', async () => {
    const audit = by((call) => call.audit('made', 'a word'))
    expect((await posted(audit, { targets: 'word' })).entry).toMatchObject({ target: 'a word', resource: '/things' })
    expect((await posted(by((call) => call.audit('made', '')))).entry).toMatchObject({
      target: '',
      resource: '/things',
    })
  })

  it('says how far it went', async () => {
    const action = async (event: string, status = 200) =>
      (await posted(by((call) => call.audit(event, 'x'), status))).entry?.action
    expect(await action('other', 202)).toBe('things.create.accepted')
    expect(await action('other.plan')).toBe('things.create.plan')
    expect(await action('things.create.backoff', 429)).toBe('things.create.backoff')
    expect(await action('other.planned')).toBe('things.create')
  })

  it('of a refusal says why, and that nothing was done', async () => {
    expect((await posted({ handle: fail(new ApiError('in-use', 'In use')) })).entries).toMatchObject([
      {
        ...{ event: 'things.create.refused', target: '409', refusal: true, failure: '409 In use' },
        ...{
          actor: 'the operator',
          name: 'the operator',
          account: 'user-operator',
          resource: '/things',
          agent: 'curl/8',
        },
      },
    ])
    expect((await posted({ handle: async () => fail(new ApiError('locked', ''))() })).entry?.failure).toBe('409')
    expect((await posted({ handle: fail(new ApiError('unavailable', 'Later')) })).entry).toMatchObject({
      ...{ event: 'things.create.refused', target: '503', refusal: undefined, failure: '503 Later' },
    })
    expect((await posted({ handle: fail(new Error('a secret')) })).entry).toMatchObject({
      target: '500',
      failure: '500',
    })
    const stranger = await posted({ permission: 'public', handle: fail(new ApiError('invalid', 'x')) }, {}, '/things')
    expect(stranger.entry).toMatchObject({ actor: 'nobody', name: undefined, account: undefined })
  })

  it('of what failed once it was named keeps the name', async () => {
    const failed = (error: unknown, event = 'things.create') =>
      posted({
        handle: (call) => {
          call.audit(event, 'things/a')
          throw error
        },
      })
    expect((await failed(new ApiError('command-failed', 'zfs'))).entries).toMatchObject([
      { event: 'things.create.failed', action: 'things.create', target: 'things/a', failure: '502 zfs' },
    ])
    expect((await failed(new ApiError('locked', 'No'))).entry?.event).toBe('things.create.refused')
    expect((await failed(new ApiError('locked', 'No'), 'things.own')).entry?.event).toBe('things.own')
    const answered = await posted(by((call) => call.audit('things.create', 'things/a'), 409))
    expect(answered.entries).toMatchObject([{ event: 'things.create.refused', failure: '409' }])
    expect((await posted(by((call) => call.audit('things.create', 'x'), 399))).entry?.failure).toBeUndefined()
    expect((await posted(by((call) => call.audit('things.create', 'x'), 400))).entry?.failure).toBe('400')
    expect((await posted(by((call) => call.audit('things.create', 'x'), 500))).entry?.event).toBe(
      'things.create.failed',
    )
  })
})

describe('a change', () => {
  const disk = (code?: string) => async () => {
    throw Object.assign(new Error('disk'), { code })
  }
  const change = (more: Partial<Endpoint<object>>, save: () => Promise<void>, path = OPERATOR) => {
    const one = small([POST(more)])
    one.saves.push(save)
    return { ...one, answer: one.told('POST', path) }
  }

  it('is answered once its entry is on the disk, and its handler hears of it then', async () => {
    const heard: string[] = []
    let release = () => {}
    const saved = new Promise<void>((resolve) => {
      release = resolve
    })
    const { answer } = change(
      by((call) => call.audit('things.create', 'x', undefined, () => heard.push('entered'))),
      () => saved,
    )
    const answered = answer.then((status) => heard.push(`${status}`))
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([])
    release()
    await answered
    expect(heard).toEqual(['entered', '200'])
  })

  it('whose entry the disk refuses is no success, but for who signs in or out', async () => {
    const words = 'The change was made, but its entry in the audit log could not be written to the disk'
    for (const [code, status] of [
      ['EIO', 500],
      [undefined, 500],
      ['ENOSPC', 507],
      ['EDQUOT', 507],
    ] as const) {
      expect([code, await change({}, disk(code)).answer]).toEqual([code, `${status} ${words}`])
      const later = { handle: async () => json({ done: true }) }
      expect([code, await change(later, disk(code)).answer]).toEqual([code, `${status} ${words}`])
    }
    expect(await change({ repeatable: true }, disk('EIO')).answer).toBe(200)
    expect(await change({ permission: 'public' }, disk('EIO')).answer).toBe(200)
    const entered: string[] = []
    await change(
      by((call) => call.audit('things.create', 'x', undefined, () => entered.push('x'))),
      disk('EIO'),
    ).answer
    expect(entered).toEqual([])
  })

  it('that failed waits for its entry as well, where something may have been done, and says what it would have', async () => {
    const waits = async (more: Partial<Endpoint<object>>, path = OPERATOR) => {
      const { answer, saves } = change(more, disk('EIO'), path)
      return [await answer, saves.length === 0]
    }
    const named = (error: ApiError) => ({
      handle: (call: Call) => {
        call.audit('things.create', 'x')
        throw error
      },
    })
    expect(await waits({ handle: fail(new ApiError('command-failed', 'zfs')) })).toEqual(['502 zfs', true])
    expect(await waits({ handle: fail(new ApiError('internal', 'x')) })).toEqual(['500 x', true])
    expect(await waits({ handle: fail(new ApiError('locked', 'No')) })).toEqual(['409 No', false])
    expect(await waits(named(new ApiError('locked', 'No')))).toEqual(['409 No', true])
    // Nobody waits for the disk because a stranger was refused.
    expect(await waits({ permission: 'public', ...named(new ApiError('locked', 'No')) }, '/things')).toEqual([
      '409 No',
      false,
    ])
    expect(await waits({ permission: 'public', ...by(() => {}, 401) }, '/things')).toEqual([
      expect.stringMatching(/^401 /),
      false,
    ])
  })

  it('is refused while the surface lets none be made, unless it is one of those', async () => {
    const refuseChanges = fail(new ApiError('unavailable', 'Closed'))
    const { told, entries } = small([declare(), POST(), POST({ path: '/open', duringMaintenance: true })], {
      refuseChanges,
    })
    expect(await told('GET', OPERATOR)).toBe(200)
    expect(await told('POST', OPERATOR)).toBe('503 Closed')
    expect(await told('POST', '/open?token=operator')).toBe(200)
    expect(entries.map(({ event }) => event)).toEqual(['things.create.refused', 'things.create'])
  })
})

describe('a condition', () => {
  const unkept = ['if-unmodified-since', 'if-match', 'if-none-match']
  const version = () => ({ a: 1 })
  const resource = { key: () => 'thing', version }

  it('that would be dropped is refused by name', async () => {
    for (const header of unkept) {
      const { ask } = small([POST()])
      const { status, json: body } = await ask('POST', OPERATOR, { headers: { [header]: '"x"' } })
      expect([header, status, body.details.toLowerCase()]).toEqual([header, 400, header])
    }
    for (const header of unkept) {
      expect(await small([declare()]).told('GET', OPERATOR, { headers: { [header]: '"x"' } })).toBe(200)
      const original = small([POST()], { wire: { query: lenientQuery } })
      expect(await original.told('POST', OPERATOR, { headers: { [header]: '"x"' } })).toBe(200)
    }
    expect(
      await small([POST({ resource })]).told('POST', OPERATOR, { headers: { 'if-unmodified-since': 'x' } }),
    ).toMatch(/^400 /)
  })

  it('is kept where the thing has a version, and the answer has the next one', async () => {
    let now = 1
    const things = [
      declare({ resource: { key: () => 'thing', version: () => now } }),
      POST({
        resource: { key: () => 'thing', version: () => now },
        handle: () => {
          now += 1
          return json({ now })
        },
      }),
    ]
    const { ask, told } = small(things)
    const { headers } = await ask('GET', OPERATOR)
    const tag = headers.get('etag') ?? ''
    expect(tag).toMatch(/^"[\w-]{27}"$/)
    expect(await told('GET', OPERATOR, { headers: { 'if-none-match': tag } })).toBe(304)
    expect(await told('GET', OPERATOR, { headers: { 'if-none-match': '"x"' } })).toBe(200)
    expect(await told('POST', OPERATOR, { headers: { 'if-match': '"x"' } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-match': `W/${tag}` } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-none-match': tag } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-none-match': `W/${tag}` } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-none-match': '*' } })).toMatch(/^412 /)
    expect(now).toBe(1)
    const changed = await ask('POST', OPERATOR, { headers: { 'if-match': tag } })
    expect([changed.status, now, changed.headers.get('etag') === tag]).toEqual([200, 2, false])
    expect((await ask('GET', OPERATOR)).headers.get('etag')).toBe(changed.headers.get('etag'))
    expect(await told('POST', OPERATOR, { headers: { 'if-match': tag } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-match': '*' } })).toBe(200)
    expect(await told('POST', OPERATOR, { headers: { 'if-none-match': '"x", "y"' } })).toBe(200)
    expect(await told('POST', OPERATOR, { headers: { 'if-match': 'x' } })).toMatch(/^400 /)
  })

  it('of what is not there: nothing matches it', async () => {
    const missing = { key: () => 'thing', version: () => undefined }
    const { told, ask } = small([POST({ resource: missing })])
    expect(await told('POST', OPERATOR, { headers: { 'if-match': '*' } })).toMatch(/^412 /)
    expect(await told('POST', OPERATOR, { headers: { 'if-none-match': '*' } })).toBe(200)
    expect((await ask('POST', OPERATOR)).headers.get('etag')).toBeNull()
  })

  it('the version is the reply’s own where it tells one; what has begun, and what is gone, has none', async () => {
    const tag = async (more: Partial<Endpoint<object>>, method = 'POST') =>
      (await small([declare({ method: method as 'POST', resource, ...more })]).ask(method, OPERATOR)).headers.get(
        'etag',
      )
    const usual = await tag({})
    expect(usual).not.toBeNull()
    expect(await tag({}, 'PUT')).toBe(usual)
    const own = await tag({ handle: () => ({ ...json({}), version: 7 }) })
    expect([own === usual, own === (await tag({ handle: () => ({ ...json({}), version: 7 }) }, 'GET'))]).toEqual([
      false,
      true,
    ])
    expect(await tag({ handle: () => json({}, 202) })).toBeNull()
    expect(await tag({}, 'DELETE')).toBeNull()
    // Made, though its version cannot be told.
    let asked = 0
    const lost = {
      key: () => 'thing',
      version: () => {
        asked += 1
        throw new Error('gone')
      },
    }
    const { told } = small([POST({ resource: lost })])
    expect([await told('POST', OPERATOR), asked]).toEqual([200, 1])
  })

  it('is asked one change after the other', async () => {
    const order: string[] = []
    let release = () => {}
    const { told } = small([
      POST({
        resource,
        handle: async () => {
          order.push('begins')
          if (order.length === 1) await new Promise<void>((resolve) => (release = resolve))
          order.push('ends')
          throw new ApiError('locked', 'No')
        },
      }),
    ])
    const both = [told('POST', OPERATOR), told('POST', OPERATOR)]
    await new Promise((resolve) => setTimeout(resolve, 5))
    release()
    expect([await Promise.all(both), order]).toEqual([
      ['409 No', '409 No'],
      ['begins', 'ends', 'begins', 'ends'],
    ])
  })
})

describe('a call', () => {
  const told = async (headers: Record<string, string>, read: (call: Call) => unknown) => {
    const { ask } = small([declare({ handle: (call) => json({ told: read(call) ?? null }) })])
    return (await ask('GET', OPERATOR, { headers })).json.told
  }

  it.each([
    ['respond-async', true],
    ['wait=10, Respond-Async; x', true],
    ['respond-async,a', true],
    ['respond-asynchronously', false],
    ['no-respond-async', false],
    ['', false],
  ])('prefers no answer at once: %j', async (prefer, expected) => {
    expect(await told({ prefer }, (call) => call.respondAsync)).toBe(expected)
  })

  it.each([
    ['gzip', true],
    ['br, gzip;q=0.5', true],
    ['GZIP;q=1', true],
    ['gzip;q=0', false],
    ['gzip;q=0.000', false],
    ['gzip;q=0.001', true],
    ['x-gzip', false],
    ['gzipped', false],
    ['', false],
  ])('takes gzip: %j', async (header, expected) => {
    expect(await told({ 'accept-encoding': header }, (call) => call.acceptsGzip)).toBe(expected)
  })

  it('has the id that its reader heard last, and proves its caller again', async () => {
    expect(await told({ 'last-event-id': '7' }, (call) => call.lastEventId)).toBe('7')
    expect(await told({}, (call) => call.lastEventId)).toBeNull()
    expect(await told({}, (call) => nameOf(call.authenticateAgain()))).toBe('the operator')
    expect(await told({}, (call) => [call.address, call.requestId !== '', nameOf(call.principal)])).toEqual([
      ...['192.0.2.1', true, 'the operator'],
    ])
  })

  it('waits for nothing once the server stops, nor for a HEAD', async () => {
    const aborted: boolean[] = []
    const handle = (call: Call) => {
      aborted.push(call.signal.aborted)
      return json({})
    }
    const stopping = new AbortController()
    const { ask } = small([declare({ handle })], {}, { stopping: stopping.signal })
    await ask('GET', OPERATOR)
    await ask('HEAD', OPERATOR)
    stopping.abort()
    await ask('GET', OPERATOR)
    expect(aborted).toEqual([false, true, true])
  })
})

describe('an Idempotency-Key', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const headers = { 'idempotency-key': 'k' }
  const counting = (more: Partial<Endpoint<object>> = {}, surface: Partial<Surface> = {}) => {
    let acts = 0
    const handle = (call: Call) => {
      acts += 1
      call.audit('things.create', 'things/a')
      return json({ acts }, 200, { 'X-Own': '1' })
    }
    return small([POST({ handle, response: z.object({}), ...more })], {
      answers: new Answers(folder, () => {}),
      ...surface,
    })
  }

  it('is the account’s, however it proves itself, and no other one’s', async () => {
    let principal: Principal = account('operator')
    const { ask, entries } = counting({}, { authenticate: () => principal })
    const acts = async () => (await ask('POST', '/things', { headers })).json.acts
    expect(await acts()).toBe(1)
    principal = { account: principal.account, role: 'operator', via: 'password' }
    expect(await acts()).toBe(1)
    principal = { ...principal, account: { id: 'user-2', name: 'the operator', generation: 1 } }
    expect(await acts()).toBe(2)
    principal = { ...principal, account: 'appliance-token' }
    expect(await acts()).toBe(3)
    expect(entries.map(({ account, name }) => [account, name])).toEqual([
      ['user-operator', 'the operator'],
      ['user-operator', 'the operator'],
      ['user-2', 'the operator'],
      ['token', 'admin'],
    ])
  })

  it('has one thing done once, and its answer given again, with an entry that says so', async () => {
    const { ask, entries } = counting()
    const [first, again] = [await ask('POST', OPERATOR, { headers }), await ask('POST', OPERATOR, { headers })]
    expect([first.json, again.json, again.headers.get('x-own')]).toEqual([{ acts: 1 }, { acts: 1 }, '1'])
    expect([first, again].map((one) => one.headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect(entries.map(({ event, action, target }) => [event, action, target])).toEqual([
      ['things.create', 'things.create', 'things/a'],
      ['things.create.replayed', 'things.create.replayed', 'things/a'],
    ])
    expect((await ask('POST', OPERATOR)).json).toEqual({ acts: 2 })
    // Another account's key is its own.
    expect((await ask('POST', '/things?token=administrator', { headers })).json).toEqual({ acts: 3 })
  })

  it('is heard for where it can be, and refused where an answer cannot be kept', async () => {
    for (const more of [{ secret: true as const }, { form: {} }, { response: 'text/plain' }])
      expect(await counting(more).told('POST', OPERATOR, { headers })).toBe(
        '400 This request does not accept this header',
      )
    const repeated = counting({ repeatable: true })
    for (const acts of [1, 2]) expect((await repeated.ask('POST', OPERATOR, { headers })).json).toEqual({ acts })
    const put = counting({ method: 'PUT' })
    for (const acts of [1, 2]) expect((await put.ask('PUT', OPERATOR, { headers })).json).toEqual({ acts })
    const anyone = counting({ permission: 'public' })
    for (const acts of [1, 2]) expect((await anyone.ask('POST', '/things', { headers })).json).toEqual({ acts })
    const deaf = small([POST()])
    expect(await deaf.told('POST', OPERATOR, { headers })).toBe(200)
  })

  it('is of 1 to 255 printable characters, once', async () => {
    const { told } = counting({ response: z.object({}) })
    for (const key of ['x', 'x'.repeat(255), '~ !'])
      expect([key, await told('POST', OPERATOR, { headers: { 'idempotency-key': key } })]).toEqual([key, 200])
    for (const key of ['', 'x'.repeat(256), 'é'])
      expect([key, await told('POST', OPERATOR, { headers: { 'idempotency-key': key } })]).toEqual([
        ...[key, '400 Expected 1 to 255 printable ASCII characters'],
      ])
    expect(await told('POST', OPERATOR, { headers, twice: ['idempotency-key'] })).toMatch(/^400 /)
  })

  it('that a change failed with is free again, and one whose entry the disk refused is kept', async () => {
    let works = false
    const { told, ask, saves } = small(
      [
        POST({
          response: z.object({}),
          handle: () => {
            if (works) return json({ done: true })
            throw new ApiError('locked', 'No')
          },
        }),
      ],
      { answers: new Answers(folder, () => {}) },
    )
    expect(await told('POST', OPERATOR, { headers })).toBe('409 No')
    works = true
    saves.push(async () => {
      throw new Error('disk')
    })
    expect(await told('POST', OPERATOR, { headers })).toMatch(/^500 The change was made/)
    const again = await ask('POST', OPERATOR, { headers })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
  })
})
