// The controller's limit of requests (facts: atlas.md): per account, or else per address. What has its own limit, or
// must always be answered, is not counted, and the table of callers stays small whoever knocks.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RequestLimit } from '../../src/http/pipeline/request-limit.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, ask, type Caller, logIn, PASSWORD } from './controller.ts'

let appliance: InProcess
const callers: Caller[] = []
beforeAll(async () => {
  appliance = await startAppliance({
    config: { surfaces: { controller: { enabled: true, 'requests-per-minute': 5 } } },
  })
  for (const name of ['one', 'two']) callers.push(await addCaller(appliance.folders, 'viewer', name))
})
afterAll(() => appliance?.close())

const get = (path: string, bearer?: string, from = '127.0.0.1') => ask(appliance.url, 'GET', path, { bearer, from })

describe('the limit of requests', () => {
  it('ends at so many for one account from wherever it calls, and says when to come back', async () => {
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await get('/api/v1/users', callers[0]!.token, `127.0.4.${i + 1}`)
      expect(status).toBe(200)
      expect([headers['x-ratelimit-limit'], headers['x-ratelimit-window']]).toEqual(['5', '60'])
    }
    const lines = appliance.audit().length
    for (const path of ['/api/v1/users', '/api/v1/jobs/none', '/api/v1/openapi.json']) {
      const { status, json, headers } = await get(path, callers[0]!.token, '127.0.4.9')
      expect([status, json.code]).toEqual([429, 'TOO_MANY_REQUESTS'])
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60)
      expect(headers['x-ratelimit-limit']).toBe('5')
    }
    const entries = appliance.audit().slice(lines)
    expect(entries).toHaveLength(3)
    for (const line of entries) expect(line).toMatch(/,web,one,auth\.limited,"api\/v1\/[^"]+",127\.0\.4\.9$/)
    expect((await get('/api/v1/users', callers[1]!.token, '127.0.4.9')).status).toBe(200)
  })

  it('counts who has proven nothing by the address', async () => {
    for (let i = 0; i < 5; i++) expect((await get('/api/v1/users', `bad${i}`, '127.0.5.1')).status).toBe(401)
    expect((await get('/api/v1/users', 'bad', '127.0.5.1')).status).toBe(429)
    expect((await get('/api/v1/users', 'bad', '127.0.5.2')).status).toBe(401)
    expect((await get('/api/v1/users', callers[1]!.token, '127.0.5.1')).status).toBe(200)
  })

  it('does not count logins and health, and nothing of the other surface', async () => {
    const from = '127.0.6.1'
    for (let i = 0; i < 8; i++) {
      expect((await get('/healthz', undefined, from)).status).toBe(200)
      expect((await logIn(appliance.url, 'one', PASSWORD, { from })).status).toBe(200)
      expect((await appliance.call('GET', '/version', { from })).status).toBe(200)
    }
    const { headers } = await get('/healthz', undefined, from)
    expect(headers['x-ratelimit-limit']).toBe('5')
  })

  it('is off at 0: no header either', async () => {
    const off = await startAppliance({
      config: { surfaces: { controller: { enabled: true, 'requests-per-minute': 0 } } },
    })
    try {
      for (let i = 0; i < 120; i++) {
        const { status, headers } = await ask(off.url, 'GET', '/api/v1/openapi.json')
        expect([status, headers['x-ratelimit-limit']]).toEqual([200, undefined])
      }
    } finally {
      await off.close()
    }
  })

  it('begins anew after a minute, and remembers ten thousand callers at most', () => {
    let now = 0
    const limit = new RequestLimit(2, () => now)
    const account = { id: 'user-1', name: 'a', generation: 1 }
    const principal = { account, role: 'viewer', via: 'jwt' } as const
    const count = (address: string) => limit.count(address, undefined)
    limit.count('::1', principal)
    limit.count('::1', principal)
    expect(() => limit.count('::1', principal)).toThrow('Try again in 60 seconds')
    for (let i = 0; i < 30_000; i++) count(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(limit.size).toBe(10_001)
    expect(() => limit.count('::1', principal)).toThrow('Too many')
    // One caller can have many addresses of one /64.
    count('2001:db8::1')
    count('2001:db8::2')
    expect(() => count('2001:db8::3')).toThrow('Too many')
    now = 59_500
    expect(() => count('2001:db8::3')).toThrow('in 1 second')
    now = 60_000
    count('2001:db8::3')
  })
})
