// What the cookie of a request proves, and why it was not taken: each condition by itself.
import { describe, expect, it } from 'vitest'
import type { ConsoleSessions } from '../../src/auth/console-sessions.ts'
import { nameOf } from '../../src/auth/principal.ts'
import type { ApiError } from '../../src/errors.ts'
import type { Request } from '../../src/http/request.ts'
import {
  byCookie,
  COOKIE,
  clearCookie,
  isForeign,
  refuseCookie,
  sessionOf,
  setCookie,
} from '../../src/http/session-cookie.ts'
import { account } from './small-surface.ts'

const VALUE = 'v'.repeat(43)
const CSRF = 'the right header'
const ann = account('operator')
const touched: string[] = []
const sessions = {
  find: (value: string) => (value === VALUE ? { id: 's1', principal: ann, csrf: CSRF } : undefined),
  touch: (id: string) => void touched.push(id),
} as unknown as ConsoleSessions

const request = (headers: Record<string, string>, more: Partial<Request> = {}) =>
  ({ method: 'GET', template: '/console/x', incoming: { headers }, cookie: undefined, ...more }) as unknown as Request
const cookie = `${COOKIE}=${VALUE}`
/** Whom it proves, why not, and whether it was a sign of life. */
function look(headers: Record<string, string>, more: Partial<Request> = {}, changes?: boolean) {
  touched.length = 0
  const one = request(headers, more)
  const principal = byCookie(one, sessions, changes)
  return [nameOf(principal), one.cookie?.why, touched.length]
}

describe('the cookie', () => {
  it('is for this host over TLS alone, and no script’s', () => {
    expect(setCookie('x')).toEqual({ 'Set-Cookie': '__Host-edge-admin=x; Path=/; Secure; HttpOnly; SameSite=Strict' })
    expect(clearCookie()['Set-Cookie']).toMatch(/^__Host-edge-admin=; .*; Max-Age=0$/)
  })

  it.each([cookie, `a=b; ${cookie}`, `a=b;${cookie};c=d`, `a=b;\t${cookie} ; c`])('is found in %j', (text) => {
    expect(look({ cookie: text })).toEqual(['the operator', undefined, 1])
    expect(sessionOf(request({ cookie: text }), sessions)?.id).toBe('s1')
  })

  it.each(['', 'a=b', `x${cookie}`, `a=${cookie}`, `a=b, ${cookie}`])('is none in %j', (text) => {
    expect(look({ cookie: text })).toEqual([undefined, undefined, 0])
  })

  it('is none where there are no sessions, or no request underneath', () => {
    expect(byCookie(request({ cookie }), undefined)).toBeUndefined()
    const bare = request({}, { incoming: undefined })
    expect([byCookie(bare, sessions), sessionOf(bare, sessions), bare.cookie]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each([`${COOKIE}=`, `${cookie}v`, `${COOKIE}=${'w'.repeat(43)}`, `${COOKIE}=${'v'.repeat(42)}`])(
    'is over where it is no session’s: %s',
    (text) => expect(look({ cookie: text })).toEqual([undefined, 'over', 0]),
  )
})

describe('a change', () => {
  it('needs the header, exactly', () => {
    const post = { method: 'POST' }
    expect(look({ cookie, 'x-csrf-token': CSRF }, post)).toEqual(['the operator', undefined, 1])
    for (const header of ['', 'x', `${CSRF}x`, 'the right heades'])
      expect([header, ...look({ cookie, 'x-csrf-token': header }, post)]).toEqual([header, undefined, 'csrf', 0])
    expect(look({ cookie }, post)).toEqual([undefined, 'csrf', 0])
    // A read that changes something, and a POST that does not.
    expect(look({ cookie }, {}, true)).toEqual([undefined, 'csrf', 0])
    expect(look({ cookie }, post, false)).toEqual(['the operator', undefined, 1])
  })

  it('of another site is nobody’s, whatever it carries, and so is a read', () => {
    const foreign = { cookie, 'x-csrf-token': CSRF, 'sec-fetch-site': 'cross-site' }
    for (const method of ['GET', 'POST']) expect(look(foreign, { method })).toEqual([undefined, 'site', 0])
  })
})

it('what a page does by itself, and listening, are no signs of life', () => {
  expect(look({ cookie, 'x-background': '1' })).toEqual(['the operator', undefined, 0])
  expect(look({ cookie, 'x-background': '0' })).toEqual(['the operator', undefined, 1])
  expect(look({ cookie }, { template: '/api/v1/jobs/events' })).toEqual(['the operator', undefined, 0])
})

it.each([
  [{}, false],
  [{ 'sec-fetch-site': 'same-origin' }, false],
  [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example', host: 'nas' }, false],
  [{ 'sec-fetch-site': 'same-site' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ origin: 'https://nas:8443', host: 'nas:8443' }, false],
  [{ origin: 'https://nas', host: 'NAS' }, false],
  [{ origin: 'https://nas:8443', host: 'nas' }, true],
  [{ origin: 'https://evil.example', host: 'nas' }, true],
  [{ origin: 'https://nas' }, true],
  [{ origin: 'null', host: 'nas' }, true],
  [{ origin: '', host: 'nas' }, true],
])('a request with %j began elsewhere: %s', (headers, foreign) => expect(isForeign(headers)).toBe(foreign))

it('the refusal of a session that was not taken says why, and is entered under its name', () => {
  const entered: unknown[] = []
  const refuse = (one: Request['cookie']): ApiError | undefined =>
    refuseCookie(request({}, { cookie: one }), (event, failure, principal) => entered.push([event, failure, principal]))
  expect([refuse(undefined), refuse({ why: 'over' }), entered]).toEqual([undefined, undefined, []])
  expect(refuse({ why: 'csrf', principal: ann })).toMatchObject({
    kind: 'forbidden',
    message: expect.stringMatching(/X-CSRF-Token/),
  })
  expect(refuse({ why: 'site', principal: ann })).toMatchObject({
    kind: 'forbidden',
    message: expect.stringMatching(/another site/),
  })
  expect(entered).toEqual(Array(2).fill(['auth.csrf', '403', ann]))
})
