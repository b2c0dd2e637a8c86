// SEC-23, SEC-30: what a session may do on all three surfaces, generated from their tables: no change without the
// header, none that another site began, none beyond the role; and a cookie spares nobody a guess. A request that is
// refused for another reason proves nothing, so each is shown to pass the guard with the header.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mayAct, type Role } from '../../src/auth/principal.ts'
import { Configuration } from '../../src/config.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'
import { ADMIN_ROLES, CONSOLE } from '../unit/console-permissions.ts'
import { CONTROLLER } from '../unit/controller-permissions.ts'
import { PERMISSIONS } from '../unit/endpoint-permissions.ts'
import { type InProcess, startAppliance, TOKEN, temporaryFolder } from './appliance.ts'
import { file } from './client.ts'
import { type Browser, browser, COOKIE, signIn } from './console.ts'
import { addCaller, ask, ON, PASSWORD } from './controller.ts'

/** Task scripts that do nothing: this is about who gets in. */
function idleScripts(): string {
  const folder = temporaryFolder()
  for (const kind of 'update logs debug reboot settings storage certs license backup restore'.split(' ')) {
    const text = `#!/bin/sh
printf '{"id":"%s","kind":"${kind}","status":"completed","progress":100,"message":"","created_at":"x"}' "\${2##*/}" >"$2/status.json"
mkdir -p "$EDGE_ROOT/home/sftp/uploads"; echo x >"$EDGE_ROOT/home/sftp/uploads/logs.tar.gz"; echo x >"$EDGE_ROOT/home/sftp/uploads/debug-bundle.tar"\n`
    writeFileSync(join(folder, `${kind}.sh`), text)
    chmodSync(join(folder, `${kind}.sh`), 0o755)
  }
  return folder
}

let appliance: InProcess
const people: Record<string, Browser> = {}
beforeAll(async () => {
  appliance = await startAppliance({ ...ON, scripts: idleScripts() })
  for (const role of ['viewer', 'operator', 'administrator'] as const) {
    await addCaller(appliance.folders, role)
    people[role] = await signIn(appliance.url, { username: role, password: PASSWORD })
  }
  people['token'] = await signIn(appliance.url, { token: TOKEN })
})
afterAll(() => appliance?.close())
beforeEach(() => appliance.app.backOff.succeed('127.0.0.1'))
// The end of a task has an audit entry of its own, which the next test would take for that of its request.
afterEach(async () => {
  for (const task of appliance.app.tasks.list()) await appliance.app.tasks.wait(task.id)
})

interface Target {
  surface: 'admin' | 'controller' | 'console'
  name: string
  method: string
  path: string
  permission: string
  parts: ReturnType<typeof file>[]
  json: unknown
}
const config = Configuration.parse({
  endpoints: ['settings', 'certs', 'license', 'storage', 'backup'],
  surfaces: { controller: { enabled: true } },
})
const declared = (
  surface: Target['surface'],
  endpoints: (typeof controllerEndpoints | typeof adminEndpoints | typeof consoleEndpoints)[number][],
) =>
  endpoints
    .filter(({ enabled }) => enabled?.(config) ?? true)
    .map(
      ({ method, path, permission, form }): Target => ({
        surface,
        name: `${method} ${path}`,
        method,
        path: path.replace(/\{name\*\}|\{dataset\*\}/, 'tank%2Fnone').replace(/\{\w+\}/, 'none'),
        permission: String(permission),
        parts: Object.entries(form ?? {}).map(([name, { kind }]) =>
          kind === 'file' ? file(name, 'x') : { name, value: 'x' },
        ),
        json: CONTROLLER[`${method} ${path}`]?.json,
      }),
    )
const targets = [
  ...declared('admin', adminEndpoints),
  ...declared('controller', controllerEndpoints),
  ...declared('console', consoleEndpoints),
]
const REBOOT = 'GET /api/v1/admin/reboot'
/** What changes something, and is not open to anyone. */
const changes = targets.filter(
  ({ method, name, permission }) => permission !== 'public' && (method !== 'GET' || name === REBOOT),
)
const body = ({ parts, json }: Target) => (parts.length > 0 ? { form: parts } : json !== undefined ? { json } : {})
const whose = ({ surface }: Target) => people[surface === 'admin' ? 'token' : 'administrator']!
const told = (json: Record<string, string>) => json['message'] ?? json['Error-Message']
const events = () => appliance.audit().map((line) => line.split(',')[4])
const CSRF = 'The X-CSRF-Token header is missing or wrong'

