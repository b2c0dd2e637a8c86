// GET /audit over HTTP: what each surface enters, who may read it, every filter. SEC-13, SEC-30, SEC-31. Reading the
// log is no change and leaves no entry, so the entries of a test are exactly those of its own calls.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance, startServer, TOKEN } from './appliance.ts'
import { call, file, until } from './client.ts'
import { addCaller, ask, type Caller, logIn, ON, oneTimePassword, PASSWORD } from './controller.ts'

let appliance: InProcess
let administrator: Caller
beforeAll(async () => {
  appliance = await startAppliance(ON)
  administrator = await addCaller(appliance.folders, 'administrator', 'root')
})
afterAll(() => appliance?.close())

interface Logged {
  id: string
  actor: string
  actor_name?: string
  action: string
  resource: string
  result: string
  message?: string
  ip: string
  user_agent?: string
  request_id?: string
  timestamp: string
}
const entries = async (query = ''): Promise<Logged[]> => {
  const { status, json } = await ask(appliance.url, 'GET', `/api/v1/audit${query}`, { bearer: administrator.token })
  expect([query, status, json]).toEqual([query, 200, expect.any(Array)])
  return json
}
/** What `act` left in the log, oldest first. */
const left = async (act: () => Promise<unknown>): Promise<Logged[]> => {
  const before = (await entries('?limit=1'))[0]?.id
  await act()
  const all = await entries('?limit=1000')
  const known = all.findIndex(({ id }) => id === before)
  return all.slice(0, known < 0 ? all.length : known).reverse()
}

describe('SEC-31 an entry', () => {
  it('of a change on the controller surface says who, what, whence and under which request', async () => {
    const headers = { 'user-agent': 'test/1.0 (x)' }
    let made = { json: { id: '' }, headers: {} as Record<string, unknown> }
    const found = await left(async () => {
      made = await ask(appliance.url, 'POST', '/api/v1/users', {
        bearer: administrator.token,
        json: { username: 'first', password: PASSWORD },
        headers,
        from: '127.0.0.9',
      })
    })
    expect(found).toEqual([
      {
        id: expect.stringMatching(/^audit-\d+$/),
        actor: administrator.user.id,
        actor_name: 'root',
        action: 'users.create',
        resource: `users/${made.json.id}`,
        result: 'success',
        ip: '127.0.0.9',
        user_agent: 'test/1.0 (x)',
        request_id: made.headers['x-request-id'],
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ])
  })

  it('of a refusal and of a failed change says why, under the action that was wanted', async () => {
    const viewer = await addCaller(appliance.folders, 'viewer', 'looker')
    const send = (bearer: string | undefined, json: unknown) =>
      ask(appliance.url, 'POST', '/api/v1/users', { bearer, json })
    const found = await left(async () => {
      await send(undefined, {})
      await send(viewer.token, {})
      await send(administrator.token, { username: 'first', password: PASSWORD })
      await send(administrator.token, { username: '../x', password: PASSWORD })
      await ask(appliance.url, 'DELETE', '/api/v1/users/user-nobody', { bearer: administrator.token })
    })
    expect(
      found.map(({ actor, action, resource, result, message }) => [actor, action, resource, result, message]),
    ).toEqual([
      ['nobody', 'auth.unauthorized', 'users', 'failure', '401'],
      [viewer.user.id, 'auth.forbidden', 'users', 'failure', '403'],
      [administrator.user.id, 'users.create', 'users', 'failure', expect.stringMatching(/^409 /)],
      [administrator.user.id, 'users.create', 'users', 'failure', expect.stringMatching(/^400 /)],
      [administrator.user.id, 'users.delete', 'users/user-nobody', 'failure', expect.stringMatching(/^404 /)],
    ])
  })

  it('of a login names the account, and of a failed one whom somebody claimed to be', async () => {
    const found = await left(async () => {
      await logIn(appliance.url, 'root', PASSWORD, { from: '127.0.0.20' })
      await logIn(appliance.url, 'root', 'wrong', { from: '127.0.0.21' })
      await logIn(appliance.url, 'a-password-in-the-wrong-field', 'x', { from: '127.0.0.22' })
    })
    expect(
      found.map(({ actor, actor_name, action, resource, result }) => [actor, actor_name, action, resource, result]),
    ).toEqual([
      [administrator.user.id, 'root', 'auth.login', `users/${administrator.user.id}`, 'success'],
      ['nobody', 'root', 'auth.login', 'auth/login', 'failure'],
      ['nobody', undefined, 'auth.login', 'auth/login', 'failure'],
    ])
    expect(JSON.stringify(found)).not.toMatch(/wrong|field/)
  })

  it('is made for the admin surface as well, where one token is the account', async () => {
    const settings = JSON.stringify({ network: { interface: 'eth0', hostname: 'test.host' }, app: {} })
    const found = await left(async () => {
      await appliance.call('POST', '/settings', { form: [file('settings', settings)] })
      await until('the end is entered', async () => (await entries('?limit=1'))[0]?.action === 'settings.post')
      await appliance.call('POST', '/settings', { form: [file('settings', '{')] })
      await call(appliance.url, 'GET', `/api/v1/admin/version?token=canary-${TOKEN}`, { from: '127.0.0.30' })
    })
    expect(
      found.map(({ actor, actor_name, action, resource, result }) => [actor, actor_name, action, resource, result]),
    ).toEqual([
      ['token', undefined, 'settings.post.accepted', 'admin/settings', 'success'],
      ['token', undefined, 'settings.post', 'admin/settings', 'success'],
      ['token', undefined, 'settings.post', 'admin/settings', 'failure'],
      ['nobody', undefined, 'token.authenticate', 'admin/version', 'failure'],
    ])
    // SEC-13: what came in the query is nowhere.
    const folder = join(appliance.folders.state, 'audit')
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name), 'latin1')).not.toContain(TOKEN)
  })

  it('stays one line whatever a client calls itself, and is what a client reads', async () => {
    const agent = `x"} \t{"seq":1,"actor":"admin" ${'y'.repeat(3000)}`
    const [entry] = await left(() =>
      ask(appliance.url, 'POST', '/api/v1/auth/logout', { headers: { 'user-agent': agent }, from: '127.0.0.40' }),
    )
    expect(entry?.user_agent?.length).toBe(256)
    expect(entry?.user_agent).toMatch(/^x"\} \?\{"seq":1,"actor":"admin" y+…$/)
  })
})

