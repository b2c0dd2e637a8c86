// The ids of security.md that concern the HTTP side and have no file of their own. A test of something that does not
// happen is green by itself; so each one also shows that its eyes are open.
import { spawnSync } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { createRun } from '../../src/drivers/run.ts'
import { OPTIONAL_ENDPOINTS } from '../../src/endpoint-names.ts'
import { adminEndpoints as declared } from '../../src/surfaces/admin/endpoints.ts'
import { FUZZ, runs } from '../harness/fuzz.ts'
import {
  FIXTURES,
  type InProcess,
  REPOSITORY,
  startAppliance,
  startServer,
  TOKEN,
  temporaryFolder,
} from './appliance.ts'
import { call, file, hashOf, keyOf, PREFIX, raw, until } from './client.ts'
import { ended, send } from './packages.ts'

/** What the sample appliance has: two pages are the console's there. */
const sample = Configuration.parse({ endpoints: [...OPTIONAL_ENDPOINTS] })
const adminEndpoints = declared.filter(({ enabled }) => enabled?.(sample) ?? true)

const require = createRequire(import.meta.url)
const processes = require('node:child_process')
const real = { ...processes }
const started: { program: string; args: string[]; env: Record<string, string> }[] = []

/** Replaces every way to start a program: the call is written down, and /bin/true runs instead. */
function watchPrograms(): void {
  const note = (program: string, args: unknown, options: unknown) =>
    started.push({
      program,
      args: Array.isArray(args) ? args : [],
      env: ((options as { env?: Record<string, string> } | undefined)?.env ?? {}) as Record<string, string>,
    })
  processes.spawn = (program: string, args: unknown, options: { stdio?: unknown }) => {
    note(program, args, options)
    return real.spawn('/bin/true', [], { stdio: options?.stdio })
  }
  processes.spawnSync = (program: string, args: string[], options: unknown) => {
    // Whether a lock is held is asked from flock(1), with a path of ours.
    if (program !== '/usr/bin/flock') note(program, args, options)
    return real.spawnSync(program === '/usr/bin/flock' ? program : '/bin/true', args, options)
  }
  for (const name of ['exec', 'execSync', 'execFile', 'execFileSync', 'fork']) {
    processes[name] = (program: string, ...rest: unknown[]) => {
      note(program, rest[0], rest[1])
      throw new Error(`${name} was called`)
    }
  }
  syncBuiltinESMExports()
}
function watchNoMore(): void {
  Object.assign(processes, real)
  syncBuiltinESMExports()
}

const hostile = fc
  .oneof(
    fc.constantFrom(
      ...[
        '-oProxyCommand=id',
        '--help',
        '-rf',
        ';id',
        '$(id)',
        '`id`',
        '|id',
        '&&id',
        '\n id',
        'a\0b',
        '../../etc/passwd',
        '%s%n',
        '"',
        "'",
      ],
      ...[
        '\r\nX: y',
        '$IFS id',
        '*',
        '~root',
        '\u202e',
        '😀',
        '-',
        '--',
        '=',
        'a b',
        '\\',
        '<script>',
        '{jndi:x}',
        '/dev/null',
        'CON',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ maxLength: 40 }),
  )
  .map((text) => `cAnArY${text}`)

const ENDED = /,((?:reboot|backup|update)\.post\.(?:success|failed)),/

