// `"privilege": "sudo"` for real: install.sh, sudo and the server as an unprivileged user, in a mount namespace with
// its own users and sudoers. What the namespace hides is a few files of /etc only; the network and all processes are
// the machine's own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeSample } from '../../src/features/installation/sample.ts'
import { FIXTURES, installation, REPOSITORY } from '../api/appliance.ts'
import { type Answer, type CallOptions, call, file, until } from '../api/client.ts'
import { goodPackage } from '../api/packages.ts'
import { layOriginal } from '../fakes/original/lay.ts'

const UID = 4711
const TOKEN = 'sudo-token'
const NAMES = ['passwd', 'group', 'sudoers.d']

const missing = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root can start sudo for somebody else'
  if (spawnSync('sudo', ['-V']).error) return 'sudo is not installed'
  if (spawnSync('setpriv', ['--version']).error) return 'setpriv is not installed'
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) return 'no mount namespace can be made here'
  return undefined
}
const reason = missing()

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-sudo-'))
const at = (...parts: string[]) => join(temp, ...parts)
const folders = { root: at('opt/admin'), sysconf: at('etc/box'), data: at('data'), state: at('state') }
const lib = at('usr/lib/edge-admin')
const script = (name: string) => join(lib, 'scripts', `${name}.sh`)
let holder: ChildProcess
let server: ChildProcess
let output = ''
let url = ''

/** Runs a program in the namespace: as root, or as the server's user. */
const inside = (argv: string[]) => ['nsenter', '-t', String(holder.pid), '-m', '--', ...argv]
const asServer = (argv: string[], env: Record<string, string> = {}) =>
  inside([
    ...['setpriv', '--reuid', String(UID), '--regid', String(UID), '--clear-groups', 'env', '-i'],
    ...Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...env }).map(([name, value]) => `${name}=${value}`),
    ...argv,
  ])
