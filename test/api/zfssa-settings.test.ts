// The https service and the rules for passwords, as the ZFSSA guide has them (../shared/seeds/zfssa-rest.txt), and what
// they change: the port itself, HSTS of every surface, sessions that exist, and passwords on every surface.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserStore } from '../../src/auth/users.ts'
import { HttpsSettings } from '../../src/features/https/https.ts'
import { MaintenanceMode } from '../../src/features/maintenance/maintenance.ts'
import { listen } from '../../src/http/server/listener.ts'
import { TestClock } from '../harness/clock.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, ask, logIn, PASSWORD } from './controller.ts'
import { type Auth, account, asks, session } from './zfssa.ts'

const HTTPS = '/api/service/v1/services/https'
const RULES = '/api/setting/v2/password'
const surfaces = { zfssa: { enabled: true }, controller: { enabled: true, 'requests-per-minute': 0 } }
const administrator: Auth = { basic: 'administrator' }

let clock: TestClock
let box: InProcess
const start = async (options: object = {}) => {
  clock = new TestClock()
  box = await startAppliance({ config: { surfaces }, clock, ...options })
  await account(box, 'administrator')
}
afterEach(() => box.close())
const put = (path: string, json: unknown, auth: Auth = administrator) => asks(box, 'PUT', path, { auth, json })
const get = async (path: string) => (await asks(box, 'GET', path, { auth: administrator })).json