describe('SEC-23 a change through the cookie', () => {
  it('is meant: the tables have all of them', () => {
    expect(changes.filter(({ surface }) => surface === 'admin').length).toBeGreaterThanOrEqual(9)
    expect(changes.filter(({ surface }) => surface === 'controller').length).toBeGreaterThan(30)
    expect(changes.filter(({ surface }) => surface === 'console').map(({ name }) => name)).toEqual([
      'DELETE /console/session',
      'POST /console/settings/check',
    ])
  })

  // The others take turns: of several hundred refusals in a minute, the last would be counted and not entered.
  for (const [i, target] of changes.entries()) {
    it(`does nothing without the header, or with another: ${target.name}`, async () => {
      const me = whose(target)
      const others = ['', 'x', me.csrf.slice(1), me.csrf.toUpperCase(), people['viewer']!.csrf]
      for (const csrf of [null, others[i % 5]!, others[(i + 2) % 5]!]) {
        const before = [events().length, appliance.app.tasks.list().length]
        const answer = await me.ask(target.method, target.path, {
          ...body(target),
          csrf: null,
          headers: csrf === null ? {} : { 'x-csrf-token': csrf },
        })
        expect([csrf, answer.status, told(answer.json)]).toEqual([csrf, 403, CSRF])
        expect([events().length, appliance.app.tasks.list().length]).toEqual([before[0]! + 1, before[1]])
        expect(events().at(-1)).toBe('auth.csrf')
      }
      expect(appliance.app.backOff.wait('127.0.0.1')).toBe(0)
    })
  }

  for (const target of targets.filter(({ permission }) => permission !== 'public')) {
    it(`is nobody’s when another site began it: ${target.name}`, async () => {
      const me = whose(target)
      for (const site of ['cross-site', 'same-site', 'none', 'same-origin, cross-site']) {
        const headers = { 'sec-fetch-site': site, 'x-csrf-token': me.csrf }
        const answer = await me.ask(target.method, target.path, { ...body(target), headers })
        expect([site, answer.status, told(answer.json)]).toEqual([site, 403, 'The request comes from another site'])
        expect(events().at(-1)).toBe('auth.csrf')
      }
    })
  }

  it('passes with it, on every surface, from a browser old and new', async () => {
    const me = people['administrator']!
    const json = { enabled: false }
    const host = new URL(appliance.url).host
    const put = (headers: Record<string, string>) =>
      ask(appliance.url, 'PUT', '/api/v1/maintenance', {
        json,
        headers: { cookie: `${COOKIE}=${me.cookie}`, 'x-csrf-token': me.csrf, ...headers },
      })
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { origin: `http://${host}` }] as Record<
      string,
      string
    >[])
      expect([headers, (await put(headers)).status]).toEqual([headers, 200])
    for (const origin of ['https://evil.example', 'null', `http://${host}.evil.example`, 'http://127.0.0.1:1'])
      expect([origin, (await put({ origin })).status]).toEqual([origin, 403])
    const form = [{ name: 'action', value: 'STOP' }]
    expect([202, 409]).toContain((await people['token']!.ask('POST', '/api/v1/admin/backup', { form })).status)
  })

  it('reboots by GET with the header only', async () => {
    const me = people['token']!
    const get = (csrf?: string) =>
      me.ask('GET', '/api/v1/admin/reboot', { headers: csrf === undefined ? {} : { 'x-csrf-token': csrf } })
    expect((await get()).status).toBe(403)
    expect([202, 409]).toContain((await get(me.csrf)).status)
  })

  it('signs nobody in from another site', async () => {
    for (const [path, json] of [
      ['/console/session', { token: TOKEN }],
      ['/console/first-run', { token: 'x' }],
    ] as const)
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }] as Record<
        string,
        string
      >[]) {
        const answer = await ask(appliance.url, 'POST', path, { json, headers })
        expect([path, answer.status, events().at(-1)]).toEqual([path, 403, 'auth.csrf'])
      }
    const type = { 'content-type': 'text/plain' }
    const plain = await ask(appliance.url, 'POST', '/console/session', { json: { token: TOKEN }, headers: type })
    expect(plain.status).toBe(415)
  })

  it('is not asked for by the page itself: it opens from anywhere', async () => {
    for (const site of ['none', 'cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site }
      for (const path of ['/', '/docs', '/console/app.js', '/console/session'])
        expect([path, site, (await people['viewer']!.ask('GET', path, { headers })).status]).toEqual([path, site, 200])
      // But nobody is told there who is signed in.
      expect((await people['viewer']!.ask('GET', '/console/session', { headers })).json.session).toBeNull()
    }
  })
})