function run([program, ...rest]: string[], env?: NodeJS.ProcessEnv) {
  const ended = spawnSync(program!, rest, { cwd: '/', encoding: 'utf8', timeout: 60_000, ...(env && { env }) })
  return { status: ended.status, output: `${ended.stdout}${ended.stderr}` }
}
const sudo = (argv: string[], env: Record<string, string> = {}) => run(asServer(['sudo', '-n', '--', ...argv], env))
const must = (argv: string[], env?: NodeJS.ProcessEnv) => {
  const { status, output } = run(argv, env)
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${output}`)
}

async function serve(): Promise<void> {
  output = ''
  const command = [join(lib, 'scripts/edge-admin'), 'serve', '--root', folders.root, '--sysconfdir', folders.sysconf]
  const [program, ...rest] = asServer(
    [...command, '--datadir', folders.data, '--statedir', folders.state, '--port', '0'],
    {
      EDGE_FAULT: 'update-started=kill',
    },
  )
  server = spawn(program!, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (chunk) => (output += chunk))
  url = await until('the server listens', () => {
    if (server.exitCode !== null) throw new Error(`the server ended: ${output}`)
    return /"url":"([^"]+)"/.exec(output)?.[1]
  })
}

const ask = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
  call(url, method, `/api/v1/admin${path}`, options.token === undefined ? { ...options, sign: TOKEN } : options)
const ended = (path: string) =>
  until(`${path} ends`, async () => {
    const { status, body } = await ask('GET', path)
    return status === 200 && !body.includes('"status":"running"') && (JSON.parse(body) as Record<string, unknown>)
  })
const tasks = () => readdirSync(join(folders.state, 'tasks')).sort()
const status = (id: string): { status: string; progress: number; pid: number; created_at: string } =>
  JSON.parse(readFileSync(join(folders.state, 'work', id, 'status.json'), 'utf8'))
const statusOf = (id: string) => (existsSync(join(folders.state, 'work', id, 'status.json')) ? status(id) : undefined)
const newest = (kind: string) =>
  tasks()
    .filter((id) => {
      const file = join(folders.state, 'tasks', id, 'request.json')
      return existsSync(file) && readFileSync(file, 'utf8').includes(`"kind":"${kind}"`)
    })
    .at(-1)!
const says = (id: string) => readFileSync(join(folders.state, 'tasks', id, 'log'), 'utf8')
const ownerOf = (path: string) => lstatSync(path).uid
const update = (bytes: Buffer) => ask('POST', '/update', { form: [file('update', bytes)] })
const fingerprint = () =>
  new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).fingerprint256)
      socket.destroy()
    }).once('error', reject)
  })

beforeAll(async () => {
  if (reason) return
  chmodSync(temp, 0o755)
  // The users and the sudoers of the namespace: the machine's, and one more.
  mkdirSync(at('private/sudoers.d'), { recursive: true })
  for (const [name, line] of [
    ['passwd', `admin:*:${UID}:${UID}::/nonexistent:/bin/false\n`],
    ['group', `admin:*:${UID}:\n`],
  ] as const) {
    const lines = readFileSync(`/etc/${name}`, 'utf8')
      .split('\n')
      .filter((text) => text && !text.startsWith('admin:'))
    writeFileSync(at('private', name), `${lines.join('\n')}\n${line}`, { mode: 0o644 })
  }
  const binds = NAMES.map((name) => `mount --bind '${at('private', name)}' /etc/${name}`).join(' && ')
  holder = spawn(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-c', `${binds} && echo ready && exec sleep 600`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let ready = ''
  holder.stdout?.on('data', (chunk) => (ready += chunk))
  await until('the namespace is there', () => ready === 'ready\n')

  const source = installation()
  copyFileSync(join(REPOSITORY, 'install.sh'), join(source, 'install.sh'))
  must(inside(['sh', join(source, 'install.sh')]), {
    PATH: process.env['PATH'],
    PREFIX: at('usr'),
    ETCDIR: at('etc'),
    SYSCONFDIR: folders.sysconf,
    ROOT: folders.root,
    DATADIR: folders.data,
    STATEDIR: folders.state,
    SERVER_USER: 'admin',
  })
  makeSample(folders)
  const configuration = join(folders.sysconf, 'edge-admin.json')
  const value = JSON.parse(readFileSync(configuration, 'utf8')) as Record<string, unknown>
  writeFileSync(configuration, JSON.stringify({ ...value, privilege: 'sudo' }))
  must(inside([script('owners'), 'admin']))
  copyFileSync(at('etc/sudoers.d/edge-admin'), at('private/sudoers.d/edge-admin'))
  chmodSync(at('private/sudoers.d/edge-admin'), 0o440)
  must(inside(['visudo', '-c', '-q']))
  await serve()
}, 60_000)

beforeEach((context) => {
  if (reason) context.skip(reason)
})

afterAll(async () => {
  if (reason) return rmSync(temp, { recursive: true, force: true })
  for (const child of [server, holder]) {
    if (!child || child.exitCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  rmSync(temp, { recursive: true, force: true })
})

describe('the server as an unprivileged user', () => {
  it('runs, and takes a token', async () => {
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${UID}\\s+${UID}`, 'm'))
    expect(existsSync('/etc/sudoers.d/edge-admin') || readFileSync('/etc/passwd', 'utf8').includes(`:${UID}:`)).toBe(
      false,
    )
    const phrase = readFileSync(join(folders.root, 'etc/api.token.setup'), 'utf8').trim()
    const { body } = await ask('POST', '/setup', { token: phrase, form: [{ name: 'newtoken', value: TOKEN }] })
    expect(body).toBe('{"Status":"200 OK"}')
    expect(ownerOf(join(folders.root, 'etc/api.token'))).toBe(UID)
  })

  it('installs an update as root, and tells so to its end', async () => {
    const bytes = await goodPackage(folders, '2.0.0', `id -u >'${at('uid')}'; env >'${at('environment')}'`)
    expect((await update(bytes)).status).toBe(202)
    expect(await ended('/update')).toMatchObject({ status: 'success', percentage: 100 })
    expect(readFileSync(at('uid'), 'utf8')).toBe('0\n')
    expect(readFileSync(at('environment'), 'utf8')).not.toContain('EDGE_FAULT')
    expect(readFileSync(at('environment'), 'utf8')).toContain('EDGE_CONTRACT=1\n')
    expect((await ask('GET', '/version')).body).toBe('{"version":"2.0.0"}')
    expect((await ask('GET', '/update/log')).body).toContain('[SYSTEM] Update successful')
    const { body } = await ask('GET', '/update')
    expect(body).not.toContain('Error')
    expect(status(newest('update')).status).toBe('completed')
  })

  it('puts settings in place', async () => {
    const settings = '{"network":{"hostname":"box","interface":"eth0"},"app":{"name":"x"}}'
    const answer = await ask('POST', '/settings', { form: [file('settings', settings)] })
    expect(answer.status, answer.body).toBe(202)
    const shown = await until('the settings are shown', async () => {
      const { status, body } = await ask('GET', '/settings', { query: { wait: '5' } })
      return status === 200 && body.includes('"box"') && body
    })
    expect(shown).toContain('"name":"x"')
    await until('the task ends', () => statusOf(newest('settings'))?.status === 'completed')
    expect(readFileSync(join(folders.root, 'log/hooks.log'), 'utf8')).toContain('network.sh dhcp')
    expect(ownerOf(join(folders.sysconf, 'network.conf'))).toBe(0)
  })

  it('makes a backup, hands it out, restores it and deletes it', async () => {
    expect((await ask('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })).status).toBe(202)
    expect(await ended('/backup')).toMatchObject({ status: 'success' })
    const { status: code, bytes } = await ask('GET', '/backup/download')
    expect(code).toBe(200)
    const notes = join(folders.data, 'home/user/notes.txt')
    writeFileSync(notes, 'spoilt')
    const restored = await ask('POST', '/backup/restore', { form: [file('archive', bytes)] })
    expect(restored.body, says(newest('restore'))).toBe('{"Status":"200 OK"}')
    expect(readFileSync(notes, 'utf8')).toBe('Something worth a backup.\n')
    expect((await ask('POST', '/backup', { form: [{ name: 'action', value: 'STOP' }] })).status).toBe(202)
    await until('the backup is gone', async () => (await ask('GET', '/backup')).status === 404)
  })

  it('asks the vendor about a license as its own user, for POST and for GET alike', async () => {
    const hook = join(folders.root, 'bin/license.sh')
    const asked = at('asked')
    const secret = at('root-only.key')
    writeFileSync(asked, '')
    chownSync(asked, UID, UID)
    writeFileSync(secret, 'key', { mode: 0o600 })
    const vendor = (more: string) =>
      writeFileSync(
        hook,
        `#!/bin/sh\necho "$(id -u) $(id -g)" >>'${asked}'\n${more}\ncat "$EDGE_ROOT/etc/license.asc"\n`,
        {
          mode: 0o755,
        },
      )
    const post = (text: string) => ask('POST', '/license', { form: [file('license', text)] })
    const installed = join(folders.root, 'etc/license.asc')
    try {
      vendor('')
      const first = await post('{"users":1}')
      expect([first.status, first.body], says(newest('license'))).toEqual([200, '{"users":1}'])
      expect((await ask('GET', '/license')).body).toBe('{"users":1}')
      expect(readFileSync(asked, 'utf8')).toBe(`${UID} ${UID}\n`.repeat(2))
      const { uid, gid, mode } = lstatSync(installed)
      // What only root can read decides nothing: it would be a yes once, and a no ever after.
      vendor(`cat '${secret}' >/dev/null || exit 1`)
      expect((await post('{"users":2}')).status).toBe(400)
      expect((await ask('GET', '/license')).status).toBe(404)
      expect(readFileSync(installed, 'utf8')).toBe('{"users":1}')
      expect(lstatSync(installed)).toMatchObject({ uid, gid, mode })
    } finally {
      rmSync(hook)
      rmSync(installed, { force: true })
    }
  })

  it('asks init scripts as root, as far as they are root’s own, in one call', async () => {
    const init = (name: string, text: string) => {
      mkdirSync(join(folders.sysconf, 'init.d'), { recursive: true })
      writeFileSync(join(folders.sysconf, 'init.d', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    init('needs-root', '[ "$(id -u)" = 0 ] && echo "$1: it is running"')
    init('stopped', 'echo "it is not running"; exit 3')
    init('not-roots', 'echo "it is running"')
    chownSync(join(folders.sysconf, 'init.d/not-roots'), UID, UID)
    const list = join(folders.sysconf, 'allservices.txt')
    const before = readFileSync(list, 'utf8')
    writeFileSync(list, 'needs-root stopped not-roots none\n')
    try {
      const { status: code, body } = await ask('GET', '/services')
      expect([code, JSON.parse(body).services.slice(1)]).toEqual([
        200,
        [
          { 'needs-root': 'running' },
          { stopped: 'not running' },
          { 'not-roots': 'not running' },
          { none: 'not running' },
        ],
      ])
      for (const argv of [[], ['start', 'stopped'], ['status', '../../x'], ['status', 'a;b'], ['status']])
        expect(sudo([script('services'), ...argv]).status, argv.join(' ')).not.toBe(0)
      const fragment = at('private/sudoers.d/edge-admin')
      renameSync(fragment, at('private/fragment'))
      const refused = await ask('GET', '/services').finally(() => renameSync(at('private/fragment'), fragment))
      const why =
        /^The services cannot be queried as root: sudo: .*\. The sudoers fragment of edge-admin is missing, or/
      expect([refused.status, JSON.parse(refused.body)]).toEqual([
        503,
        { Status: '503 Service Unavailable', 'Error-Message': expect.stringMatching(why), 'First-Run': false },
      ])
    } finally {
      writeFileSync(list, before)
      for (const name of ['needs-root', 'stopped', 'not-roots']) rmSync(join(folders.sysconf, 'init.d', name))
    }
  })

  it('hands out the logs', async () => {
    const { status: code, bytes } = await ask('GET', '/logs')
    expect(code, says(newest('logs'))).toBe(200)
    expect(spawnSync('tar', ['-tz'], { input: bytes, encoding: 'utf8' }).stdout).toContain('update.log')
    expect((await ask('GET', '/debug')).status).toBe(200)
  })

  it('takes a certificate, and serves it', async () => {
    const before = await fingerprint()
    const part = (name: string) => readFileSync(join(FIXTURES, name))
    const form = [file('public', part('ec.pem')), file('private', part('ec.key'))]
    expect((await ask('POST', '/certs', { form })).status).toBe(202)
    expect(await ended('/certs'), says(newest('certs'))).toMatchObject({ status: 'success' })
    await until('the new certificate is served', async () => (await fingerprint()) !== before)
    expect(existsSync(join(folders.state, 'tasks', newest('certs'), 'input'))).toBe(false)
    expect(readdirSync(join(folders.state, 'work', newest('certs')))).not.toContain('try')
  })

  it('ends a task whose script was killed, through sudo', async () => {
    const waiting = await goodPackage(folders, '3.0.0', `touch '${at('at-work')}'; while :; do sleep 0.1; done`)
    await update(waiting)
    const id = newest('update')
    await until('the update is at work', () => existsSync(at('at-work')))
    process.kill(status(id).pid, 'SIGKILL')
    expect(await ended('/update')).toMatchObject({ status: 'failed' })
    await until('the task is interrupted', () => status(id).status === 'interrupted')
    expect(readdirSync(join(folders.root, 'tmp'))).toEqual(['incoming'])
    expect((await ask('GET', '/version')).body).toBe('{"version":"2.0.0"}')
  })

  it('leaves nothing of a hook that hangs, whatever session it went to', async () => {
    const hook = join(folders.root, 'bin/network.sh')
    const sample = readFileSync(hook)
    // For the new settings only.
    const hangs = `#!/bin/sh\ngrep -q hung "$EDGE_ROOT/etc/network.json" || exit 0\necho $$ >'${at('hung')}'\nsetsid sleep 654\n`
    writeFileSync(hook, hangs)
    await ask('POST', '/settings', {
      form: [file('settings', '{"network":{"hostname":"hung","interface":"eth0"},"app":{}}')],
    })
    const id = newest('settings')
    await until('the hook hangs', () => existsSync(at('hung')))
    const sleeps = (pid: string) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === ['sleep', '654', ''].join('\0')
      } catch {
        return false
      }
    }
    const alive = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && sleeps(pid))
    await until('it sleeps', () => alive().length > 0)
    process.kill(status(id).pid, 'SIGKILL')
    await until('the task is interrupted', () => status(id).status === 'interrupted')
    expect(alive()).toEqual([])
    writeFileSync(hook, sample)
  })

  it('ends it also when the server was killed with it', async () => {
    rmSync(at('at-work'))
    await update(await goodPackage(folders, '3.0.1', `touch '${at('at-work')}'; while :; do sleep 0.1; done`))
    const id = newest('update')
    await until('the update is at work', () => existsSync(at('at-work')))
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    process.kill(status(id).pid, 'SIGKILL')
    await serve()
    await until('the task is interrupted', () => status(id).status === 'interrupted')
    expect(await ended('/update')).toMatchObject({ status: 'failed' })
  })

  it('enters what the commands of root did, and reads what they made', async () => {
    const command = (...args: string[]) => run(inside([join(lib, 'scripts/edge-admin'), ...args]))
    // As a version before left them.
    for (const name of [join(folders.root, 'etc/entries'), join(folders.state, 'entries')])
      mkdirSync(name, { mode: 0o700 })
    const { output: made, status: code } = command('token', 'metrics', '--root', folders.root)
    expect(code, made).toBe(0)
    expect(command('token', 'rotate', '--root', folders.root).status).toBe(0)
    must(
      inside(['sh', '-c', `echo ${TOKEN} | '${join(lib, 'scripts/edge-admin')}' token set --root '${folders.root}'`]),
    )
    expect(command('user', 'reset', 'admin', '--statedir', folders.state).status).toBe(0)
    const lines = () => readFileSync(join(folders.root, 'log/jidoteki-audit.log'), 'utf8')
    await until('they are entered', () => /local,users\.reset/.test(lines()) && /local,token\.update/.test(lines()))
    expect([server.exitCode, (await ask('GET', '/version')).status]).toEqual([null, 200])
    for (const name of ['api.token', 'metrics.token', 'entries'])
      expect(ownerOf(join(folders.root, 'etc', name)), name).toBe(UID)
    expect(ownerOf(join(folders.state, 'users.json'))).toBe(UID)
    expect((await call(url, 'GET', '/metrics', { headers: { authorization: `Bearer ${made.trim()}` } })).status).toBe(
      200,
    )
    // What was copied there by root's hand.
    for (const name of ['api.token', 'metrics.token', 'entries']) chownSync(join(folders.root, 'etc', name), 0, 0)
    must(inside([script('owners'), 'admin']))
    for (const name of ['api.token', 'metrics.token', 'entries'])
      expect(ownerOf(join(folders.root, 'etc', name)), name).toBe(UID)
  })

  it('stops a running backup', async () => {
    const big = join(folders.data, 'home/big')
    writeFileSync(big, '')
    truncateSync(big, 400_000_000)
    await ask('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })
    const id = newest('backup')
    await until('the backup runs', () => statusOf(id)?.status === 'running')
    // Held where it is; what ends it does not care.
    process.kill(status(id).pid, 'SIGSTOP')
    expect((await ask('POST', '/backup', { form: [{ name: 'action', value: 'STOP' }] })).status).toBe(202)
    expect(status(id).status).toBe('cancelled')
    await until('the backup is gone', async () => (await ask('GET', '/backup')).status === 404)
    expect(readdirSync(join(folders.root, 'home/sftp/uploads')).filter((name) => name.includes('backup'))).toEqual([])
    rmSync(big)
  })
})

/** What the server's user may lay out for root. */
describe('a hostile caller of sudo', () => {
  let number = 0
  /** A task folder, the caller's own. */
  function task(inputs: Record<string, string> = {}): string {
    const folder = join(folders.state, 'tasks', `20260101T000000000Z-${String(++number).padStart(8, '0')}`)
    mkdirSync(join(folder, 'input'), { recursive: true })
    for (const [name, content] of Object.entries(inputs)) writeFileSync(join(folder, 'input', name), content)
    writeFileSync(join(folder, 'status.json'), '{"status":"pending"}')
    for (const path of [folder, join(folder, 'input'), join(folder, 'status.json')]) chownSync(path, UID, UID)
    for (const name of Object.keys(inputs)) chownSync(join(folder, 'input', name), UID, UID)
    return folder
  }
  const work = (folder: string) => join(folders.state, 'work', folder.split('/').at(-1)!)

  it('decides nothing by its environment', () => {
    const evil = at('evil')
    mkdirSync(evil, { recursive: true })
    for (const name of ['id', 'date', 'node', 'stat', 'tar', 'flock']) {
      writeFileSync(join(evil, name), `#!/bin/sh\ntouch '${at('owned')}'\n`, { mode: 0o755 })
    }
    writeFileSync(join(evil, 'evil.cjs'), `require('node:fs').writeFileSync('${at('owned')}', '')`)
    const folder = task()
    const names = ['EDGE_ROOT', 'EDGE_SYSCONFDIR', 'EDGE_DATADIR', 'EDGE_STATEDIR', 'EDGE_PATH', 'EDGE_NETROOT', 'PATH']
    const environment = {
      ...Object.fromEntries(names.map((name) => [name, evil])),
      PATH: `${evil}:/usr/bin:/bin`,
      EDGE_FAULT: 'logs-started=error',
      EDGE_LABEL: 'EVIL',
      NODE_OPTIONS: `--require ${join(evil, 'evil.cjs')}`,
      ENV: join(evil, 'id'),
      SUDO_UID: '',
      IFS: '/',
    }
    const ended = sudo([script('logs'), 'run', folder], environment)
    expect(ended.status, ended.output).toBe(0)
    expect(existsSync(at('owned'))).toBe(false)
    expect(readFileSync(join(folders.root, 'log/update_logs.log'), 'utf8')).not.toContain('EVIL')
    // Not asked for, or not to be had.
    expect(sudo(['-E', script('logs'), 'run', task()], environment).status).not.toBe(0)
    expect(run(asServer(['sudo', '-n', 'EDGE_ROOT=/x', script('logs'), 'run', task()])).status).not.toBe(0)
  })

  it('may start nothing else', () => {
    const folder = task()
    for (const argv of [
      ['/bin/sh'],
      [script('logs')],
      [script('logs'), 'else', folder],
      [script('logs'), 'run', '/etc'],
      [script('logs'), 'run', `${folder}/..`],
      [script('logs'), 'run', `${folder}/../..`],
      [script('logs'), 'run', `${folder}\nx`],
      [script('logs'), 'run', `${folder} x`],
      [script('logs'), 'run', folder, '$(id)'],
      [script('logs'), 'run', folder, '/etc/passwd'],
      [script('owners'), 'admin'],
      [script('boot'), 'network'],
      [join(lib, 'scripts/edge-admin'), 'take', '0', '0', '/root', folder],
      [script('../scripts/logs'), 'run', `${folder}/`],
    ]) {
      expect(sudo(argv).status, argv.join(' ')).not.toBe(0)
    }
    expect(existsSync(work(folder))).toBe(false)
  })

  it('gets nothing read or written through links in its task', () => {
    const secret = at('secret')
    writeFileSync(secret, 'precious', { mode: 0o600 })
    const folder = task()
    rmSync(join(folder, 'status.json'))
    for (const name of ['status.json', 'pid', 'names', 'matches', 'refused', 'input/license.asc']) {
      symlinkSync(secret, join(folder, name))
    }
    expect(sudo([script('license'), 'run', folder]).status).toBe(1)
    expect(readFileSync(join(work(folder), 'status.json'), 'utf8')).toContain('The files of the task cannot be read')
    expect(readFileSync(secret, 'utf8')).toBe('precious')
    // A link for input/, or for the whole folder.
    const hidden = at('hidden')
    mkdirSync(hidden, { mode: 0o700 })
    writeFileSync(join(hidden, 'license.asc'), 'precious')
    const linked = task()
    rmSync(join(linked, 'input'), { recursive: true })
    symlinkSync(hidden, join(linked, 'input'))
    expect(sudo([script('license'), 'run', linked]).status).toBe(1)
    expect(readFileSync(join(work(linked), 'status.json'), 'utf8')).toContain('The files of the task cannot be read')
    expect(existsSync(join(work(linked), 'input'))).toBe(false)
    expect(readdirSync(hidden)).toEqual(['license.asc'])
    symlinkSync('/etc', join(folders.state, 'tasks/link'))
    expect(sudo([script('logs'), 'run', join(folders.state, 'tasks/link')]).status).toBe(64)
  })

  it('has no say in whose a file is that root writes anew', () => {
    const file = join(folders.root, 'etc/status_certs.txt')
    rmSync(file, { force: true })
    writeFileSync(file, 'success\n')
    chownSync(file, UID, UID)
    chmodSync(file, 0o666)
    expect(sudo([script('certs'), 'run', task()]).status).toBe(1)
    const { uid, gid, mode } = lstatSync(file)
    expect([readFileSync(file, 'utf8'), uid, gid, mode & 0o777]).toEqual(['failed\n', 0, UID, 0o644])
    // Root's own keeps what root gave it.
    chmodSync(file, 0o640)
    expect(sudo([script('certs'), 'run', task()]).status).toBe(1)
    expect([lstatSync(file).uid, lstatSync(file).mode & 0o777]).toEqual([0, 0o640])
  })

  it('has a task run once, and cannot touch what root keeps of it', () => {
    const folder = task()
    expect(sudo([script('logs'), 'run', folder]).status).toBe(0)
    expect(sudo([script('logs'), 'run', folder]).status).toBe(77)
    for (const command of [
      `rm -rf ${work(folder)}`,
      `mv ${folders.state}/work ${folders.state}/mine`,
      `mv ${folders.state}/locks ${folders.state}/mine`,
      `echo x >${work(folder)}/status.json`,
      `echo x >>${folders.root}/log/update_logs.log`,
      `mv ${folders.root}/log/update_logs.log ${folders.root}/log/mine`,
      `mv ${folders.root}/bin ${folders.root}/mine`,
      `echo x >${folders.root}/bin/network.sh`,
      `echo x >${folders.root}/tmp/update`,
      `cat ${folders.root}/etc/updates.key`,
      ...['updates.pub', 'version.txt', 'debug.txt'].map((name) => `ln -f /etc/passwd ${folders.root}/etc/${name}`),
      ...['updates.pub', 'version.txt', 'debug.txt'].map(
        (name) => `mv ${folders.root}/etc/${name} ${folders.root}/etc/mine`,
      ),
    ]) {
      const { status: code } = run(asServer(['sh', '-c', `${command} 2>/dev/null`]))
      expect(code, command).not.toBe(0)
    }
  })

  it.each(['updates.pub', 'product.txt', 'debug.txt', 'backup.txt', 'logs.txt', 'updates.key'])(
    'is refused when its own %s lies there',
    (name) => {
      const path = join(folders.root, 'etc', name)
      writeFileSync(path, '', { flag: 'a' })
      const { uid, gid } = lstatSync(path)
      chownSync(path, UID, UID)
      try {
        const ended = sudo([script('debug'), 'run', task()])
        expect(ended).toMatchObject({ status: 77, output: expect.stringContaining(path) })
      } finally {
        chownSync(path, uid, gid)
      }
    },
  )

  it.each(['etc', 'bin', 'home/sftp', ''])('is refused when the folder %s is its own', (name) => {
    const path = join(folders.root, name)
    const { uid, gid } = lstatSync(path)
    chownSync(path, UID, gid)
    try {
      expect(sudo([script('logs'), 'run', task()])).toMatchObject({ status: 77, output: expect.stringContaining(path) })
    } finally {
      chownSync(path, uid, gid)
    }
  })

  it('gets no set-user-id file restored', () => {
    const archive = at('evil.tar')
    mkdirSync(at('tree/home'), { recursive: true })
    copyFileSync('/bin/true', at('tree/home/evil'))
    chmodSync(at('tree/home/evil'), 0o4755)
    must(['tar', '-C', at('tree'), '-cf', archive, 'home'])
    const folder = task()
    copyFileSync(archive, join(folder, 'input/backup-archive.tar'))
    chownSync(join(folder, 'input/backup-archive.tar'), UID, UID)
    expect(sudo([script('restore'), 'run', folder]).status).toBe(1)
    expect(existsSync(join(folders.data, 'home/evil'))).toBe(false)
    expect(readFileSync(join(work(folder), 'status.json'), 'utf8')).toContain('"failed"')
  })

  it('gets no line of a file into its error text', () => {
    const secret = at('line')
    writeFileSync(secret, 'precious line\n', { mode: 0o600 })
    for (const name of ['status_error_code.txt', 'status_error_message.txt']) {
      rmSync(join(folders.root, 'etc', name), { force: true })
      symlinkSync(secret, join(folders.root, 'etc', name))
    }
    // An update that a power cut ended just before its own last status, after it had told of a failure.
    const folder = task()
    mkdirSync(work(folder))
    writeFileSync(join(work(folder), 'status.json'), '{"status":"running","progress":50}')
    writeFileSync(join(folders.root, 'etc/status_update.json'), '{"status":"failed","percentage":50}')
    expect(sudo([script('update'), 'recover', folder]).status).toBe(0)
    expect(status(folder.split('/').at(-1)!).status).toBe('interrupted')
    const texts = [join(work(folder), 'status.json'), join(folders.root, 'log/update.log')]
    for (const path of texts) expect(readFileSync(path, 'utf8')).not.toContain('precious')
    expect(readFileSync(secret, 'utf8')).toBe('precious line\n')
  })

  it('gets no log line through a link', () => {
    const victim = at('victim')
    writeFileSync(victim, 'precious')
    const log = join(folders.root, 'log/update_license.log')
    rmSync(log, { force: true })
    symlinkSync(victim, log)
    sudo([script('license'), 'run', task()])
    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(readFileSync(log, 'utf8')).toContain('Updating license')
    // Its own file in that place is not ours to write to, either.
    rmSync(log)
    writeFileSync(log, 'its own\n')
    chownSync(log, UID, UID)
    sudo([script('license'), 'run', task()])
    expect([ownerOf(log), readFileSync(log, 'utf8').includes('its own')]).toEqual([0, false])
  })
})

it('changes nothing outside its namespace', () => {
  expect(existsSync('/etc/sudoers.d/edge-admin')).toBe(false)
})

describe('edge-admin check', () => {
  const options = ['--root', folders.root, '--sysconfdir', folders.sysconf, '--datadir', folders.data]
  const command = [join(lib, 'scripts/edge-admin'), 'check', ...options, '--statedir', folders.state, '--json']
  function wrong(argv: string[]) {
    const { output } = run(argv)
    const { findings } = JSON.parse(output) as {
      findings: { id: string; level: string; subject: string; message: string }[]
    }
    return {
      ids: findings.map(({ id }) => id),
      wrong: findings
        .filter(({ level }) => level === 'warning' || level === 'error')
        .map(({ id, subject, message }) => [id, subject.replace(`${temp}/`, ''), message]),
    }
  }
  // A test above has left one that names nothing.
  beforeAll(() => rmSync(join(folders.root, 'etc/product.txt'), { force: true }))
  const asRoot = () => wrong(inside(command))
  const asUser = () => wrong(asServer(command))

  it('has nothing against this installation, as root and as the server’s user', () => {
    const root = asRoot()
    expect(root.wrong).toEqual([])
    expect(root.ids).toEqual(expect.arrayContaining(['sudo.version', 'sudo.fragment', 'owners.ok', 'folders.ok']))
    const user = asUser()
    expect(user.wrong).toEqual([])
    expect(user.ids).toEqual(expect.arrayContaining(['sudo.fragment', 'keys.unseen']))
  })

  it('says that sudo refuses a user who is not in /etc/shadow', () => {
    const passwd = at('private/passwd')
    const text = readFileSync(passwd, 'utf8')
    writeFileSync(passwd, text.replace('\nadmin:*:', '\nadmin:x:'))
    try {
      expect(sudo([script('services'), 'status', 'x']).output).toContain('account validation failure')
      const found = (look: typeof asRoot) => look().wrong.filter(([id]) => id?.startsWith('sudo.'))
      expect(found(asRoot)).toEqual([
        ['sudo.account', '/etc/shadow', 'it has no line for admin, and sudo refuses users without one'],
      ])
      // It cannot look there, and goes by what sudo says.
      expect(found(asUser)).toEqual([
        ['sudo.account', '/usr/bin/sudo', 'it considers the account of admin locked or expired'],
      ])
    } finally {
      writeFileSync(passwd, text)
    }
  })

  it('says what would stop every task, before one is asked for', () => {
    const fragment = at('private/sudoers.d/edge-admin')
    const text = readFileSync(fragment, 'utf8')
    const key = join(folders.root, 'etc/updates.key')
    rmSync(fragment)
    chownSync(key, UID, UID)
    try {
      for (const look of [asRoot, asUser])
        expect(look().wrong.map(([id, subject]) => [id, subject])).toEqual(
          expect.arrayContaining([
            ['sudo.fragment-missing', '/usr/bin/sudo'],
            ['owners.not-root', 'opt/admin/etc/updates.key'],
          ]),
        )
    } finally {
      chownSync(key, 0, 0)
      writeFileSync(fragment, text, { mode: 0o440 })
    }
  })

  it('says that the server may not read its token', () => {
    const token = join(folders.root, 'etc/api.token')
    chownSync(token, 0, UID)
    try {
      for (const look of [asRoot, asUser]) expect(look().wrong.map(([id]) => id)).toEqual(['keys.token-closed'])
    } finally {
      chownSync(token, UID, UID)
    }
  })
})

describe('with the original’s wrapper', () => {
  it('lets its scripts do the work as root, and can read the token that they leave', async () => {
    const { wrapper, calls } = layOriginal(folders)
    const edit = (name: string, change: (text: string) => string) =>
      writeFileSync(name, change(readFileSync(name, 'utf8')))
    edit(join(lib, 'scripts/settings'), (text) => text.replace(/^EDGE_WRAPPER=.*$/m, `EDGE_WRAPPER='${wrapper}'`))
    edit(join(folders.sysconf, 'edge-admin.json'), (text) => JSON.stringify({ ...JSON.parse(text), wrapper }))
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGTERM')
    await gone
    await serve()
    const set = (token: string, value: string) =>
      ask('POST', '/setup', { token, form: [{ name: 'newtoken', value }] }).then(({ status }) => status)
    expect([await set(TOKEN, 'another'), await set('another', TOKEN)]).toEqual([200, 200])
    expect(ownerOf(join(folders.root, 'etc/api.token'))).toBe(UID)
    const { status } = await ask('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })
    expect([status, (await ended('/backup'))['status']]).toEqual([202, 'success'])
    await until('the task ends', () => statusOf(newest('backup'))?.status === 'completed')
    expect(calls()).toEqual(['token 0', 'token 0', 'backup 1 START'])
    // Settings of the server's user, and none beside its own network-config, which the original would take as root.
    const settings = (conf: string) => {
      const id = `20260101T000000000Z-wrapped${Math.random().toString(36).slice(2)}`
      const folder = join(folders.state, 'tasks', id)
      const inputs = { 'app.json': '{}', 'network.json': '{}', 'network.conf': conf }
      mkdirSync(join(folder, 'input'), { recursive: true })
      for (const [name, text] of Object.entries(inputs)) writeFileSync(join(folder, 'input', name), text)
      for (const path of [folder, join(folder, 'input')]) chownSync(path, UID, UID)
      run(asServer(['sudo', '-n', script('wrapper'), 'run', folder, 'settings', 'dhcp']))
      const { status, error } = JSON.parse(readFileSync(join(folders.state, 'work', id, 'status.json'), 'utf8'))
      return (error?.message ?? status) as string
    }
    expect(settings(`mode=dhcp\nx=$(touch '${at('rooted')}')\n`)).toBe('Invalid or missing settings file')
    const given = join(folders.root, 'home/sftp/uploads/network-config')
    must(asServer(['sh', '-c', `echo x=y >'${given}'`]))
    expect(settings('mode=dhcp\n')).toBe(`Must belong to root and be writable by nobody else: ${given}`)
    rmSync(given)
    expect([settings('mode=dhcp\n'), existsSync(at('rooted'))]).toEqual(['completed', false])
    expect(calls().slice(3)).toEqual(['settings 1 dhcp'])
    // One that somebody else may change is not root's to run.
    chmodSync(wrapper, 0o777)
    expect(await set(TOKEN, 'never')).toBe(400)
    chmodSync(wrapper, 0o755)
    expect(statusOf(newest('token'))).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('must belong to root'),
    })
    // What it said last lies in a log that the server opened.
    edit(wrapper, () => '#!/bin/sh\necho no room for it\nexit 3\n')
    expect(await set(TOKEN, 'never')).toBe(400)
    expect(statusOf(newest('token'))).toMatchObject({
      status: 'failed',
      message: 'wrapper.sh ended with exit status 3: no room for it',
    })
  })
})