describe('SEC-02 what a caller sends', () => {
  let appliance: InProcess
  beforeAll(async () => {
    appliance = await startAppliance()
    watchPrograms()
  })
  afterAll(async () => {
    watchNoMore()
    await appliance?.close()
  })

  const settings = (value: unknown) => [file('settings', JSON.stringify(value))]
  const fields: Record<string, (text: string) => Promise<unknown>> = {}
  for (const name of 'interface hostname ip_address netmask gateway dns1 dns2 ntpserver mode'.split(' ')) {
    fields[`settings ${name}`] = (text) =>
      appliance.call('POST', '/settings', {
        form: settings({ network: { interface: 'eth0', hostname: 'test.host', [name]: text }, app: { [text]: text } }),
      })
  }
  const types = {
    nfs: 'mount_options ip share',
    aoe: 'device',
    iscsi: 'target ip username password',
    nbd: 'export_name ip port',
  }
  for (const [type, names] of Object.entries({ ...types, local: 'type' })) {
    for (const name of names.split(' ')) {
      fields[`storage ${type} ${name}`] = (text) =>
        appliance.call('POST', '/storage', { form: settings({ storage: { type, [name]: text } }) })
    }
  }
  fields['action'] = (value) => appliance.call('POST', '/backup', { form: [{ name: 'action', value }] })
  fields['license'] = (text) => appliance.call('POST', '/license', { form: [file('license', text)] })
  fields['wait'] = (wait) => appliance.call('GET', '/update', { query: { wait } })
  // With a letter that no token may have: one that is taken would change the token under the other tests.
  fields['newtoken'] = (text) => appliance.call('POST', '/setup', { form: [{ name: 'newtoken', value: `${text}é` }] })
  fields['file name'] = (text) =>
    appliance.call('POST', '/update', { form: [file('update', 'x', text.replace(/["\r\n\0]/g, ''))] })
  fields['archive'] = (text) => appliance.call('POST', '/backup/restore', { form: [file('archive', text)] })
  fields['certificate'] = (text) =>
    appliance.call('POST', '/certs', { form: [file('public', text), file('private', text)] })

  it('never becomes a program, an argument or a variable', { timeout: 240_000 * FUZZ }, async () => {
    const scripts = join(REPOSITORY, 'scripts')
    const words = ['run', 'recover', 'cancel', 'static', 'dhcp', 'START', 'STOP']
    const check = () => {
      for (const { program, args, env } of started.splice(0)) {
        expect(program).toMatch(
          new RegExp(`^${scripts}/(?:update|settings|storage|certs|license|backup|restore)\\.sh$`),
        )
        const [action, folder, ...rest] = args
        expect(words).toContain(action)
        expect(folder).toMatch(new RegExp(`^${appliance.folders.state}/tasks/[A-Za-z0-9-]+$`))
        for (const word of rest) expect(words).toContain(word)
        expect(JSON.stringify(env)).not.toContain('cAnArY')
      }
    }
    // The eyes are open: what is right does start its script.
    await appliance.call('POST', '/settings', {
      form: settings({ network: { interface: 'eth0', hostname: 'abc' }, app: {} }),
    })
    expect(started.map(({ args }) => args[2])).toContain('dhcp')
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(fields)), hostile, async (field, text) => {
        appliance.app.backOff.succeed('127.0.0.1')
        await fields[field]!(text)
        check()
      }),
      { numRuns: runs(1500) },
    )
  })

  it('SEC-04 starts nothing and opens no connection before the caller is known', async () => {
    let sockets = 0
    const count = () => {
      sockets += 1
    }
    await until('earlier tasks are over', () => appliance.app.tasks.list().every(({ status }) => status !== 'pending'))
    started.splice(0)
    diagnostics.subscribe('net.client.socket', count)
    let calls = 0
    for (const { method, path, form, permission } of adminEndpoints) {
      if (permission === 'set-up') continue
      for (const options of [{}, { token: 'wrong' }, { hash: hashOf('wrong', method, path) }]) {
        appliance.app.backOff.succeed('127.0.0.1')
        const parts = Object.entries(form ?? {}).map(([name, { kind }]) =>
          kind === 'file' ? file(name, 'x') : { name, value: 'x' },
        )
        const { status } = await call(
          appliance.url,
          method,
          path,
          parts.length > 0 ? { ...options, form: parts } : options,
        )
        expect([path, status]).toEqual([path, permission === 'public' ? 200 : 403])
        calls += 1
      }
    }
    diagnostics.unsubscribe('net.client.socket', count)
    expect(started).toEqual([])
    // One for each call of ours: that they are counted shows that a further one would be.
    expect(sockets).toBe(calls)
  })

  it('SEC-05 is no command: the only texts taken are a token, an action and a number of seconds', () => {
    const texts = adminEndpoints.flatMap(({ form = {}, query }) => [
      ...Object.entries(form).flatMap(([name, { kind }]) => (kind === 'text' ? [name] : [])),
      ...Object.keys(query?.shape ?? {}),
    ])
    expect([...new Set(texts)].sort()).toEqual(['action', 'newtoken', 'wait'])
  })
})

describe('SEC-02 run', () => {
  it('hands ten thousand strings on byte for byte, or starts nothing', async () => {
    const run = createRun((program) => program === '/usr/bin/printf')
    const strings = fc.sample(hostile, 10_000)
    for (let i = 0; i < strings.length; i += 500) {
      const batch = strings.slice(i, i + 500).map((text) => Buffer.from(text).toString())
      const plain = batch.filter((text) => !text.includes('\0'))
      const { stdout } = await run('/usr/bin/printf', ['%s\\0', ...plain])
      expect(stdout).toBe(plain.map((text) => `${text}\0`).join(''))
      for (const text of batch.filter((item) => item.includes('\0')).slice(0, 3)) {
        await expect(run('/usr/bin/printf', [text])).rejects.toMatchObject({ reason: 'not-allowed' })
      }
    }
  })
  it('starts only what is on its list', async () => {
    const run = createRun((program) => program === '/bin/true')
    for (const program of ['/bin/sh', 'true', './true', '/bin/../bin/true', '/bin/true\0']) {
      await expect(run(program, [])).rejects.toMatchObject({ reason: 'not-allowed' })
    }
    await expect(run('/bin/true', [])).resolves.toMatchObject({ status: 0 })
  })
})

describe('on one appliance', () => {
  let appliance: InProcess
  const answers: { id: string; status: number; error: unknown }[] = []
  beforeAll(async () => {
    appliance = await startAppliance({
      answered: ({ id }, status, error) => answers.push({ id, status, error }),
      config: { reboot: { get: false } },
    })
  })
  afterAll(() => appliance?.close())
  beforeEach(() => {
    for (const address of ['127.0.0.1', '127.0.0.9']) appliance.app.backOff.succeed(address)
  })
  const uploads = (name: string) => join(appliance.folders.root, 'home/sftp/uploads', name)

  it('SEC-10 makes an address wait after five failures, and no other', async () => {
    const wrong = () => appliance.call('GET', '/version', { token: 'wrong', from: '127.0.0.9' })
    for (let i = 0; i < 6; i++) expect((await wrong()).status).toBe(403)
    const waiting = await appliance.call('GET', '/version', { sign: TOKEN, from: '127.0.0.9' })
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([429, expect.stringMatching(/^[1-9]\d*$/)])
    expect(JSON.parse(waiting.body)).toMatchObject({ Status: '429 Too Many Requests' })
    expect((await appliance.call('GET', '/version')).status).toBe(200)
    expect((await call(appliance.url, 'GET', '/docs', { from: '127.0.0.9' })).status).toBe(200)
  })

  it('SEC-22 lets no text of a caller into a header', async () => {
    const evil = ['\r\nX-Evil: 1', 'a\nb', 'é', '\u2028']
    for (const text of evil) {
      const seen = [
        await appliance.call('POST', '/setup', { form: [{ name: 'newtoken', value: `a${text}` }] }),
        await appliance.call('POST', '/backup', { form: [{ name: 'action', value: text }] }),
        await appliance.call('GET', '/version', { query: { [`n${text}`]: '1' } }),
        await appliance.call('GET', '/update', { query: { wait: text } }),
        await appliance.call('POST', '/settings', {
          form: [file('settings', JSON.stringify({ network: { [text]: text, interface: text } }))],
        }),
        await call(appliance.url, 'GET', `/docs/${encodeURIComponent(text)}`),
      ]
      for (const { status, headers, body } of seen) {
        expect(status).toBeGreaterThanOrEqual(400)
        expect(headers['x-evil']).toBeUndefined()
        for (const value of Object.values(headers)) expect(String(value)).toMatch(/^[\x20-\x7e]*$/)
        expect(headers['x-content-type-options']).toBe('nosniff')
        expect(headers['content-type']).toBe('application/json')
        // A member that nothing knows is named, in one line and in ASCII.
        expect(body.trimEnd()).toMatch(/^[\x20-\x7e]*$/)
      }
    }
  })

  it('SEC-23 changes nothing by GET, and reboots by POST only when told so', async () => {
    const paths = new Set(adminEndpoints.filter(({ method }) => method === 'POST').map(({ path }) => path))
    const gets = new Set(adminEndpoints.filter(({ method }) => method === 'GET').map(({ path }) => path))
    for (const path of paths) {
      if (gets.has(path) && !path.endsWith('/reboot')) continue
      const { status } = await call(appliance.url, 'GET', path, { sign: TOKEN })
      expect([path, status]).toEqual([path, 400])
    }
    for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      expect([405, 400]).toContain((await appliance.call(method, '/reboot')).status)
    }
    expect(appliance.app.tasks.list()).toEqual([])
    expect(appliance.read(join(appliance.folders.root, 'log/hooks.log'))).toBe('')
  })

  it('SEC-25 tells nothing of a fault but the id under which the log has it', async () => {
    const start = vi.spyOn(appliance.app.tasks, 'start').mockImplementation(() => {
      throw new Error('canary: /secret/path is broken')
    })
    try {
      for (const path of ['/logs', '/debug']) {
        const { status, headers, body } = await appliance.call('GET', path)
        expect([status, body]).toEqual([
          500,
          '{"Status":"500 Internal Server Error","Error-Message":"Internal error. The log has more under the X-Request-Id of this answer"}',
        ])
        expect(JSON.stringify(headers)).not.toContain('canary')
        const entry = answers.find(({ id }) => id === headers['x-request-id'])
        expect(String(entry?.error)).toContain('canary')
      }
    } finally {
      start.mockRestore()
    }
  })

  it('SEC-26 sends only plain files of its own', async () => {
    const traps: [string, string, string][] = [
      [uploads('backup.tar'), '/backup/download', '/etc/passwd'],
      [join(appliance.folders.root, 'log/update.log'), '/update/log', '/etc/passwd'],
      [join(appliance.folders.root, 'log/update_backup.log'), '/backup/log', '/etc/passwd'],
    ]
    for (const [name, path, target] of traps) {
      symlinkSync(target, name)
      expect([path, (await appliance.call('GET', path)).status]).toEqual([path, 404])
      rmSync(name)
      mkdirSync(name)
      expect([path, (await appliance.call('GET', path)).status]).toEqual([path, 404])
      rmSync(name, { recursive: true })
      spawnSync('mkfifo', [name])
      expect([path, (await appliance.call('GET', path)).status]).toEqual([path, 404])
      rmSync(name)
      writeFileSync(name, 'plain')
      expect((await appliance.call('GET', path)).body).toBe('plain')
      rmSync(name)
    }
  })

  it('SEC-28 believes no header about who calls', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7', forwarded: 'for=203.0.113.7' }
    for (let i = 0; i < 6; i++) await appliance.call('GET', '/version', { token: 'x', headers })
    expect((await appliance.call('GET', '/version')).status).toBe(429)
    expect(appliance.audit().join('\n')).not.toContain('203.0.113.7')
    expect(appliance.audit().at(-1)).toMatch(/,127\.0\.0\.1$/)
  })

  it('SEC-31 enters each change and each refusal exactly once, without secrets', async () => {
    const bytes = Buffer.from('not a package')
    const nobody = { nobody: true }
    const cases: [string, () => Promise<unknown>, string][] = [
      ['a read', () => appliance.call('GET', '/version'), ''],
      [
        'a refusal',
        () => appliance.call('GET', '/version', nobody),
        'token.authenticate.failed,"api/v1/admin/version"',
      ],
      [
        'a wrong token',
        () => appliance.call('POST', '/backup', { token: 'canary' }),
        'token.authenticate.failed,"api/v1/admin/backup"',
      ],
      [
        'a refused upload',
        () => appliance.call('POST', '/update', { nobody: true, form: [file('update', bytes)] }),
        'token.authenticate.failed,"api/v1/admin/update"',
      ],
      [
        'a refused upload of several files',
        () =>
          appliance.call('POST', '/certs', {
            nobody: true,
            form: ['public', 'private', 'ca'].map((part) => file(part, bytes)),
          }),
        'token.authenticate.failed,"api/v1/admin/certs"',
      ],
      [
        'a bad action',
        () => appliance.call('POST', '/backup', { form: [{ name: 'action', value: 'canary' }] }),
        'backup.post.refused,"400"',
      ],
      [
        'bad settings',
        () => appliance.call('POST', '/settings', { form: [file('settings', '"canary"')] }),
        'settings.post.refused,"400"',
      ],
      [
        'a bad license',
        () => appliance.call('POST', '/license', { form: [file('license', 'canary')] }),
        'license.post.refused,"400"',
      ],
      ['a reboot', () => appliance.call('POST', '/reboot'), 'reboot.post,""'],
      [
        'a backup',
        () => appliance.call('POST', '/backup', { form: [{ name: 'action', value: 'start ' }] }),
        'backup.post,"START"',
      ],
      ['an update', () => send(appliance, bytes), 'update.post,""'],
      [
        'a new token',
        () => appliance.call('POST', '/setup', { form: [{ name: 'newtoken', value: TOKEN }] }),
        'token.update.success,"api/v1/admin/setup"',
      ],
      [
        'a failed set-up',
        () => appliance.call('POST', '/setup', { token: 'canary', form: [{ name: 'newtoken', value: 'canary' }] }),
        'token.setup.failed,"api/v1/admin/setup"',
      ],
    ]
    for (const [what, act, expected] of cases) {
      const before = appliance.audit().length
      await act()
      // How a task ended comes when it has.
      const added = appliance
        .audit()
        .slice(before)
        .filter((line) => !ENDED.test(line))
      expect([what, added.map((line) => line.split(',').slice(4, 6).join(','))]).toEqual([
        what,
        expected ? [expected] : [],
      ])
      for (const line of added) {
        expect(line).toMatch(/^\d+\.\d{9},[0-9a-f]{16},web,admin,[A-Za-z.]+,"[^"]*",127\.0\.0\.1$/)
        expect(line).not.toMatch(/canary|yourtoken/)
      }
    }
    for (const task of appliance.app.tasks.list()) await appliance.app.tasks.wait(task.id)
    const ends = () => appliance.audit().flatMap((line) => ENDED.exec(line)?.slice(1) ?? [])
    await until('each end is entered', () => ends().length >= 3)
    expect(ends().sort()).toEqual(['backup.post.success', 'reboot.post.success', 'update.post.failed'])
  })
})

describe('SEC-08 an appliance without a token', () => {
  it('refuses everybody, whatever is sent', async () => {
    const appliance = await startAppliance({ token: null, config: { 'first-run': { enabled: false } } })
    try {
      for (const { method, path, permission } of adminEndpoints.filter(
        ({ permission }) => permission !== 'public' && permission !== 'set-up',
      )) {
        for (const options of [{}, { token: '' }, { sign: '' }, { hash: hashOf('undefined', method, path) }]) {
          appliance.app.backOff.succeed('127.0.0.1')
          const { status } = await call(appliance.url, method, path, options)
          expect([permission, path, options, status]).toEqual([permission, path, options, 403])
        }
      }
    } finally {
      await appliance.close()
    }
  })
})

describe('SEC-10 back-off', () => {
  it('survives a restart of the server', async () => {
    const first = await startServer()
    for (let i = 0; i < 8; i++) await first.call('GET', '/version', { token: 'wrong' })
    await until('it is written down', () =>
      first.read(join(first.folders.state, 'back-off.json')).includes('127.0.0.1'),
    )
    await first.kill('SIGTERM')
    const state = join(first.folders.state, 'back-off.json')
    // A wait that is surely not over when the next server asks.
    const saved = JSON.parse(readFileSync(state, 'utf8')) as { entries: [string, number, number][] }
    expect(saved.entries[0]?.[1]).toBeGreaterThanOrEqual(6)
    const entries = saved.entries.map(([address, failures, until]) => [address, failures, until + 50_000])
    writeFileSync(state, JSON.stringify({ ...saved, entries }))
    const second = await first.again()
    try {
      expect((await second.call('GET', '/version')).status).toBe(429)
      expect((await second.call('GET', '/version', { from: '127.0.0.2', sign: TOKEN })).status).toBe(200)
    } finally {
      await second.close()
    }
  })
})

describe('SEC-13 and SEC-40 secrets', () => {
  it('are in no log, no task, no error and no bundle', async () => {
    const token = 'cAnArYtOkEn+0123456789'
    const password = 'cAnArYpAsSwOrD'
    const server = await startServer({
      token,
      prepare({ root, sysconf }) {
        writeFileSync(
          join(root, 'etc/debug.txt'),
          `cat ${root}/etc/api.token ${root}/etc/updates.key\ncat ${root}/etc/storage.json ${sysconf}/storage.conf\nls ${root}\n`,
        )
      },
    })
    const secrets = [token, encodeURIComponent(token), keyOf(token), password]
    try {
      const storage = {
        storage: {
          type: 'iscsi',
          target: 'iqn.2016-01.com.example:lun',
          ip: '192.168.1.1',
          username: 'user',
          password,
        },
      }
      expect(
        (await server.call('POST', '/storage', { form: [file('settings', JSON.stringify(storage))] })).status,
      ).toBe(202)
      await until('it is stored', () => server.read(join(server.folders.sysconf, 'storage.conf')).includes(password))
      const seen: string[] = []
      for (const { method, path } of adminEndpoints.filter(
        ({ permission }) => permission !== 'public' && permission !== 'set-up',
      )) {
        if (/reboot|debug|logs/.test(path)) continue
        const hash = hashOf(token, method, path)
        secrets.push(hash)
        for (const options of [
          { token },
          { hash },
          { hash: hash.slice(1), token },
          { token, query: { nonsense: hash } },
        ]) {
          const { headers, body } = await call(server.url, method, path, { ...options, from: '127.0.0.3' })
          seen.push(JSON.stringify(headers), path.endsWith('/storage') && method === 'GET' ? '' : body)
          await server.call('GET', '/version', { sign: token, from: '127.0.0.3' })
        }
      }
      const form = [{ name: 'newtoken', value: token }]
      await call(server.url, 'POST', `${PREFIX}/setup`, { token: `${token}x`, form, from: '127.0.0.4' })
      await call(server.url, 'POST', `${PREFIX}/setup`, { token, form, from: '127.0.0.4' })
      await raw(server.url, `GET ${PREFIX}/version?token=${token} HTTP/1.1\r\nHost: a b\r\n\r\n`)
      const debug = await server.call('GET', '/debug', { token, from: '127.0.0.5' })
      const logs = await server.call('GET', '/logs', { token, from: '127.0.0.5' })
      expect([debug.status, logs.status]).toEqual([200, 200])
      await server.kill('SIGTERM')

      const folder = temporaryFolder()
      const bundle = openBundle(folder, debug.bytes, join(server.folders.state, 'vendor/updates.priv'))
      writeFileSync(join(folder, 'logs.tar.gz'), logs.bytes)
      const texts: [string, string][] = [
        ['answers', seen.join('\n')],
        ['access log', server.output()],
        ['logs', gunzip(join(folder, 'logs.tar.gz'))],
        ['debug bundle', bundle],
        ...['log', 'tmp', 'state/tasks'].flatMap((name) => filesIn(join(server.folders.root, name))),
      ]
      // The eyes are open: all of these hold what was asked, and only the secrets are missing.
      expect(server.output()).toContain('/api/v1/admin/version')
      expect(bundle).toContain('storage.conf')
      expect(bundle).toMatch(/manifest\.txt/)
      expect(bundle).toMatch(/included |redacted /)
      for (const [where, text] of texts) {
        if (/tasks\/[^/]+\/(?:input|swap)\//.test(where)) continue
        for (const secret of secrets) expect([where, text.includes(secret)]).toEqual([where, false])
      }
    } finally {
      await server.close()
    }
  })
})

/** Every file below a folder, as text. */
function filesIn(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => [name, readFileSync(name, 'latin1')])
}
const gunzip = (name: string) =>
  spawnSync('sh', ['-c', 'gzip -dc <"$1"', 'sh', name], { encoding: 'latin1', maxBuffer: 1 << 28 }).stdout

/** The debug bundle, decrypted as the vendor does; the logs inside are unpacked too. */
function openBundle(folder: string, bytes: Buffer, key: string): string {
  writeFileSync(join(folder, 'bundle.tar'), bytes)
  const script = `set -e
cd "$1"
tar -xf bundle.tar
openssl pkeyutl -decrypt -inkey "$2" -pkeyopt rsa_padding_mode:pkcs1 -in debug.key.enc -out debug.key
openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass file:debug.key -in debug.tar.gz.enc -out debug.tar.gz
mkdir open
tar -C open -xzf debug.tar.gz
gzip -dc <debug.tar.gz
gzip -dc <open/logs.tar.gz`
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script, 'sh', folder, key], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
}

