// The life of accounts on the controller surface, as an administrator meets it. Logins cost a tenth of a second of a
// core each, so tests of other things take a token from `addCaller`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { UserStore } from '../../src/auth/users.ts'
import { runs } from '../harness/fuzz.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { raw } from './client.ts'
import { addCaller, ask, type Caller, logIn, ON, oneTimePassword, PASSWORD } from './controller.ts'

const USERS = '/api/v1/users'
let appliance: InProcess
let first: string
let admin: Caller
beforeAll(async () => {
  appliance = await startAppliance(ON)
  first = oneTimePassword(appliance.folders)
})
afterAll(() => appliance?.close())
beforeEach(async () => {
  new UserStore(appliance.folders).change((all) => all.splice(1))
  admin = await addCaller(appliance.folders, 'administrator', 'chief')
})

const as = (caller: Caller | string, method: string, path: string, json?: unknown) =>
  ask(appliance.url, method, path, {
    bearer: typeof caller === 'string' ? caller : caller.token,
    ...(json !== undefined && { json }),
  })
const works = async (token: string) => (await as(token, 'GET', USERS)).status
const make = (username: string, members: object = {}) =>
  as(admin, 'POST', USERS, { username, password: PASSWORD, ...members })
const audited = async (act: () => Promise<unknown>) => {
  const before = appliance.audit().length
  await act()
  return appliance
    .audit()
    .slice(before)
    .map((line) => line.split(',').slice(2, 6).join(','))
}

describe('the first administrator', () => {
  it('comes in with the one-time password, which only a file tells, and which goes with its change', async () => {
    const file = join(appliance.folders.state, 'admin.password')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(appliance.warnings.filter((text) => text.includes('admin.password'))).toHaveLength(1)
    expect(appliance.warnings.join()).not.toContain(first)
    for (const guess of ['admin', '', `${first}x`, first.slice(1)])
      expect((await logIn(appliance.url, 'admin', guess || 'x', { from: '127.0.2.1' })).status).toBe(401)
    const { status, json } = await logIn(appliance.url, 'ADMIN', first)
    expect([status, json.expires_in, json.user.username, json.user.role]).toEqual([
      200,
      86_400,
      'admin',
      'administrator',
    ])
    expect(Object.keys(json.user).sort()).toEqual(['active', 'created_at', 'id', 'role', 'updated_at', 'username'])

    expect((await as(json.token, 'PUT', `${USERS}/${json.user.id}`, { email: 'a@example.com' })).status).toBe(200)
    expect([await works(json.token), existsSync(file)]).toEqual([200, true])
    expect((await as(json.token, 'PUT', `${USERS}/${json.user.id}`, { password: PASSWORD })).status).toBe(200)
    expect([await works(json.token), existsSync(file)]).toEqual([401, false])
    expect((await logIn(appliance.url, 'admin', first)).status).toBe(401)
    expect((await logIn(appliance.url, 'admin', PASSWORD)).status).toBe(200)
  })
})

describe('a caller’s own password', () => {
  it('is changed by any role, ends the tokens there are, and gives a new one', async () => {
    const viewer = await addCaller(appliance.folders, 'viewer', 'reader')
    let fresh = ''
    const lines = await audited(async () => {
      const { status, json } = await as(viewer, 'PUT', '/api/v1/auth/password', {
        current: PASSWORD,
        password: 'another-1-word',
      })
      expect([status, Object.keys(json)]).toEqual([200, ['token', 'expires_in']])
      fresh = json.token
    })
    expect(lines).toEqual([`web,reader,auth.password,"users/${viewer.user.id}"`])
    expect([await works(viewer.token), await works(fresh)]).toEqual([401, 200])
    expect((await logIn(appliance.url, 'reader', PASSWORD)).status).toBe(401)
    expect((await logIn(appliance.url, 'reader', 'another-1-word')).status).toBe(200)
  })

  it('stays when the current one is wrong, and guessing it makes the address wait', async () => {
    const viewer = await addCaller(appliance.folders, 'viewer', 'guessed')
    const statuses: number[] = []
    for (let tries = 0; tries < 7; tries++) {
      const options = {
        bearer: viewer.token,
        json: { current: `wrong-guess-${tries}`, password: 'another-1-word' },
        from: '127.0.3.7',
      }
      statuses.push((await ask(appliance.url, 'PUT', '/api/v1/auth/password', options)).status)
    }
    expect(statuses.slice(0, 5)).toEqual([400, 400, 400, 400, 400])
    expect(statuses.at(-1)).toBe(429)
    expect((await logIn(appliance.url, 'guessed', PASSWORD)).status).toBe(200)
  })
})

