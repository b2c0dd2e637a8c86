// Signing in to the console, what a session may do, and everything that ends it.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance, TOKEN } from './appliance.ts'
import { COOKIE, cookieOf, readSessions, signIn } from './console.ts'
import { addCaller, ask, ON, PASSWORD } from './controller.ts'

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance(ON)
  for (const role of ['viewer', 'operator', 'administrator'] as const) await addCaller(appliance.folders, role)
})
afterAll(() => appliance?.close())
const enter = (username: string) => signIn(appliance.url, { username, password: PASSWORD })

describe('signing in', () => {
  it('SEC-23 gives a cookie that no script and no other site has, and what changes need beside it', async () => {
    const answer = await ask(appliance.url, 'POST', '/console/session', {
      json: { username: 'operator', password: PASSWORD },
    })
    expect(answer.status).toBe(201)
    const [header = ''] = answer.headers['set-cookie'] ?? []
    expect(header.replace(/=[A-Za-z0-9_-]{43};/, '=VALUE;')).toBe(
      `${COOKIE}=VALUE; Path=/; Secure; HttpOnly; SameSite=Strict`,
    )
    expect(answer.json.session).toEqual({
      name: 'operator',
      role: 'operator',
      via: 'account',
      csrf: expect.stringMatching(/^[0-9a-f]{64}$/),
      idle_seconds: 1800,
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
      one_time: false,
    })
    expect(JSON.stringify(answer.json)).not.toContain(cookieOf(answer))
    const file = join(appliance.folders.state, 'sessions.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain(cookieOf(answer))
    expect(readSessions(appliance.folders)).toHaveLength(1)
  })

  it('opens the console, the controller and the admin surface', async () => {
    const operator = await enter('operator')
    for (const path of ['/api/v1/users', '/api/v1/admin/version', '/console/session'])
      expect([path, (await operator.ask('GET', path)).status]).toEqual([path, 200])
    const admin = await enter('administrator')
    const body = { username: 'made', password: 'made-by-1-test' }
    expect((await admin.ask('POST', '/api/v1/users', { json: body })).status).toBe(201)
    const token = await signIn(appliance.url, { token: TOKEN })
    expect((await token.ask('GET', '/api/v1/admin/logs')).status).toBe(200)
    expect((await token.ask('GET', '/api/v1/users')).status).toBe(401)
  })
})