describe('SEC-15 an upload', () => {
  it('stores nothing of a caller who is not known, and reads no more of it', async () => {
    const appliance = await startAppliance()
    try {
      let most = 0
      const watch = setInterval(() => {
        most = Math.max(most, appliance.incoming().length)
      }, 1)
      for (const form of [
        [file('update', Buffer.alloc(1 << 20))],
        [{ name: 'token', value: 'wrong' }, file('update', Buffer.alloc(1 << 20))],
        [file('update', Buffer.alloc(1 << 20)), { name: 'token', value: TOKEN }],
      ]) {
        const { status } = await appliance.call('POST', '/update', { nobody: true, form })
        expect(status).toBe(403)
        expect(appliance.incoming()).toEqual([])
      }
      clearInterval(watch)
      expect(most).toBe(0)
      // A token before the file is one, though: the original takes it anywhere.
      const known = await appliance.call('POST', '/update', {
        nobody: true,
        form: [{ name: 'token', value: TOKEN }, file('update', 'x')],
      })
      expect(known.status).toBe(202)
      await ended(appliance)
      for (const task of appliance.app.tasks.list()) await appliance.app.tasks.wait(task.id)
    } finally {
      await appliance.close()
    }
  })

  it('SEC-36 of 300 MB goes on while others are served, in bounded memory', async () => {
    const server = await startServer()
    try {
      const memory = () => Number(/VmHWM:\s+(\d+)/.exec(server.read(`/proc/${server.process.pid}/status`))?.[1]) * 1024
      await server.call('GET', '/health')
      const before = memory()
      const { request } = await import('node:http')
      const { port } = new URL(server.url)
      const size = 300 << 20
      const boundary = 'b'
      const head = `--b\r\nContent-Disposition: form-data; name="update"; filename="f"\r\n\r\n`
      const tail = '\r\n--b--\r\n'
      const upload = request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `${PREFIX}/update?hash=${server.hash('POST', '/update')}`,
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': head.length + size + tail.length,
        },
      })
      const answer = new Promise<number | undefined>((resolve, reject) => {
        upload.on('response', (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        upload.on('error', reject)
      })
      upload.write(head)
      const block = Buffer.alloc(1 << 20)
      for (let sent = 0; sent < size; sent += block.length) {
        if (!upload.write(block)) await new Promise((resolve) => upload.once('drain', resolve))
        // Served in the middle of it: the upload cannot end before its last block is sent.
        if (sent % (30 << 20) === 0) {
          for (const path of ['/version', '/health']) expect((await server.call('GET', path)).status).toBe(200)
        }
      }
      expect(server.incoming()).toHaveLength(1)
      upload.end(tail)
      expect(await answer).toBe(202)
      expect(memory() - before).toBeLessThan(150 << 20)
      await ended(server)
    } finally {
      await server.close()
    }
  })

  it('SEC-36 that is restored keeps nobody waiting', async () => {
    const appliance = await startAppliance({ environment: { EDGE_FAULT: 'restore-staged=hang' } })
    try {
      const archive = readFileSync(join(FIXTURES, 'backup_ok.tar'))
      let answered = false
      const restore = appliance.call('POST', '/backup/restore', { form: [file('archive', archive)] }).finally(() => {
        answered = true
      })
      const task = await until('the restore runs', () => appliance.app.tasks.latest('restore'))
      for (let i = 0; i < 50; i++) expect((await appliance.call('GET', '/version')).status).toBe(200)
      expect(answered).toBe(false)
      await appliance.app.tasks.cancel(task.id)
      expect((await restore).status).toBe(400)
    } finally {
      await appliance.close()
    }
  })
})

describe('SEC-28 the listener', () => {
  it('is on loopback by itself, and plain HTTP goes no further unless told in so many words', async () => {
    const server = await startServer({ tls: true })
    try {
      expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:/)
    } finally {
      await server.close()
    }
    await expect(startServer({ args: ['--host', '0.0.0.0'] })).rejects.toThrow(/plain HTTP listens on loopback only/)
  })
})