describe('an account', () => {
  it('is made, shown, changed, used and removed, with one audit line for each', async () => {
    let id = ''
    const lines = await audited(async () => {
      const made = await make('worker', { email: 'w@example.com', role: 'operator' })
      id = made.json.id
      expect([made.status, made.headers.location]).toEqual([201, `${USERS}/${id}`])
      expect(made.json).toEqual({
        id: expect.stringMatching(/^user-[0-9a-f]{16}$/),
        username: 'worker',
        email: 'w@example.com',
        role: 'operator',
        active: true,
        created_at: expect.stringMatching(/Z$/),
        updated_at: made.json.created_at,
      })
      expect((await as(admin, 'GET', `${USERS}/${id}`)).json).toEqual(made.json)
      expect((await as(admin, 'GET', USERS)).json.map(({ username }: { username: string }) => username)).toEqual([
        'admin',
        'chief',
        'worker',
      ])
      const { token } = (await logIn(appliance.url, 'worker', PASSWORD)).json
      expect((await as(token, 'POST', '/api/v1/auth/logout')).json).toEqual({ message: 'logged out' })
      expect(await audited(async () => expect(await works(token)).toBe(401))).toEqual([
        'web,nobody,auth.unauthorized,"api/v1/users"',
      ])
      expect((await as(admin, 'PUT', `${USERS}/${id}`, { role: 'viewer', active: false })).json).toMatchObject({
        role: 'viewer',
        active: false,
        email: 'w@example.com',
      })
      expect((await logIn(appliance.url, 'worker', PASSWORD)).status).toBe(401)
      expect((await as(admin, 'DELETE', `${USERS}/${id}`)).status).toBe(200)
      expect((await as(admin, 'GET', `${USERS}/${id}`)).status).toBe(404)
    })
    expect(lines).toEqual([
      `web,chief,users.create,"users/${id}"`,
      `web,worker,auth.login,"users/${id}"`,
      `web,worker,auth.logout,"users/${id}"`,
      'web,nobody,auth.unauthorized,"api/v1/users"',
      `web,chief,users.update,"users/${id}"`,
      'web,worker,auth.login.failed,"api/v1/auth/login"',
      `web,chief,users.delete,"users/${id}"`,
    ])
  })

  it('is a viewer when nothing else is said', async () => {
    expect((await make('worker')).json.role).toBe('viewer')
  })

  it('has a name of its own, in whatever case', async () => {
    const twice = await make('Chief')
    expect([twice.status, twice.json]).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: 'The user name is taken',
        details: 'username',
        errors: [{ field: 'username', message: 'The user name is taken' }],
      },
    ])
    const all = await Promise.all(Array.from({ length: 5 }, () => make('racer')))
    expect(all.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
  })

  it('loses its tokens with a new password, another role or its active flag, and with nothing else', async () => {
    const { json } = await make('worker')
    const path = `${USERS}/${json.id}`
    const changes: [object, number][] = [
      [{}, 200],
      [{ email: 'new@example.com' }, 200],
      [{ role: 'viewer', active: true }, 200],
      [{ role: 'operator' }, 401],
      [{ password: `${PASSWORD}2` }, 401],
      [{ active: false }, 401],
    ]
    for (const [change, after] of changes) {
      const password = change === changes[5]![0] ? `${PASSWORD}2` : PASSWORD
      const { token } = (await logIn(appliance.url, 'worker', password)).json
      expect((await as(admin, 'PUT', path, change)).status).toBe(200)
      expect([change, await works(token)]).toEqual([change, after])
    }
    // Not even when what it had comes back.
    const { token } = await addCaller(appliance.folders, 'viewer', 'flag')
    const id = new UserStore(appliance.folders).byName('flag')!.id
    for (const active of [false, true]) await as(admin, 'PUT', `${USERS}/${id}`, { active })
    expect(await works(token)).toBe(401)
  })

  it('that is the caller’s own is not deleted, and the last administrator stays one', async () => {
    const own = await as(admin, 'DELETE', `${USERS}/${admin.user.id}`)
    expect([own.status, own.json.code]).toEqual([400, 'BAD_REQUEST'])
    const { id } = new UserStore(appliance.folders).byName('admin')!
    expect((await as(admin, 'DELETE', `${USERS}/${id}`)).status).toBe(200)
    for (const change of [{ role: 'viewer' }, { active: false }, { role: 'operator', password: 'another-1-word' }]) {
      const last = await as(admin, 'PUT', `${USERS}/${admin.user.id}`, change)
      expect([last.status, last.json]).toEqual([
        409,
        { code: 'CONFLICT', message: 'The last active administrator must remain' },
      ])
    }
    expect(await works(admin.token)).toBe(200)
    // The first account again, for the next test.
    new UserStore(appliance.folders).change((all) => all.unshift({ ...all[0]!, id, username: 'admin' }))
  })

  it('that two administrators take from each other at once leaves one of them', async () => {
    new UserStore(appliance.folders).change((all) => all.splice(0, 1, { ...all[0]!, role: 'viewer' }))
    const other = await addCaller(appliance.folders, 'administrator', 'deputy')
    const answers = await Promise.all([
      as(admin, 'PUT', `${USERS}/${other.user.id}`, { role: 'viewer', password: 'a-new-word-1' }),
      as(other, 'PUT', `${USERS}/${admin.user.id}`, { role: 'viewer', password: 'a-new-word-1' }),
    ])
    // Whoever came second is no administrator any more when its hash is ready.
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    const left = new UserStore(appliance.folders).all().filter(({ role }) => role === 'administrator')
    expect(left).toHaveLength(1)
    new UserStore(appliance.folders).change((all) => Object.assign(all[0]!, { role: 'administrator' }))
  })
})