describe('the https service', () => {
  beforeEach(() => start())
  const DEFAULT = {
    service: {
      href: HTTPS,
      '<status>': 'online',
      tls_version: 'default',
      // This port is without TLS.
      tls_served: '',
      permit_root_login: true,
      session_timeout: 15,
      hsts_enable: true,
      hsts_max_age: 31_536_000,
    },
  }

  it('shows what is in force', async () => {
    expect(await get(HTTPS)).toEqual(DEFAULT)
  })

  it('takes the guide’s examples', async () => {
    const timeout = await put(HTTPS, { session_timeout: 5 })
    expect([timeout.status, timeout.json]).toEqual([202, { service: { ...DEFAULT.service, session_timeout: 5 } }])
    expect(timeout.headers).toMatchObject({ 'x-zfssa-service-api': '1.1', 'x-zfssa-api-version': '1.0' })
    const versions = await put(HTTPS, { tls_version: ['TLSv1.0', 'TLSv1.1', 'TLSv1.2'] })
    expect([versions.status, versions.json.service]).toEqual([
      202,
      expect.objectContaining({ tls_version: 'TLSv1 TLSv1.1 TLSv1.2', session_timeout: 5 }),
    ])
  })

  it('applies a new session timeout to the sessions that exist', async () => {
    const auth = { session: await session(box, 'administrator') }
    const works = async () => (await asks(box, 'GET', HTTPS, { auth })).status
    clock.pass(6 * 60_000)
    expect(await works()).toBe(200)
    await put(HTTPS, { session_timeout: 5 })
    clock.pass(5 * 60_000)
    expect(await works()).toBe(401)
  })

  it('sets HSTS of every surface', async () => {
    const hsts = async (path: string) => (await asks(box, 'GET', path)).headers['strict-transport-security']
    const all = async () => [await hsts(HTTPS), await hsts('/api/v1/pools'), await hsts('/api/v1/admin/version')]
    expect(await all()).toEqual(Array(3).fill('max-age=31536000'))
    await put(HTTPS, { hsts_max_age: '7200' })
    expect(await all()).toEqual(Array(3).fill('max-age=7200'))
    await put(HTTPS, { hsts_enable: 'false' })
    expect(await all()).toEqual([undefined, undefined, undefined])
    await put(HTTPS, { unset: ['hsts_enable', 'hsts_max_age'] })
    expect(await all()).toEqual(Array(3).fill('max-age=31536000'))
  })

  it('keeps root out by its password, on every surface, and only root', async () => {
    await addCaller(box.folders, 'administrator', 'root')
    const statuses = async (name: string, from: string) => [
      (await asks(box, 'GET', HTTPS, { auth: { basic: name }, from })).status,
      (await asks(box, 'POST', '/api/access/v1', { auth: { user: name }, from })).status,
      (await logIn(box.url, name, PASSWORD, { from })).status,
    ]
    expect(await statuses('root', '127.0.0.1')).toEqual([200, 201, 200])
    await put(HTTPS, { permit_root_login: false })
    expect(await statuses('root', '127.0.6.2')).toEqual([401, 401, 401])
    expect(await statuses('administrator', '127.0.6.3')).toEqual([200, 201, 200])
    expect((await put(HTTPS, { permit_root_login: 'true' })).status).toBe(202)
    expect(await statuses('root', '127.0.6.4')).toEqual([200, 201, 200])
  })

  const WRONG: [unknown, string][] = [
    [{ session_timeout: 0 }, 'ERR_INVALID_ARG'],
    [{ session_timeout: -5 }, 'ERR_INVALID_ARG'],
    [{ session_timeout: 1.5 }, 'ERR_INVALID_ARG'],
    [{ session_timeout: 'soon' }, 'ERR_INVALID_ARG'],
    [{ session_timeout: null }, 'ERR_INVALID_ARG'],
    [{ tls_version: [] }, 'ERR_INVALID_ARG'],
    [{ tls_version: ['SSLv3'] }, 'ERR_INVALID_ARG'],
    [{ tls_version: 'TLSv9' }, 'ERR_INVALID_ARG'],
    [{ tls_version: ['default', 'TLSv1.2'] }, 'ERR_INVALID_ARG'],
    [{ tls_version: ['TLSv1.0'] }, 'ERR_INVALID_ARG'],
    [{ ciphers: ['ALL:@SECLEVEL=0'] }, 'ERR_INVALID_ARG'],
    [{ ciphers: [] }, 'ERR_INVALID_ARG'],
    [{ permit_root_login: 'yes' }, 'ERR_INVALID_ARG'],
    [{ hsts_max_age: -1 }, 'ERR_INVALID_ARG'],
    [{ '<status>': 'disabled' }, 'ERR_UNKNOWN_ARG'],
    [{ sesion_timeout: 5 }, 'ERR_UNKNOWN_ARG'],
    [{ unset: ['nothing'] }, 'ERR_INVALID_ARG'],
    [{ session_timeout: 7, unset: ['session_timeout'] }, 'ERR_INVALID_ARG'],
    [{ ciphers: ['NO-SUCH-CIPHER'] }, 'ERR_INVALID_ARG'],
    [[], 'ERR_INVALID_ARG'],
  ]
  it.each(WRONG)('refuses %j, and changes nothing', async (json, name) => {
    const answer = await put(HTTPS, json)
    expect([answer.status, answer.json.fault.name]).toEqual([400, name])
    expect(await get(HTTPS)).toEqual(DEFAULT)
    expect(existsSync(join(box.folders.state, 'https.json'))).toBe(false)
  })

  it('is only tried where props are asked for', async () => {
    const { status, json } = await asks(box, 'PUT', `${HTTPS}?props=true`, {
      auth: administrator,
      json: { session_timeout: 5 },
    })
    expect([status, json]).toEqual([
      202,
      { service: { ...DEFAULT.service, session_timeout: 5 }, props: expect.any(Array) },
    ])
    expect(json.props).toContainEqual(expect.objectContaining({ name: 'session_timeout', immutable: false }))
    expect(await get(HTTPS)).toEqual(DEFAULT)
  })

  it('is changed by administrators alone', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      await account(box, role)
      expect((await asks(box, 'GET', HTTPS, { auth: { basic: role } })).status).toBe(200)
      const { status, json } = await put(HTTPS, { session_timeout: 5 }, { basic: role })
      expect([status, json.fault.name]).toEqual([401, 'ERR_UNAUTHORIZED'])
    }
    expect(await get(HTTPS)).toEqual(DEFAULT)
  })

  it('is entered in the audit log as done, and a trial as one', async () => {
    await box.close()
    // The controller's tokens are issued by the machine's clock.
    await start({ clock: undefined })
    await asks(box, 'PUT', `${HTTPS}?props=true`, { auth: administrator, json: { session_timeout: 5 } })
    await put(HTTPS, { session_timeout: 5 })
    await put(HTTPS, { session_timeout: 0 })
    const { token } = await addCaller(box.folders, 'administrator', 'auditor')
    const { json } = await ask(box.url, 'GET', '/api/v1/audit?limit=100', { bearer: token })
    const all: { action: string; result: string; resource: string }[] = json
    const found = all.filter(({ action }) => action.startsWith('settings'))
    expect(new Set(found.map(({ resource }) => resource)).size).toBe(1)
    expect(found.map(({ action, result }) => [action, result])).toEqual([
      ['settings.https', 'failure'],
      ['settings.https', 'success'],
      ['settings.https.plan', 'success'],
    ])
  })

  it('keeps both of two changes that are made at once', async () => {
    for (let round = 1; round <= 4; round += 1) {
      const both = await Promise.all([
        put(HTTPS, { tls_version: ['TLSv1.2'], hsts_max_age: round }),
        put(HTTPS, { session_timeout: 20 + round, hsts_enable: true }),
      ])
      expect(both.map(({ status }) => status)).toEqual([202, 202])
      expect((await get(HTTPS)).service).toMatchObject({ hsts_max_age: round, session_timeout: 20 + round })
    }
  })

  it('does not bring back a session that had ended', async () => {
    const auth = { session: await session(box, 'administrator') }
    clock.pass(6 * 60_000)
    await put(HTTPS, { session_timeout: 5 })
    await put(HTTPS, { session_timeout: 1440 })
    expect((await asks(box, 'GET', HTTPS, { auth })).status).toBe(401)
  })

  it('does not shut out root where nobody else could let it in again', async () => {
    await addCaller(box.folders, 'administrator', 'root')
    const users = new UserStore(box.folders)
    users.change((all) => {
      for (const user of all) if (user.username !== 'root') user.active = false
    })
    const { status, json } = await put(HTTPS, { permit_root_login: false }, { basic: 'root' })
    expect([status, json.fault.name]).toEqual([409, 'ERR_STATE_CHANGED'])
    expect((await asks(box, 'GET', HTTPS, { auth: { basic: 'root' } })).status).toBe(200)
  })

  it('lets no session of root begin another one once its password is refused', async () => {
    await addCaller(box.folders, 'administrator', 'root')
    const auth = { session: await session(box, 'root') }
    await put(HTTPS, { permit_root_login: false })
    expect((await asks(box, 'POST', '/api/access/v1', { auth })).status).toBe(401)
  })

  it('is not changed during maintenance, and sessions begin and end all the same', async () => {
    new MaintenanceMode(box.folders).set({ enabled: true, message: 'Moving house' })
    const { status, json, headers } = await put(HTTPS, { session_timeout: 5 })
    expect([status, json.fault.details, headers['retry-after']]).toEqual([503, 'Moving house', '60'])
    const auth = { session: await session(box, 'administrator') }
    expect((await asks(box, 'DELETE', '/api/access/v1', { auth })).status).toBe(204)
  })
})

