// Signing in to the console, and everything that ends a session. The clock is the test's own; a real one would have to
// be waited for.
import { lstatSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance, startServer, TOKEN } from './appliance.ts'
import { file, multipart, until } from './client.ts'
import { type Browser, browser, type Clock, COOKIE, clock, cookieOf, readSessions, signIn } from './console.ts'
import { addCaller, ask, logIn, ON, oneTimePassword, PASSWORD } from './controller.ts'

const HOUR = 3600
let appliance: InProcess
let time: Clock
async function begin(options = {}): Promise<void> {
  time = clock()
  appliance = await startAppliance({ ...ON, now: time.now, ...options })
  await addCaller(appliance.folders, 'operator')
}
const enter = (json: object = { username: 'operator', password: PASSWORD }) => signIn(appliance.url, json)
const state = async (me: Browser) => (await me.ask('GET', '/console/session')).json.session
const isIn = async (me: Browser) => (await me.ask('GET', '/console/tasks', { headers: { 'x-background': '1' } })).status
const lastAudit = () => appliance.audit().at(-1)?.split(',').slice(3, 6).join(',')

describe('signing in', () => {
  beforeAll(() => begin())
  afterAll(() => appliance?.close())

  it('SEC-23 gives a cookie that no script and no other site has, and what changes need beside it', async () => {
    const json = { username: 'operator', password: PASSWORD }
    const answer = await ask(appliance.url, 'POST', '/console/session', { json })
    expect(answer.status).toBe(201)
    const [header = '', ...more] = answer.headers['set-cookie'] ?? []
    expect([header.replace(/=[A-Za-z0-9_-]{43};/, '=VALUE;'), more]).toEqual([
      `${COOKIE}=VALUE; Path=/; Secure; HttpOnly; SameSite=Strict`,
      [],
    ])
    expect(answer.json.session).toEqual({
      ...{ name: 'operator', role: 'operator', via: 'account', idle_seconds: 1800, one_time: false },
      csrf: expect.stringMatching(/^[0-9a-f]{64}$/),
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    expect(Date.parse(answer.json.session.expires_at) - Date.now()).toBeGreaterThan((12 * HOUR - 60) * 1000)
    const value = cookieOf(answer)
    expect(JSON.stringify(answer.json)).not.toContain(value)
    const file = join(appliance.folders.state, 'sessions.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const kept = readFileSync(file, 'utf8')
    for (const secret of [value, answer.json.session.csrf, PASSWORD]) expect(kept).not.toContain(secret)
    expect(lastAudit()).toMatch(/^operator,auth\.login,"users\/user-/)
  })

  it('opens all three surfaces, each for whom it knows', async () => {
    const operator = await enter()
    for (const path of ['/api/v1/users', '/api/v1/admin/version', '/console/tasks', '/console/session'])
      expect([path, (await operator.ask('GET', path)).status]).toEqual([path, 200])
    await addCaller(appliance.folders, 'administrator')
    const admin = await enter({ username: 'administrator', password: PASSWORD })
    const made = { username: 'made', password: 'made-by-1-test' }
    expect((await admin.ask('POST', '/api/v1/users', { json: made })).status).toBe(201)
    expect((await admin.ask('GET', '/api/v1/admin/endpoints')).status).toBe(200)
    const token = await enter({ token: TOKEN })
    expect(await state(token)).toMatchObject({ name: 'admin', role: 'administrator', via: 'token' })
    expect((await token.ask('GET', '/api/v1/admin/version')).status).toBe(200)
    expect((await token.ask('GET', '/api/v1/users')).status).toBe(401)
  })

  it('tells what this appliance has, whoever asks', async () => {
    const { status, json, headers } = await ask(appliance.url, 'GET', '/console/session')
    expect([status, headers['cache-control'], json]).toEqual([
      200,
      'no-store',
      {
        ...{ version: '0.0.0-test', controller: true, confirm_destroy: false, file_vdevs: true },
        endpoints: ['settings', 'certs', 'license', 'storage', 'backup'],
        ...{ first_run: null, session: null },
      },
    ])
    const first = await enter({ username: 'admin', password: oneTimePassword(appliance.folders) })
    expect(await state(first)).toMatchObject({ name: 'admin', one_time: true })
  })

  it('is refused in the same words and time whatever is wrong, and is entered once', async () => {
    const wrong = (json: object) => ask(appliance.url, 'POST', '/console/session', { json, from: '127.0.0.7' })
    for (const [json, event, actor] of [
      [{ username: 'operator', password: 'no' }, 'auth.login.failed', 'operator'],
      [{ username: 'nobody-here', password: 'no' }, 'auth.login.failed', 'nobody'],
      [{ token: 'no' }, 'auth.login.failed', 'nobody'],
    ] as const) {
      const before = appliance.audit().length
      const answer = await wrong(json)
      const message = 'token' in json ? 'Wrong token' : 'Wrong user name or password'
      expect([answer.status, answer.json]).toEqual([401, { code: 'UNAUTHORIZED', message }])
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(appliance.audit().length).toBe(before + 1)
      expect(lastAudit()).toBe(`${actor},${event},"console/session"`)
    }
    for (const json of [
      {},
      { username: 'operator' },
      { token: TOKEN, username: 'a' },
      { token: TOKEN, password: 'a' },
      { token: 7 },
    ])
      expect([json, (await wrong(json)).status]).toEqual([json, 400])
  })

  it('SEC-10 makes who guesses wait, with the counters of every other door', async () => {
    const from = '127.0.0.8'
    const account = (json: object, more = {}) => ask(appliance.url, 'POST', '/console/session', { json, from, ...more })
    // Twelve failures: a wait that is surely not over when the next question comes.
    for (let i = 0; i < 12; i++) appliance.app.backOff.fail(from)
    const token = await account({ token: TOKEN })
    expect([token.status, token.headers['retry-after']]).toEqual([429, expect.stringMatching(/^[1-9]/)])
    expect(lastAudit()).toBe('nobody,auth.login.backoff,"console/session"')
    expect((await account({ token: TOKEN }, { from: '127.0.0.3' })).status).toBe(201)
    const guess = { username: 'operator', password: 'guess' }
    const guesses = await Promise.all(Array.from({ length: 12 }, () => account(guess)))
    expect(
      guesses
        .map(({ status }) => status)
        .sort()
        .slice(0, 6),
    ).toEqual(Array(6).fill(401))
    expect(guesses.some(({ status }) => status === 429)).toBe(true)
    // The login of the controller counts the same guesses.
    await Promise.all(Array.from({ length: 6 }, () => logIn(appliance.url, 'operator', 'guess', { from: '127.0.0.6' })))
    expect((await account(guess, { from: '127.0.0.6' })).status).toBe(429)
    appliance.app.backOff.fail('127.0.0.5')
    await account({ token: 'wrong' }, { from: '127.0.0.5' })
    appliance.app.backOff.save()
    expect(appliance.read(join(appliance.folders.state, 'back-off.json'))).toContain('["127.0.0.5",2,')
  })

  it('again ends the session that the browser had', async () => {
    const first = await enter()
    const headers = { cookie: `${COOKIE}=${first.cookie}`, 'x-csrf-token': first.csrf }
    const second = await signIn(appliance.url, { token: TOKEN }, { headers })
    expect([await isIn(first), await isIn(second)]).toEqual([401, 200])
  })
})

describe('a session', () => {
  beforeEach(() => begin())
  afterEach(() => appliance?.close())

  it('ends when nobody asks for half an hour, and not before', async () => {
    const me = await enter()
    for (let i = 0; i < 3; i++) {
      time.forward(1795)
      expect(await state(me)).not.toBeNull()
    }
    time.forward(1801)
    expect(await state(me)).toBeNull()
    expect(await isIn(me)).toBe(401)
    expect(readSessions(appliance.folders)).toEqual([])
  })

  it('is not kept alive by what a page does by itself', async () => {
    const me = await enter()
    time.forward(1000)
    expect(await isIn(me)).toBe(200)
    const events = await me.ask('GET', '/console/events')
    expect((await me.ask('GET', '/api/v1/jobs/events')).status).toBe(200)
    time.forward(900)
    expect([events.status, await isIn(me)]).toEqual([200, 401])
  })

  it('ends after as long as the configuration says', async () => {
    await appliance.close()
    const surfaces = { ...(ON.config?.['surfaces'] as object), console: { enabled: true, 'idle-minutes': 2 } }
    await begin({ config: { surfaces } })
    const me = await enter()
    expect(await state(me)).toMatchObject({ idle_seconds: 120 })
    time.forward(121)
    expect(await isIn(me)).toBe(401)
  })

  it('ends twelve hours after it began, however busy', async () => {
    const me = await enter()
    for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
      time.forward(20 * 60)
      expect([minutes, (await state(me)) !== null]).toEqual([minutes, true])
    }
    time.forward(20 * 60)
    expect(await state(me)).toBeNull()
  })

  it('does not live longer by a clock that is set back', async () => {
    const me = await enter()
    time.forward(-HOUR)
    expect(await isIn(me)).toBe(401)
  })

  it('ends with a sign-out, for good, and the browser forgets it', async () => {
    const [me, other] = [await enter(), await enter()]
    const answer = await me.ask('DELETE', '/console/session')
    expect([answer.status, answer.headers['set-cookie']]).toEqual([
      200,
      [`${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`],
    ])
    expect(lastAudit()).toMatch(/^operator,auth\.logout,"users\/user-/)
    expect([await isIn(me), await isIn(other), readSessions(appliance.folders).length]).toEqual([401, 200, 1])
    expect((await me.ask('DELETE', '/console/session')).status).toBe(401)
  })

  it('begins nothing with an upload that ended after it', async () => {
    const json = { username: 'administrator', password: PASSWORD }
    await addCaller(appliance.folders, 'administrator')
    const [me, other] = [await enter(json), await enter(json)]
    const tasks = () => appliance.app.tasks.list().length
    const before = tasks()
    const { type, body } = multipart([file('settings', '{"network":{"hostname":"late","interface":"eth0"},"app":{}}')])
    const upload = request(`${appliance.url}/api/v1/admin/settings`, {
      method: 'POST',
      headers: {
        'content-type': type,
        'content-length': body.length,
        cookie: `${COOKIE}=${me.cookie}`,
        'x-csrf-token': me.csrf,
      },
    })
    const status = new Promise<number | undefined>((resolve, reject) => {
      upload.once('response', (answer) => resolve(answer.resume().statusCode))
      upload.once('error', reject)
    })
    const half = body.length - 20
    upload.write(body.subarray(0, half))
    await until('the file arrives', () => appliance.incoming().length > 0)
    expect((await me.ask('DELETE', '/console/session')).status).toBe(200)
    upload.end(body.subarray(half))
    expect(await status).toBe(403)
    expect([lastAudit(), tasks(), appliance.incoming()]).toEqual([
      'admin,auth.unauthorized,"api/v1/admin/settings"',
      before,
      [],
    ])
    expect(await isIn(other)).toBe(200)
  })

  it('ends with a logout of the controller', async () => {
    const me = await enter()
    expect((await me.ask('POST', '/api/v1/auth/logout')).status).toBe(200)
    expect(await isIn(me)).toBe(401)
  })

  it('ends when its account gets another password, role or state, or goes', async () => {
    const admin = await addCaller(appliance.folders, 'administrator')
    const bearer = admin.token
    const change = (method: string, id: string, json?: object) =>
      ask(appliance.url, method, `/api/v1/users/${id}`, { bearer, ...(json && { json }) })
    const cases: [string, string, object?][] = [
      ['changed', 'PUT', { password: 'another-1-word' }],
      ['demoted', 'PUT', { role: 'operator' }],
      ['stopped', 'PUT', { active: false }],
      ['removed', 'DELETE'],
    ]
    for (const [name, method, json] of cases) {
      const { user } = await addCaller(appliance.folders, 'viewer', name)
      const me = await enter({ username: name, password: PASSWORD })
      expect([name, await isIn(me)]).toEqual([name, 200])
      expect((await change(method, user.id, json)).status).toBe(200)
      expect([name, await isIn(me)]).toEqual([name, 401])
    }
    const mail = await enter()
    expect((await mail.ask('GET', '/api/v1/users')).status).toBe(200)
  })

  it('ends with its own password, and no script reads a token instead', async () => {
    const [me, other] = [await enter(), await enter()]
    const json = { current: PASSWORD, password: 'my-own-1-word' }
    const answer = await me.ask('PUT', '/api/v1/auth/password', { json })
    expect([answer.status, answer.json]).toEqual([200, { expires_in: 0 }])
    expect([await isIn(me), await isIn(other)]).toEqual([401, 401])
    expect(await isIn(await enter({ username: 'operator', password: 'my-own-1-word' }))).toBe(200)
  })

  it('of the token ends when the token changes, those of accounts do not', async () => {
    const [me, account] = [await enter({ token: TOKEN }), await enter()]
    const form = [{ name: 'newtoken', value: 'another-token' }]
    expect((await me.ask('POST', '/api/v1/admin/setup', { form })).status).toBe(200)
    expect([await isIn(me), await isIn(account)]).toEqual([401, 200])
    expect(await isIn(await enter({ token: 'another-token' }))).toBe(200)
    rmSync(join(appliance.folders.root, 'etc/api.token'))
    expect(await isIn(me)).toBe(401)
  })

  it('makes room: of one account the seventeenth ends the oldest, of all the sixty-fifth', async () => {
    const mine = []
    for (let i = 0; i < 17; i++) mine.push(await enter({ token: TOKEN }))
    expect([await isIn(mine[0]!), await isIn(mine[1]!), await isIn(mine[16]!)]).toEqual([401, 200, 200])
    // Scrypt takes its time: what an account's sessions are is written down instead.
    const file = join(appliance.folders.state, 'sessions.json')
    const [one] = JSON.parse(readFileSync(file, 'utf8'))
    await appliance.close()
    const many = Array.from({ length: 64 }, (_, i) => ({ ...one, id: `id-${i}`, cookie: `cookie-${i}`, key: one.key }))
    await begin({
      prepare: ({ state: folder }: { state: string }) =>
        writeFileSync(join(folder, 'sessions.json'), JSON.stringify(many)),
    })
    await enter()
    const left = readSessions(appliance.folders)
    expect([left.length, left[0]?.['id']]).toEqual([64, 'id-1'])
  })

  it('is not written down each time that it is used', async () => {
    const file = join(appliance.folders.state, 'sessions.json')
    const me = await enter()
    const seen = () => readSessions(appliance.folders)[0]?.['seen'] as number
    const inode = statSync(file).ino
    const first = seen()
    for (let i = 0; i < 5; i++) {
      time.forward(10)
      await state(me)
    }
    expect([statSync(file).ino, seen()]).toEqual([inode, first])
    time.forward(15)
    await state(me)
    expect(seen() - first).toBeGreaterThanOrEqual(60)
  })

  it('goes on when it cannot be written down, but does not come back with the next start', async () => {
    const file = join(appliance.folders.state, 'sessions.json')
    const [me, other] = [await enter(), await enter()]
    // What a link leads to is read at a start, and never written over.
    renameSync(file, `${file}.elsewhere`)
    symlinkSync(`${file}.elsewhere`, file)
    expect((await other.ask('DELETE', '/console/session')).status).toBe(200)
    expect([await isIn(me), await isIn(other)]).toEqual([200, 401])
    expect(appliance.warnings.join()).toContain('the sessions of the console could not be stored')
    expect(lstatSync(file, { throwIfNoEntry: false })).toBeUndefined()
    time.forward(61)
    await state(me)
    expect(readSessions(appliance.folders)).toHaveLength(1)
  })
})

describe('a restart of the server', () => {
  it('signs nobody out, but whose session is over', async () => {
    const server = await startServer(ON)
    await addCaller(server.folders, 'operator')
    const me = await signIn(server.url, { username: 'operator', password: PASSWORD })
    const gone = await signIn(server.url, { token: TOKEN })
    await gone.ask('DELETE', '/console/session')
    await server.kill('SIGKILL')
    const next = await server.again()
    try {
      const [again, over] = [browser(next.url, me.cookie, me.csrf), browser(next.url, gone.cookie, gone.csrf)]
      expect(await state(again)).toMatchObject({ name: 'operator', csrf: me.csrf })
      expect((await again.ask('DELETE', '/console/session')).status).toBe(200)
      expect(await isIn(over)).toBe(401)
    } finally {
      await next.close()
    }
  })

  it('lets nobody in by a file that is damaged', async () => {
    for (const text of ['{', '[null,7,"x",{}]', '[{"id":"a","cookie":"b","began":1,"seen":1}]', '{"a":1}']) {
      const one = await startAppliance({
        prepare: ({ state: folder }) => writeFileSync(join(folder, 'sessions.json'), text),
      })
      const me = await signIn(one.url, { token: TOKEN })
      expect([text, await isIn(me), readSessions(one.folders).length]).toEqual([text, 200, 1])
      await one.close()
    }
  })
})

describe('the switch', () => {
  it('leaves nothing behind it when it is off', async () => {
    const off = await startAppliance({ config: { surfaces: { console: { enabled: false } } } })
    try {
      for (const path of ['/console/session', '/console/app.js', '/console/tasks', '/console'])
        expect([path, (await ask(off.url, 'GET', path)).json]).toMatchObject([path, { Status: '404 Not Found' }])
      const login = await ask(off.url, 'POST', '/console/session', { json: { token: TOKEN } })
      expect([login.status, off.read(join(off.folders.state, 'sessions.json'))]).toEqual([404, ''])
    } finally {
      await off.close()
    }
  })
})
