// ETag, If-Match and If-None-Match on what can be changed (RFC 9110, 13), shown on accounts. An answer of 412 must have
// changed nothing, so each test looks at the stored file as well.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { UserStore } from '../../src/auth/users.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, ask, type Caller, ON } from './controller.ts'

let appliance: InProcess
let admin: Caller
let one: string
beforeAll(async () => {
  appliance = await startAppliance(ON)
})
afterAll(() => appliance?.close())
beforeEach(async () => {
  new UserStore(appliance.folders).change((all) => all.splice(1))
  admin = await addCaller(appliance.folders, 'administrator')
  one = `/api/v1/users/${(await addCaller(appliance.folders, 'viewer')).user.id}`
})

const send = (method: string, headers: Record<string, string> = {}, json?: unknown, path = one) =>
  ask(appliance.url, method, path, { bearer: admin.token, headers, ...(json !== undefined && { json }) })
const tag = async () => (await send('GET')).headers.etag as string
const stored = () => readFileSync(join(appliance.folders.state, 'users.json'), 'utf8')
const mail = (email: string, headers: Record<string, string> = {}) => send('PUT', headers, { email })

describe('a version', () => {
  it('is a strong tag that stays until the thing is changed, and the change answers with the next', async () => {
    const first = await tag()
    expect(first).toMatch(/^"[\w-]{27}"$/)
    expect(await tag()).toBe(first)
    const changed = await mail('a@example.com')
    expect(changed.headers.etag).not.toBe(first)
    expect(await tag()).toBe(changed.headers.etag)
    const { user } = admin
    await ask(appliance.url, 'POST', '/api/v1/auth/logout', { bearer: admin.token })
    admin = await addCaller(appliance.folders, 'administrator', 'another')
    // What is not shown is no part of it: a logout changes the stored account only.
    expect((await send('GET', {}, undefined, `/api/v1/users/${user.id}`)).headers.etag).toMatch(/^"/)
    expect(await tag()).toBe(changed.headers.etag)
  })

  it('answers 304 without a body to who has it, and the whole to who has another', async () => {
    const now = await tag()
    for (const header of [now, '*', `"x", ${now}`, `W/${now}`, `, ${now} ,"y"`]) {
      const answer = await send('GET', { 'if-none-match': header })
      expect([header, answer.status, answer.json, answer.headers.etag]).toEqual([header, 304, undefined, now])
      expect(answer.headers['x-request-id']).toBeDefined()
    }
    expect((await send('GET', { 'if-none-match': '"x"' })).status).toBe(200)
  })

  it('changes only what it still is: 412 otherwise, with a line in the audit log and nothing changed', async () => {
    const first = await tag()
    expect((await mail('a@example.com', { 'if-match': first })).status).toBe(200)
    const before = stored()
    for (const header of [first, '"x"', `W/${await tag()}`, `${first}, "x"`]) {
      const lines = appliance.audit().length
      const { status, json, headers } = await mail('b@example.com', { 'if-match': header })
      expect([status, json.code, json.details, headers.etag]).toEqual([
        412,
        'PRECONDITION_FAILED',
        'If-Match',
        undefined,
      ])
      expect(appliance.audit().slice(lines)).toEqual([expect.stringContaining(',users.update.refused,"412"')])
    }
    expect((await send('DELETE', { 'if-match': first })).status).toBe(412)
    expect((await mail('b@example.com', { 'if-none-match': '*' })).status).toBe(412)
    expect(stored()).toBe(before)
    for (const header of [await tag(), '*'])
      expect((await mail('c@example.com', { 'if-match': header })).status).toBe(200)
    const gone = await send('DELETE', { 'if-match': `"x", ${await tag()}` })
    expect([gone.status, gone.headers.etag]).toEqual([200, undefined])
    // What is not there is not found, whatever the condition.
    expect((await mail('d@example.com', { 'if-match': '*' })).status).toBe(404)
  })

  it('refuses a condition that is none', async () => {
    const before = stored()
    for (const header of ['x', '"', '"a" "b"', '""x', 'W/*', '*, "a"', '"a\tb"']) {
      const { status, json } = await mail('b@example.com', { 'if-match': header })
      expect([header, status, json.code, json.details]).toEqual([header, 400, 'VALIDATION_ERROR', 'If-Match'])
    }
    expect(stored()).toBe(before)
  })

  it('lets exactly one of fifty writers through that all read the same', async () => {
    const now = await tag()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        send('PUT', { 'if-match': now }, { email: `w${i}@example.com`, password: `secret-${i}-word` }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49)
    const winner = answers.findIndex(({ status }) => status === 200)
    expect((await send('GET')).json.email).toBe(`w${winner}@example.com`)
  }, 60_000)

  it('loses no change of twelve writers that each read again when they came too late', async () => {
    const write = async (i: number) => {
      for (;;) {
        const { json, headers } = await send('GET')
        const had = (json.email as string | undefined)?.split('@')[0] ?? 'n'
        const { status } = await mail(`${had.slice(0, 40)}${String.fromCharCode(97 + (i % 26))}@example.com`, {
          'if-match': headers.etag as string,
        })
        if (status === 200) return
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, i) => write(i)))
    expect((await send('GET')).json.email.split('@')[0].split('').sort().join('')).toBe('abcdefghijkln')
  }, 60_000)
})
