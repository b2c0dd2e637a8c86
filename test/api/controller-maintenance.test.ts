// Maintenance mode: changes wait, reading and finding out go on. It is a file, so a restart must find it as it was.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, ask, ON, PASSWORD } from './controller.ts'

const PATH = '/api/v1/maintenance'
const USERS = '/api/v1/users'
let appliance: InProcess
let token: string
beforeAll(async () => {
  appliance = await startAppliance(ON)
  token = (await addCaller(appliance.folders, 'administrator', 'chief')).token
})
afterAll(() => appliance?.close())
afterEach(() => rmSync(join(appliance.folders.state, 'maintenance.json'), { force: true }))

const as = (method: string, path: string, json?: unknown) =>
  ask(appliance.url, method, path, { bearer: token, ...(json !== undefined && { json }) })
const make = (username: string) => as('POST', USERS, { username, password: PASSWORD })

describe('maintenance mode', () => {
  it('refuses every change with its message, lets everything be read, and ends', async () => {
    const on = await as('PUT', PATH, { enabled: true, message: 'Disks are being replaced until noon' })
    expect([on.status, on.json]).toEqual([
      200,
      { enabled: true, message: 'Disks are being replaced until noon', since: expect.stringMatching(/Z$/) },
    ])
    const refused = await make('late-one')
    expect([refused.status, refused.json.code, refused.json.message, refused.headers['retry-after']]).toEqual([
      503,
      'SERVICE_UNAVAILABLE',
      'Disks are being replaced until noon',
      '60',
    ])
    expect((await as('GET', USERS)).status).toBe(200)
    expect((await as('PUT', PATH, { enabled: true })).json.since).toBe(on.json.since)
    expect((await as('PUT', PATH, { enabled: false })).json).toEqual({ enabled: false, message: '' })
    expect((await make('late-one')).status).toBe(201)
  })

  it('has a version: whoever saw another state than the present one changes nothing', async () => {
    const put = (match: string, enabled: boolean) =>
      ask(appliance.url, 'PUT', PATH, { bearer: token, json: { enabled }, headers: { 'if-match': match } })
    const off = (await as('GET', PATH)).headers.etag ?? ''
    expect(off).toMatch(/^"/)
    const on = await put(off, true)
    expect([on.status, on.headers.etag === off]).toEqual([200, false])
    expect((await put(off, false)).status).toBe(412)
    expect((await as('GET', PATH)).json.enabled).toBe(true)
    expect((await put(on.headers.etag ?? '', false)).status).toBe(200)
  })

  it('takes no half of a character into its message, which no version could be made of', async () => {
    const body = '{"enabled":true,"message":"\\ud800"}'
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    expect((await ask(appliance.url, 'PUT', PATH, { body, headers })).status).toBe(400)
    expect((await as('PUT', PATH, { enabled: true, message: 'noon 🕛' })).json.message).toBe('noon 🕛')
    expect((await as('GET', PATH)).status).toBe(200)
  })

  it('does not tell strangers, and leaves one audit line for each change that it refused', async () => {
    await as('PUT', PATH, { enabled: true })
    const before = appliance.audit().length
    expect((await ask(appliance.url, 'POST', USERS, { json: {} })).status).toBe(401)
    expect((await make('another')).status).toBe(503)
    const lines = appliance.audit().slice(before)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('users.create.refused')
  })

  it('is on when its file cannot be understood', async () => {
    writeFileSync(join(appliance.folders.state, 'maintenance.json'), '{"enabled":')
    expect((await make('unlucky')).status).toBe(503)
    expect((await as('PUT', PATH, { enabled: false })).status).toBe(200)
    expect((await make('unlucky')).status).toBe(201)
  })

  it('lets people in and out, and their own passwords be changed', async () => {
    await as('PUT', PATH, { enabled: true })
    const login = await ask(appliance.url, 'POST', '/api/v1/auth/login', {
      json: { username: 'chief', password: PASSWORD },
    })
    expect(login.status).toBe(200)
    expect((await ask(appliance.url, 'POST', '/api/v1/auth/logout', { bearer: login.json.token })).status).toBe(200)
  })
})