describe('SEC-33 many writers at once', () => {
  it('lose nothing: 50 accounts made, changed, and half of them removed, in parallel', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `writer-${i}`)
    const made = await Promise.all(names.map((name) => make(name)))
    expect(made.map(({ status }) => status)).toEqual(names.map(() => 201))
    const list = async () => (await as(admin, 'GET', USERS)).json as { id: string; username: string; email?: string }[]
    expect(new Set((await list()).map(({ username }) => username))).toEqual(new Set(['admin', 'chief', ...names]))
    const changed = await Promise.all(
      made.map(({ json: { id } }, i) =>
        i % 2
          ? as(admin, 'DELETE', `${USERS}/${id}`)
          : as(admin, 'PUT', `${USERS}/${id}`, { email: `w${i}@example.com` }),
      ),
    )
    expect(changed.map(({ status }) => status)).toEqual(names.map(() => 200))
    expect((await list()).slice(2).map(({ username, email }) => `${username} ${email}`)).toEqual(
      names.flatMap((name, i) => (i % 2 ? [] : [`${name} w${i}@example.com`])).sort((a, b) => order(a) - order(b)),
    )
    expect(readdirSync(appliance.folders.state).filter((name) => name.startsWith('.'))).toEqual([])
  })
  // Hashes end in any order, and so do the accounts in the file.
  const order = (line: string) =>
    new UserStore(appliance.folders).all().findIndex(({ username }) => username === line.split(' ')[0])
})

describe('SEC-10 failed logins', () => {
  it('make their address wait, and nobody else', async () => {
    const from = '127.0.3.1'
    const wrong = () => logIn(appliance.url, 'chief', 'wrong-1-word', { from })
    for (let i = 0; i < 6; i++) {
      const { status, json } = await wrong()
      expect([status, json]).toEqual([401, { code: 'UNAUTHORIZED', message: 'Wrong user name or password' }])
    }
    const lines = await audited(async () => {
      const { status, headers, json } = await logIn(appliance.url, 'chief', PASSWORD, { from })
      expect([status, headers['retry-after'], json.code]).toEqual([429, '1', 'TOO_MANY_REQUESTS'])
    })
    expect(lines).toEqual(['web,nobody,auth.login.backoff,"api/v1/auth/login"'])
    expect((await logIn(appliance.url, 'chief', PASSWORD, { from: '127.0.3.2' })).status).toBe(200)
    // A token that is in force is no login.
    expect((await ask(appliance.url, 'GET', USERS, { bearer: admin.token, from })).status).toBe(200)
  })

  it('look the same for a wrong password, an unknown account and an inactive one', async () => {
    const sleeper = await addCaller(appliance.folders, 'viewer', 'sleeper')
    await as(admin, 'PUT', `${USERS}/${sleeper.user.id}`, { active: false })
    const answers = await Promise.all([
      logIn(appliance.url, 'chief', 'wrong-1-word', { from: '127.0.5.1' }),
      logIn(appliance.url, 'who-is-it', PASSWORD, { from: '127.0.5.2' }),
      logIn(appliance.url, 'sleeper', PASSWORD, { from: '127.0.5.3' }),
      logIn(appliance.url, '\n"; DROP', PASSWORD, { from: '127.0.5.4' }),
    ])
    for (const { status, json } of answers)
      expect([status, json]).toEqual([401, { code: 'UNAUTHORIZED', message: 'Wrong user name or password' }])
  })
})