describe('SEC-30 the role of a session', () => {
  const admin = declared('admin', adminEndpoints).filter(({ permission }) => permission !== 'public')

  it('is written down for every endpoint of the admin surface', () => {
    const roles = Object.fromEntries(admin.map(({ name, permission }) => [name, permission]))
    expect(roles).toEqual(Object.fromEntries(admin.map(({ name }) => [name, ADMIN_ROLES[name]])))
    expect(Object.keys(ADMIN_ROLES).sort()).toEqual(admin.map(({ name }) => name).sort())
  })

  for (const role of ['viewer', 'operator', 'administrator'] as const)
    for (const target of admin) {
      const needed = ADMIN_ROLES[target.name]
      const may = mayAct({ role }, (needed === 'set-up' ? 'administrator' : needed) as Role)
      it(`${may ? 'lets' : 'does not let'} ${role} through at ${target.name}`, async () => {
        const before = events().length
        const headers = { 'x-csrf-token': people[role]!.csrf }
        const answer = await people[role]!.ask(target.method, target.path, { headers })
        if (may) {
          const { right } = PERMISSIONS[target.name]!
          expect(target.name.endsWith('/reboot') ? [202, 409] : [right]).toContain(answer.status)
        } else {
          expect([answer.status, answer.json['Error-Message']]).toEqual([403, 'The account’s role does not allow this'])
          expect(answer.headers['error-message']).toBe("The account's role does not allow this")
          expect(events().slice(before)).toEqual(['auth.forbidden'])
        }
        expect(appliance.app.backOff.wait('127.0.0.1')).toBe(0)
      })
    }

  it('names who it was in the audit log', async () => {
    await people['viewer']!.ask('POST', '/api/v1/admin/reboot')
    expect(appliance.audit().at(-1)).toMatch(/,web,viewer,auth\.forbidden,"api\/v1\/admin\/reboot",127\.0\.0\.1$/)
    const { json } = await people['administrator']!.ask('GET', '/api/v1/audit?limit=1')
    expect(JSON.stringify(json)).toMatch(/"user-[0-9a-f]+"/)
  })

  it('SEC-12 lets no smaller one change the token, whatever else it knows', async () => {
    const form = [{ name: 'newtoken', value: 'taken' }]
    for (const role of ['viewer', 'operator'] as const)
      expect((await people[role]!.ask('POST', '/api/v1/admin/setup', { form })).status).toBe(403)
    expect((await ask(appliance.url, 'GET', `/api/v1/admin/version?token=${TOKEN}`)).status).toBe(200)
    const same = [{ name: 'newtoken', value: TOKEN }]
    expect((await people['administrator']!.ask('POST', '/api/v1/admin/setup', { form: same })).status).toBe(200)
  })
})

describe('SEC-06 the console’s own endpoints', () => {
  const own = declared('console', consoleEndpoints)

  it('are all in the table, which says who may', () => {
    expect(own.map(({ name }) => name).sort()).toEqual(Object.keys(CONSOLE).sort())
  })

  for (const target of own) {
    const row = CONSOLE[target.name]!
    it(`answer everybody as written down: ${target.name}`, async () => {
      for (const who of ['nobody', 'viewer', 'operator', 'administrator', 'token'] as const) {
        if (target.name === 'DELETE /console/session' && who !== 'nobody') continue
        const json = row.json === undefined ? {} : { json: row.json }
        const asked =
          who === 'nobody'
            ? ask(appliance.url, target.method, target.path, json)
            : people[who]!.ask(target.method, target.path, json)
        expect([who, (await asked).status]).toEqual([who, who === 'nobody' ? row.nobody : row.known])
      }
    })
  }

  it('know no other proof than the cookie', async () => {
    const { token } = await addCaller(appliance.folders, 'administrator', 'bearer')
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { cookie: `edge-admin=${people['token']!.cookie}` },
    ] as Record<string, string>[])
      expect((await ask(appliance.url, 'GET', '/console/overview', { headers })).status).toBe(401)
    expect((await ask(appliance.url, 'GET', `/console/overview?token=${TOKEN}`)).status).toBe(400)
  })

  it('are in no public document', async () => {
    for (const path of ['/api/v1/admin/openapi.json', '/api/v1/openapi.json'])
      expect(JSON.stringify((await ask(appliance.url, 'GET', path)).json)).not.toContain('/console')
  })
})