describe('the port', () => {
  beforeEach(() => start({ tls: true }))
  /** The version and the cipher that a client with these options gets; the reason if it gets none. */
  const handshake = (options: ConnectionOptions = {}) =>
    new Promise<string>((resolve) => {
      const { port } = new URL(box.url)
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`)
        socket.destroy()
      })
      socket.once('error', () => resolve('refused'))
    })

  it('speaks what is asked for from the next connection on, and open ones stay', async () => {
    const open = await new Promise<ReturnType<typeof connect>>((resolve) => {
      const { port } = new URL(box.url)
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () =>
        resolve(socket),
      )
    })
    expect(await handshake()).toMatch(/^TLSv1\.3 /)
    expect((await put(HTTPS, { tls_version: ['TLSv1.2'] })).status).toBe(202)
    expect([await handshake(), await handshake({ minVersion: 'TLSv1.3' })]).toEqual([
      expect.stringMatching(/^TLSv1\.2 /),
      'refused',
    ])
    expect(
      (await put(HTTPS, { ciphers: ['ECDHE-RSA-AES256-GCM-SHA384', 'SRP-AES-256-CBC-SHA'] })).json.service,
    ).toMatchObject({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:SRP-AES-256-CBC-SHA' })
    expect(await handshake()).toBe('TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384')
    const answered = new Promise<string>((resolve) => open.once('data', (data) => resolve(String(data))))
    open.write('GET /api/access/v1 HTTP/1.1\r\nHost: box\r\n\r\n')
    expect(await answered).toMatch(/^HTTP\/1\.1 401 /)
    open.destroy()
    expect((await put(HTTPS, { tls_version: 'default', unset: ['ciphers'] })).json.service).not.toHaveProperty(
      'ciphers',
    )
    expect(await handshake()).toMatch(/^TLSv1\.3 /)
  })

  it.each([
    [{ tls_version: ['TLSv1.0'] }],
    [{ tls_version: ['TLSv1.1', 'TLSv1.0'] }],
    [{ ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] }],
    [{ ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_AES_256_GCM_SHA384'] }],
    [{ tls_version: ['TLSv1.3'], ciphers: ['AES128-SHA'] }],
    [{ tls_version: ['TLSv1.2'], ciphers: ['SRP-AES-256-CBC-SHA', 'DES-CBC3-SHA'] }],
    [{ tls_version: ['TLSv1.2'], ciphers: ['ADH-AES256-GCM-SHA384', 'AECDH-NULL-SHA'] }],
    // The appliance's own key is RSA.
    [{ tls_version: ['TLSv1.2'], ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] }],
  ])('is not made one that nobody could connect to: %j', async (json) => {
    const { status, json: answer } = await put(HTTPS, json)
    expect([status, answer.fault]).toEqual([400, expect.objectContaining({ name: 'ERR_INVALID_ARG' })])
    expect(await handshake()).toMatch(/^TLSv1\.3 /)
  })

  it.each([
    [{ ciphers: ['ECDHE-RSA-AES256-GCM-SHA384'] }, 'TLSv1.2'],
    [{ ciphers: ['TLS_AES_256_GCM_SHA384'] }, 'TLSv1.3'],
    [{ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384' }, 'TLSv1.2 TLSv1.3'],
    [{ ciphers: 'default' }, 'TLSv1.2 TLSv1.3'],
  ])('says what it speaks, and speaks nothing else: %j', async (json, spoken) => {
    expect((await put(HTTPS, json)).json.service.tls_served).toBe(spoken)
    const found = []
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      if ((await handshake({ minVersion: version, maxVersion: version })).startsWith(version)) found.push(version)
    expect(found.join(' ')).toBe(spoken)
  })

  it('opens again with what was set, and with the default where that cannot be served any more', async () => {
    await put(HTTPS, { tls_version: ['TLSv1.2'], ciphers: ['ECDHE-RSA-AES256-GCM-SHA384'] })
    const file = join(box.folders.state, 'https.json')
    const stored = { tls_versions: ['TLSv1.2'], ciphers: ['ECDHE-RSA-AES256-GCM-SHA384'] }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(stored)
    const opened = async (ciphers: string[]) => {
      const warnings: string[] = []
      const listener = await listen({
        ...{ app: box.app.hono, folders: box.folders, host: '127.0.0.1', port: 0, tls: true },
        places: { most: 10, perAddress: 10, isProxy: () => false, known: () => false },
        tlsChoice: { versions: ['TLSv1.2'], ciphers },
        warn: (text) => void warnings.push(text),
      })
      await listener.close()
      return [listener.spoken(), warnings]
    }
    expect(await opened(stored.ciphers)).toEqual([['TLSv1.2'], []])
    expect(await opened(['ECDHE-ECDSA-AES256-GCM-SHA384'])).toEqual([
      ['TLSv1.2', 'TLSv1.3'],
      [expect.stringContaining('the default is served')],
    ])
  })
})

it.each([
  ['{"permit_root_login":fal', { permitRootLogin: false, sessionTimeout: 15 }],
  ['{"session_timeout":5,"hsts_max_age":"x"}', { permitRootLogin: false, sessionTimeout: 5 }],
  ['[]', { permitRootLogin: false, sessionTimeout: 15 }],
  ['{}', { permitRootLogin: true, sessionTimeout: 15 }],
])('a file that says %s lets nobody in whom it may have kept out', async (text, expected) => {
  await start()
  writeFileSync(join(box.folders.state, 'https.json'), text)
  const port = { spoken: () => [], changeTls: async () => {} }
  const options = { folders: box.folders, hsts: true, port, hasOtherAdministrator: () => true }
  const warnings: string[] = []
  expect(new HttpsSettings({ ...options, warn: (said) => void warnings.push(said) }).get()).toMatchObject(expected)
  expect(warnings.length).toBe(expected.permitRootLogin ? 0 : 1)
})

describe('the rules for passwords', () => {
  // The controller's tokens are issued by the machine's clock.
  beforeEach(() => start({ clock: undefined }))
  const DEFAULT = {
    href: RULES,
    passlength: 8,
    min_letters: 0,
    min_upper: 0,
    min_lower: 0,
    min_digit: 0,
    min_punctuation: 0,
    max_repeats: 0,
    namecheck: true,
  }
  const EXAMPLE = { min_letters: 2, min_upper: 1, min_lower: 1, min_digit: 1, min_punctuation: 1 }

  it('are the guide’s', async () => {
    const shown = await asks(box, 'GET', RULES, { auth: administrator })
    expect([shown.status, shown.json]).toEqual([200, { complexity: DEFAULT }])
    expect(shown.headers).toMatchObject({ 'x-zfssa-setting-api': '2.0', 'x-zfssa-api-version': '2.0' })
    const { status, json } = await put(RULES, EXAMPLE)
    expect([status, json]).toEqual([202, { complexity: { ...DEFAULT, ...EXAMPLE } }])
    expect(await get(RULES)).toEqual(json)
    expect((await asks(box, 'GET', '/api/setting/v1/password', { auth: administrator })).status).toBe(404)
  })

  it.each([
    [{ min_upper: 1 }, 'ERR_INVALID_ARG'],
    [{ min_letters: 100, min_digit: 100 }, 'ERR_INVALID_ARG'],
    [{ min_punctuation: 127 }, 'ERR_INVALID_ARG'],
    [{ min_digit: 1, unset: ['min_digit'] }, 'ERR_INVALID_ARG'],
    [{ passlength: 0 }, 'ERR_INVALID_ARG'],
    [{ passlength: 1000 }, 'ERR_INVALID_ARG'],
    [{ max_repeats: -1 }, 'ERR_INVALID_ARG'],
    [{ namecheck: 1 }, 'ERR_INVALID_ARG'],
    [{ minletters: 1 }, 'ERR_UNKNOWN_ARG'],
  ])('refuse %j', async (json, name) => {
    const answer = await put(RULES, json)
    expect([answer.status, answer.json.fault.name]).toEqual([400, name])
    expect((await get(RULES)).complexity).toEqual(DEFAULT)
  })

  it('hold for every new password on every surface, and leave old ones alone', async () => {
    const { token } = await addCaller(box.folders, 'administrator', 'chief')
    await put(RULES, { ...EXAMPLE, max_repeats: 2, passlength: '10' })
    const weak = 'simple-word-1'
    const user = (username: string, password: string) =>
      ask(box.url, 'POST', '/api/v1/users', { bearer: token, json: { username, password } })
    const wrong: [string, string][] = [
      [weak, 'Expected at least 1 upper case letter'],
      ['Short-1', 'Expected 8 to 128 characters'],
      ['Nine-char', 'Expected at least one letter and one digit'],
      ['Nine-car1', 'Expected at least 10 characters'],
      ['Thr33333-word', 'Expected no character more than 2 times in a row'],
      ['NoPunctuation1', 'Expected at least 1 punctuation character'],
    ]
    for (const [password, message] of wrong) {
      const { status, json } = await user('newcomer', password)
      expect([password, status, json.message]).toEqual([password, 400, message])
    }
    expect((await user('newcomer', 'Good-word-1x')).status).toBe(201)
    const own = (password: string) =>
      ask(box.url, 'PUT', '/api/v1/auth/password', { bearer: token, json: { current: PASSWORD, password } })
    expect([(await own(weak)).status, (await own('Good-word-2x')).status]).toEqual([400, 200])
    // PASSWORD follows none of them, and still opens.
    expect((await asks(box, 'GET', RULES, { auth: administrator })).status).toBe(200)
  })

  it.each(['Charles-1', '1-selrahC', 'les-1char'])('refuse a form of the user name: %s', async (password) => {
    const { token } = await addCaller(box.folders, 'administrator', 'chief')
    const json = { username: 'Charles-1', password }
    const refused = await ask(box.url, 'POST', '/api/v1/users', { bearer: token, json })
    expect([refused.status, refused.json.message]).toEqual([400, 'Expected no form of the user name'])
    await put(RULES, { namecheck: 'false' })
    expect((await ask(box.url, 'POST', '/api/v1/users', { bearer: token, json })).status).toBe(201)
  })
})