describe('bad input', () => {
  const good = { username: 'worker', password: PASSWORD }
  const refused: [string, unknown, string | undefined][] = [
    ['an empty object', {}, 'username'],
    ['no password', { username: 'worker' }, 'password'],
    ['a list', [], undefined],
    ['text', 'worker', undefined],
    ['null', null, undefined],
    ['an unknown member', { ...good, admin: true }, 'admin'],
    ['a stored member', { ...good, hash: 'x' }, 'hash'],
    ['a constructor', { ...good, constructor: { prototype: {} } }, 'constructor'],
    ['a name that is too short', { ...good, username: 'ab' }, 'username'],
    ['a reserved name', { ...good, username: 'nobody' }, 'username'],
    ['a name with a line end', { ...good, username: 'wor\nker' }, 'username'],
    ['a name that is a list', { ...good, username: ['worker'] }, 'username'],
    ['a password without a digit', { ...good, password: 'only-letters' }, 'password'],
    ['a password that is too long', { ...good, password: `1${'a'.repeat(128)}` }, 'password'],
    ['a password with a zero', { ...good, password: 'good-word-1\0' }, 'password'],
    ['an address that is none', { ...good, email: 'nowhere' }, 'email'],
    ['another role', { ...good, role: 'root' }, 'role'],
    ['a role in capitals', { ...good, role: 'Administrator' }, 'role'],
  ]
  for (const [what, json, field] of refused) {
    it(`is refused with the field that is wrong: ${what}`, async () => {
      const before = appliance.read(join(appliance.folders.state, 'users.json'))
      const lines = await audited(async () => {
        const answer = await as(admin, 'POST', USERS, json)
        expect([answer.status, answer.json.code, answer.json.details]).toEqual([400, 'VALIDATION_ERROR', field])
      })
      expect(lines).toEqual(['web,chief,users.create.refused,"400"'])
      expect(appliance.read(join(appliance.folders.state, 'users.json'))).toBe(before)
    })
  }

  const JSON_TYPE = { 'content-type': 'application/json' }
  const bodies: [string, string | Buffer, Record<string, string>, number][] = [
    ['half of it', '{"username":', JSON_TYPE, 400],
    ['nothing', '', JSON_TYPE, 400],
    [
      'a prototype',
      '{"username":"worker","password":"a-good-1-word","__proto__":{"role":"administrator"}}',
      JSON_TYPE,
      400,
    ],
    ['a prototype further down', '{"username":{"a":[{"__proto__":1}]}}', JSON_TYPE, 400],
    ['an escaped prototype', '{"\\u005f_proto__":1}', JSON_TYPE, 400],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0xfe, 0x22]), JSON_TYPE, 400],
    ['30 000 brackets', '['.repeat(30_000), JSON_TYPE, 400],
    ['30 000 nested lists', '['.repeat(30_000) + ']'.repeat(30_000), JSON_TYPE, 400],
    ['10 MB', `"${'x'.repeat(10_000_000)}"`, JSON_TYPE, 413],
    ['one byte too much', `"${'x'.repeat(65_535)}"`, JSON_TYPE, 413],
    ['another type', '{}', { 'content-type': 'text/plain' }, 415],
    ['another alphabet', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415],
    ['a form', 'username=worker', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['no type', '{}', {}, 415],
    ['a packed body', '{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415],
    ['too much in chunks', `"${'x'.repeat(100_000)}"`, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, 413],
  ]
  for (const [what, body, headers, status] of bodies) {
    it(`is refused as a whole: ${what}`, async () => {
      const codes: Record<number, string> = {
        400: 'BAD_REQUEST',
        413: 'PAYLOAD_TOO_LARGE',
        415: 'UNSUPPORTED_MEDIA_TYPE',
      }
      const lines = await audited(async () => {
        const answer = await ask(appliance.url, 'POST', USERS, { bearer: admin.token, body, headers })
        expect([answer.status, answer.json.code]).toEqual([status, codes[status]])
      })
      expect(lines).toEqual([`web,chief,users.create.refused,"${status}"`])
      expect(await works(admin.token)).toBe(200)
    })
  }

  it('SEC-15 is refused before it is sent, by a stranger and by its size', async () => {
    const head = (bearer: string, length: number) =>
      `POST ${USERS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nAuthorization: Bearer ${bearer}\r\n\r\n`
    const first = async (bearer: string, length: number) =>
      (await raw(appliance.url, head(bearer, length), { enough: (text) => text.includes('\r\n\r\n') })).slice(9, 12)
    expect(await first('x.y.z', 20)).toBe('401')
    expect(await first(admin.token, 10_000_000)).toBe('413')
    expect(await first(admin.token, 20)).toBe('100')
  })

  it('that stops coming is given up', async () => {
    const slow = await startAppliance({ config: { ...ON.config, limits: { 'idle-seconds': 1 } } })
    try {
      const start =
        'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'
      const answer = await raw(slow.url, start)
      expect(answer.slice(9, 12)).toBe('408')
      expect(answer).toContain('"code":"REQUEST_TIMEOUT"')
    } finally {
      await slow.close()
    }
  })

  it('in the path is not found or refused, and never more', async () => {
    const ids = [
      '..',
      '.',
      '%2e%2e',
      'user-1%2f..',
      'a%00',
      '%252f',
      'a b',
      'é',
      '-x',
      'x'.repeat(65),
      'user-0000000000000000',
    ]
    for (const id of ids) {
      const { status } = await as(admin, 'GET', `${USERS}/${id.replace(' ', '%20').replace('é', '%C3%A9')}`)
      expect([id, [400, 404].includes(status)]).toEqual([id, true])
    }
    const lost = await as(admin, 'GET', `${USERS}/user-0000000000000000`)
    expect([lost.status, lost.json]).toEqual([
      404,
      { code: 'NOT_FOUND', message: 'user not found', details: 'user-0000000000000000' },
    ])
  })

  it('of any shape is refused or does exactly what it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 40 }), async (value, name) => {
        for (const json of [
          value,
          { username: name, password: 'x' },
          { username: 'worker', password: PASSWORD, email: name },
        ]) {
          const { status, json: answer } = await as(admin, 'POST', USERS, json)
          if (status === 201) {
            expect(answer.email).toBe(name)
            await as(admin, 'DELETE', `${USERS}/${answer.id}`)
          } else expect([status, typeof answer.message]).toEqual([400, 'string'])
        }
      }),
      { numRuns: runs(150) },
    )
  })

  it('of a wrong method names the right ones', async () => {
    const { status, headers, json } = await as(admin, 'PATCH', USERS)
    expect([status, headers.allow, json.code]).toEqual([405, 'GET, POST, HEAD', 'METHOD_NOT_ALLOWED'])
    expect((await as(admin, 'GET', '/api/v1/auth/login')).status).toBe(405)
  })
})

describe('SEC-13 secrets', () => {
  it('are in no audit line, no warning and no answer', async () => {
    const canary = 'canary-7-bird'
    const token = (await logIn(appliance.url, 'chief', PASSWORD)).json.token as string
    await make('worker', { password: canary })
    await logIn(appliance.url, canary, canary, { from: '127.0.6.1' })
    await as(admin, 'POST', USERS, { username: 'x', password: canary })
    const list = JSON.stringify((await as(admin, 'GET', USERS)).json)
    const hash = new UserStore(appliance.folders).byName('worker')!.hash
    const said = [...appliance.audit(), ...appliance.warnings, list].join('\n')
    for (const secret of [canary, token, PASSWORD, first, hash, 'scrypt$']) expect(said).not.toContain(secret)
    expect(readFileSync(join(appliance.folders.state, 'users.json'), 'utf8')).not.toContain(canary)
  })
})

describe('/healthz', () => {
  it('says that the server answers, and with which request', async () => {
    const { status, headers, json } = await ask(appliance.url, 'GET', '/healthz')
    expect([status, json]).toEqual([200, { status: 'ok', ts: headers['x-request-id'] }])
  })
})