describe('SEC-10 a cookie that is nothing, or nothing any more', () => {
  const bogus = 'A'.repeat(43)
  const headers = { cookie: `${COOKIE}=${bogus}`, 'x-csrf-token': 'x' }
  const failures = () => {
    appliance.app.backOff.save()
    return appliance.read(join(appliance.folders.state, 'back-off.json'))
  }

  it('is no guess: it makes nobody wait', async () => {
    for (const cookie of [bogus, '', 'x', `${bogus}A`, people['viewer']!.cookie.toLowerCase()])
      for (let i = 0; i < 3; i++) {
        const answer = await ask(appliance.url, 'GET', '/api/v1/admin/version', {
          headers: { cookie: `${COOKIE}=${cookie}` },
        })
        expect([answer.status, answer.json['Error-Message']]).toEqual([403, 'Authentication error'])
        expect(events().at(-1)).toBe('auth.unauthorized')
      }
    expect(failures()).not.toContain('127.0.0.1')
    for (const path of ['/api/v1/users', '/console/tasks'])
      expect([path, (await ask(appliance.url, 'GET', path, { headers })).status]).toEqual([path, 401])
  })

  const VERSION = '/api/v1/admin/version'
  const BACKUP = '/api/v1/admin/backup'
  const form = ['token', 'action'].map((name) => ({ name, value: 'wrong' }))
  const ways: Record<string, (headers: Record<string, string>) => Promise<unknown>> = {
    'a token in the query': (headers) => ask(appliance.url, 'GET', `${VERSION}?token=wrong`, { headers }),
    'a hash in the query': (headers) => ask(appliance.url, 'GET', `${VERSION}?hash=wrong`, { headers }),
    'a token in a form': (headers) => ask(appliance.url, 'POST', BACKUP, { headers, form }),
  }
  for (const [what, guess] of Object.entries(ways))
    it(`spares nobody a guess: ${what} beside it counts`, async () => {
      for (const cookie of [bogus, people['administrator']!.cookie]) {
        appliance.app.backOff.succeed('127.0.0.1')
        for (let i = 0; i < 3; i++) await guess({ cookie: `${COOKIE}=${cookie}` })
        expect(events().at(-1)).toBe('token.authenticate.failed')
        expect(failures()).toContain('["127.0.0.1",3,')
      }
    })

  it('lets whoever is signed in go on where a script with an old token has to wait, and spares him no guess', async () => {
    for (let i = 0; i < 16; i++) appliance.app.backOff.fail('127.0.0.1')
    expect(appliance.app.backOff.wait('127.0.0.1')).toBeGreaterThan(0)
    const [me, viewer] = [people['administrator']!, people['viewer']!]
    const action = [{ name: 'action', value: 'x' }]
    const right = [{ name: 'token', value: TOKEN }, ...action]
    const setup = [{ name: 'newtoken', value: 'x' }]
    for (const [who, method, path, options, status] of [
      [me, 'GET', VERSION, {}, 200],
      [viewer, 'GET', VERSION, {}, 200],
      [me, 'POST', BACKUP, { form: action }, 400],
      [viewer, 'POST', BACKUP, { form: action }, 403],
      [viewer, 'GET', `${VERSION}?token=old`, {}, 429],
      [viewer, 'GET', `${VERSION}?token=${TOKEN}`, {}, 429],
      [viewer, 'GET', `${VERSION}?hash=old`, {}, 429],
      [viewer, 'POST', BACKUP, { form: right, csrf: null }, 429],
      [me, 'POST', '/api/v1/admin/setup', { form: setup }, 429],
    ] as const) {
      const answer = await who.ask(method, path, options as never)
      expect([method, path, options, answer.status]).toEqual([method, path, options, status])
      expect(appliance.app.backOff.wait('127.0.0.1')).toBeGreaterThan(0)
    }
    expect((await ask(appliance.url, 'GET', VERSION, { headers })).status).toBe(429)
  })

  it('stands in nobody’s way: the right token decides', async () => {
    for (const cookie of [bogus, people['viewer']!.cookie]) {
      const answer = await ask(appliance.url, 'POST', `/api/v1/admin/backup?token=${TOKEN}`, {
        headers: { cookie: `${COOKIE}=${cookie}` },
        form: [{ name: 'action', value: 'STOP' }],
      })
      // Another one may not have ended yet.
      expect([202, 409]).toContain(answer.status)
    }
    const { token } = await addCaller(appliance.folders, 'viewer', 'both')
    const both = { cookie: `${COOKIE}=${people['administrator']!.cookie}`, authorization: `Bearer ${token}` }
    const json = { username: 'nope', password: 'made-by-1-test' }
    expect((await ask(appliance.url, 'POST', '/api/v1/users', { headers: both, json })).status).toBe(403)
    const wrong = { ...both, authorization: 'Bearer wrong' }
    expect((await ask(appliance.url, 'GET', '/api/v1/users', { headers: wrong })).status).toBe(401)
  })

  it('opens nothing before set-up is done', async () => {
    const fresh = await startAppliance({ ...ON, token: null })
    try {
      const { json } = await ask(fresh.url, 'GET', '/console/session')
      expect(json.first_run).toEqual({ phrase: true, password: true })
      await addCaller(fresh.folders, 'administrator')
      const me = await signIn(fresh.url, { username: 'administrator', password: PASSWORD })
      expect((await me.ask('GET', '/api/v1/admin/version')).status).toBe(403)
      expect(browser(fresh.url, me.cookie, me.csrf).csrf).toBe(me.csrf)
    } finally {
      await fresh.close()
    }
  })
})