describe('GET /audit', () => {
  it('filters by each of its parameters and by all of them', async () => {
    const all = await entries('?limit=1000')
    const root = administrator.user.id
    const checks: [string, (entry: Logged) => boolean][] = [
      [`actor=${root}`, ({ actor }) => actor === root],
      ['actor=root', ({ actor_name }) => actor_name === 'root'],
      ['action=users.create', ({ action }) => action === 'users.create'],
      ['resource=users', ({ resource }) => /^users(\/|$)/.test(resource)],
      ['resource=admin/settings', ({ resource }) => resource === 'admin/settings'],
      ['result=failure', ({ result }) => result === 'failure'],
      [`until=${all[2]?.timestamp}`, ({ timestamp }) => timestamp < all[2]!.timestamp],
      [`since=${all[2]?.timestamp}`, ({ timestamp }) => timestamp >= all[2]!.timestamp],
      [`before=${all[3]?.id}`, ({ id }) => Number(id.slice(6)) < Number(all[3]!.id.slice(6))],
      ['actor=absent', () => false],
      [
        `actor=root&action=users.create&result=failure`,
        (one) => one.actor_name === 'root' && one.action === 'users.create' && one.result === 'failure',
      ],
    ]
    for (const [query, wanted] of checks) {
      const found = await entries(`?${query}&limit=1000`)
      expect([query, found]).toEqual([query, all.filter(wanted)])
    }
    expect(await entries('?limit=2')).toEqual(all.slice(0, 2))
    expect(all.length).toBeGreaterThan(8)
  })

  it('takes nothing else: 400', async () => {
    for (const query of [
      ...[
        'limit=0',
        'limit=1001',
        'limit=-1',
        'limit=1e3',
        'limit=',
        'before=12',
        'before=audit-0',
        'result=maybe',
        'actor=',
      ],
      ...['since=yesterday', 'until=2026-13-01T00:00:00Z', 'sort=id', `actor=${'x'.repeat(513)}`],
    ]) {
      const { status, json } = await ask(appliance.url, 'GET', `/api/v1/audit?${query}`, {
        bearer: administrator.token,
      })
      expect([query, status, json.code]).toEqual([query, 400, expect.stringMatching(/BAD_REQUEST|VALIDATION_ERROR/)])
    }
  })

  it('SEC-30 is the administrator’s alone, and there is no way to change it', async () => {
    const operator = await addCaller(appliance.folders, 'operator', 'worker')
    expect((await ask(appliance.url, 'GET', '/api/v1/audit', { bearer: operator.token })).status).toBe(403)
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await ask(appliance.url, method, '/api/v1/audit', { bearer: administrator.token })).status).toBe(405)
  })
})

describe('the log of a server', () => {
  it('goes on after kill -9 and after a clean end, and verifies', async () => {
    const server = await startServer(ON)
    const folder = join(server.folders.state, 'audit')
    try {
      const password = oneTimePassword(server.folders)
      const { json } = await logIn(server.url, 'admin', password)
      await server.kill('SIGKILL')
      const last = readdirSync(folder).find((name) => name.endsWith('.log')) ?? ''
      writeFileSync(join(folder, last), '120 torn', { flag: 'a' })
      const again = await server.again()
      const read = await ask(again.url, 'GET', '/api/v1/audit', { bearer: json.token })
      expect(read.json.map(({ actor, action, message }: Logged) => [actor, action, message])).toEqual([
        ['system', 'audit.torn', '8 bytes of an unfinished entry were cut off'],
        [expect.stringMatching(/^user-/), 'auth.login', undefined],
      ])
      await again.kill('SIGTERM')
      const { run } = await import('../../src/cli/cli.ts')
      let said = ''
      const { PassThrough } = await import('node:stream')
      const out = new PassThrough().on('data', (chunk) => {
        said += chunk
      })
      const status = await run(['audit', 'verify', '--statedir', server.folders.state], {
        stdout: out,
        stderr: out,
        env: {},
      })
      expect([status, said]).toEqual([0, expect.stringMatching(/^good: 4 records, 1 to 4, signed up to 4\n/)])
    } finally {
      await server.close()
    }
  })
})
