// `wrapper` in the configuration: the whole admin surface through stand-ins that behave like the original's
// bin/wrapper.sh and refuse what its server would not send (test/fakes/original). A refused call is a line of its log,
// so each test looks at that as well.
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { layMemoryTool, layOriginal, type MemoryTool, type Original } from '../fakes/original/lay.ts'
import { FIXTURES, type InProcess, installation, isRoot, startAppliance, TOKEN } from './appliance.ts'
import { file, until } from './client.ts'
import { ended, goodPackage } from './packages.ts'

const fixture = (name: string) => readFileSync(join(FIXTURES, name))
let box: InProcess
let original: Original
let tool: MemoryTool
const at = (name: string) => join(box.folders.root, name)
const uploads = (): string[] => readdirSync(at('home/sftp/uploads')).sort()

beforeAll(async () => {
  const environment: Record<string, string> = {}
  box = await startAppliance({
    environment,
    fixtureKeys: true,
    scripts: join(installation(), 'scripts'),
    configure(folders) {
      original = layOriginal(folders)
      tool = layMemoryTool(original.prefix, [
        ...['api.token', 'app.json', 'license.asc'].map((name) => join(folders.root, 'etc', name)),
        join(folders.sysconf, 'network.conf'),
      ])
      environment['EDGE_NETROOT'] = original.prefix
      return { wrapper: original.wrapper }
    },
  })
})
afterAll(() => box.close())
let before: number
afterEach(() => {
  expect(original.calls().filter((line) => line.startsWith('refused'))).toEqual([])
})
const since = () => original.calls().slice(before)
const begin = () => {
  before = original.calls().length
}
const settled = (lock: string) =>
  until(`${lock} has ended`, () => !box.app.tasks.isRunning(lock) && !box.app.tasks.isClaimed(lock))
const last = (kind: string) => box.app.tasks.latest(kind)

describe('settings', () => {
  it.each([
    [
      'static',
      {
        interface: 'eth0',
        hostname: 'one.host',
        ip_address: '192.0.2.7',
        netmask: '255.255.255.0',
        gateway: '192.0.2.1',
      },
    ],
    ['dhcp', { interface: 'eth0', hostname: 'two.host' }],
  ])('%s', async (mode, network) => {
    begin()
    const { status } = await box.call('POST', '/settings', {
      form: [file('settings', JSON.stringify({ network, app: { mode } }))],
    })
    expect(status).toBe(202)
    await settled('settings')
    const now = JSON.parse((await box.call('GET', '/settings')).body)
    expect([last('settings')?.status, now.network.hostname, now.app]).toEqual(['completed', network.hostname, { mode }])
    expect(since()).toEqual([`settings 1 ${mode}`])
    expect(readFileSync(join(box.folders.sysconf, 'network.conf'), 'utf8')).toContain(`mode=${mode}\n`)
    expect(readFileSync(at('log/hooks.log'), 'utf8')).toContain(`network.sh ${mode}\n`)
    expect(uploads().filter((name) => /json|conf/.test(name))).toEqual([])
    if (isRoot)
      expect([statSync(at('etc/network.json')).gid, statSync(at('etc/network.json')).mode & 0o777]).toEqual([
        997, 0o640,
      ])
  })
})

describe('storage', () => {
  it('is handed over', async () => {
    begin()
    const storage = { storage: { type: 'nfs', ip: '192.0.2.9', share: '/export', mount_options: 'rw,soft' } }
    expect((await box.call('POST', '/storage', { form: [file('settings', JSON.stringify(storage))] })).status).toBe(202)
    await settled('storage')
    expect(JSON.parse((await box.call('GET', '/storage')).body)).toMatchObject(storage)
    expect(since()).toEqual(['storage 0'])
  })
})

describe('certs', () => {
  it('are handed over, with the authority', async () => {
    begin()
    const form = [
      file('public', fixture('rsa.pem')),
      file('private', fixture('rsa.key')),
      file('ca', fixture('ca.pem')),
    ]
    expect((await box.call('POST', '/certs', { form })).status).toBe(202)
    await settled('certs')
    expect(JSON.parse((await box.call('GET', '/certs')).body).status).toBe('success')
    expect(since()).toEqual(['certs 0'])
    expect(uploads().filter((name) => /appliance|ca\.pem/.test(name))).toEqual([])
  })
})

describe('a backup', () => {
  const post = (action: string) => box.call('POST', '/backup', { form: [{ name: 'action', value: action }] })
  const state = async () => {
    const { status, body } = await box.call('GET', '/backup')
    return status === 200 ? (JSON.parse(body).status as string) : String(status)
  }

  it('is made, taken away, restored and deleted', async () => {
    begin()
    expect((await post('START')).status).toBe(202)
    await settled('backup')
    expect(await state()).toBe('success')
    const archive = await box.call('GET', '/backup/download')
    expect([archive.status, archive.headers['content-type']]).toEqual([200, 'application/x-tar'])
    const kept = join(box.folders.data, 'etc/app.conf')
    const old = readFileSync(kept, 'utf8')
    writeFileSync(kept, 'spoilt')
    const restored = await box.call('POST', '/backup/restore', { form: [file('archive', archive.bytes)] })
    expect([restored.status, readFileSync(kept, 'utf8')]).toEqual([200, old])
    expect(uploads()).not.toContain('backup-archive.tar')
    expect((await post('STOP')).status).toBe(202)
    await settled('backup')
    expect(await state()).toBe('404')
    expect(since()).toEqual(['backup 1 START', 'backup 1 RESTORE', 'backup 1 STOP'])
  })

  it('that runs is stopped in the original’s way, and leaves nothing that stops the next one', async () => {
    begin()
    writeFileSync(at('tmp/hold-backup'), '')
    await post('START')
    await until('the backup is being made', () =>
      box.read(at('log/update_backup.log')).trimEnd().endsWith('Starting backup'),
    )
    expect(await state()).toBe('running')
    expect((await post('STOP')).status).toBe(202)
    await settled('backup')
    expect([await state(), readdirSync(join(original.prefix, 'tmp'))]).toEqual(['404', []])
    expect(box.read(at('log/update_backup.log'))).toContain('Stopping backup')
    rmSync(at('tmp/hold-backup'))
    await post('START')
    await settled('backup')
    expect(await state()).toBe('success')
    expect(since().at(-1)).toBe('backup 1 START')
  })

  it('that is no archive is refused before it, and one that it cannot unpack after it', async () => {
    begin()
    const restore = (bytes: Buffer) => box.call('POST', '/backup/restore', { form: [file('archive', bytes)] })
    expect((await restore(Buffer.from('no archive'))).status).toBe(400)
    expect(since()).toEqual([])
    // The original looks at its lock only.
    writeFileSync(join(original.prefix, 'tmp/update_backup.sh.task'), '1\n')
    const { status, body } = await restore(fixture('backup_ok.tar'))
    expect([status, JSON.parse(body)['Error-Message']]).toEqual([400, 'Unable to extract backup archive'])
    rmSync(join(original.prefix, 'tmp/update_backup.sh.task'))
    expect(uploads()).not.toContain('backup-archive.tar')
  })
})

describe('an update', () => {
  it('is handed over, and tells how it goes', async () => {
    begin()
    const good = await goodPackage(box.folders, '9.0.0')
    expect((await box.call('POST', '/update', { form: [file('update', good)] })).status).toBe(202)
    expect(await ended(box)).toMatchObject({ status: 'success', percentage: 100 })
    expect((await box.call('GET', '/version')).body).toBe('{"version":"9.0.0"}')
    await settled('update')
    expect(since()).toEqual(['update 0'])
    expect((await box.call('POST', '/update', { form: [file('update', fixture('pkg_garbage.enc'))] })).status).toBe(202)
    expect(await ended(box)).toMatchObject({ status: 'failed', 'error-code': 'E1005' })
    await settled('update')
    expect(uploads().filter((name) => name.startsWith('software'))).toEqual([])
  })

  it('finds its package readable for the server and for root alone, as docs/vendors.md says', async () => {
    const text = readFileSync(original.wrapper)
    const look = `stat -c '%a %u' '${at('home/sftp/uploads/software_package-zzz.enc')}' >'${at('log/seen')}'`
    writeFileSync(original.wrapper, `#!/bin/sh\n${look}; exit 1\n`)
    await box.call('POST', '/update', { form: [file('update', fixture('pkg_garbage.enc'))] })
    await settled('update')
    writeFileSync(original.wrapper, text)
    expect(box.read(at('log/seen'))).toBe(`600 ${process.getuid?.()}\n`)
    expect(uploads().filter((name) => name.startsWith('software'))).toEqual([])
  })

  it('whose wrapper does not start says so in its task, and to clients in the original’s words', async () => {
    chmodSync(original.wrapper, 0o644)
    expect((await box.call('POST', '/update', { form: [file('update', fixture('pkg_garbage.enc'))] })).status).toBe(202)
    await settled('update')
    chmodSync(original.wrapper, 0o755)
    expect(last('update')?.message).toBe('wrapper.sh is not executable')
    const told = { status: 'failed', 'error-code': 'E1000', 'error-message': 'Script error' }
    expect(await ended(box)).toMatchObject(told)
    expect(box.read(at('etc/status_error_message.txt'))).toBe('Script error\n')
  })
})

describe('a license', () => {
  it('reaches the original’s script under its name', async () => {
    begin()
    const save = `'${original.prefix}/usr/bin/symlinktool.sh'`
    // Somebody saves the state while the vendor looks at what it then refuses.
    const no = `${save} -c sda1 && ${save} -r sda1; exit 1`
    const yes = `grep -q good '${at('etc/license.asc')}' && echo '{"app":"x"}' && exit`
    writeFileSync(at('bin/license.sh'), `#!/bin/sh\n${yes}\n${no}\n`)
    chmodSync(at('bin/license.sh'), 0o755)
    // The first one: the original has saved it when the vendor refuses it.
    rmSync(at('etc/license.asc'), { force: true })
    const first = await box.call('POST', '/license', { form: [file('license', 'a bad one\n')] })
    expect([first.status, since()]).toEqual([400, ['license 0']])
    tool.boot()
    expect(lstatSync(at('etc/license.asc'), { throwIfNoEntry: false })).toBeUndefined()
    begin()
    await box.call('POST', '/license', { form: [file('license', 'a good one\n')] })
    expect([since(), box.read(at('etc/license.asc'))]).toEqual([['license 0'], 'a good one\n'])
    const { status } = await box.call('POST', '/license', { form: [file('license', 'a bad one\n')] })
    const saved = readFileSync(join(tool.disk, 'sda1', at('etc/license.asc')), 'utf8')
    expect([status, box.read(at('etc/license.asc')), saved]).toEqual([400, 'a good one\n', 'a good one\n'])
    rmSync(at('bin/license.sh'))
  })
})

describe('logs and the debug bundle', () => {
  it('are made by the original’s scripts, and downloaded', async () => {
    begin()
    writeFileSync(at('etc/debug.txt'), 'uname -a; no more\n')
    const logs = await box.call('GET', '/logs')
    expect([logs.status, logs.bytes.subarray(0, 2)]).toEqual([200, Buffer.from([0x1f, 0x8b])])
    const debug = await box.call('GET', '/debug')
    expect([debug.status, since()]).toEqual([200, ['logs 0', 'debug 0']])
    const names = execFileSync('tar', ['-t'], { input: debug.bytes, encoding: 'utf8' })
    expect(names).toBe('debug.key.enc\ndebug.tar.gz.enc\n')
  })
})

it('services are told by the server itself', async () => {
  begin()
  const { status, body } = await box.call('GET', '/services')
  expect([status, JSON.parse(body).services[0], since()]).toEqual([200, { 'jidoteki-admin-api': 'running' }, []])
})

it('reboot is asked for without an argument, after the state was saved', async () => {
  begin()
  const calls = tool.calls().length
  expect((await box.call('POST', '/reboot')).status).toBe(202)
  await settled('reboot')
  expect([since(), tool.calls().slice(calls)]).toEqual([['reboot 0'], ['-c sda1', '-r sda1']])
  expect(readFileSync(at('log/hooks.log'), 'utf8')).toContain('reboot.sh')
})

describe('the token', () => {
  const set = (sign: string, value: string) => box.call('POST', '/setup', { sign, form: [{ name: 'newtoken', value }] })
  const works = async (sign: string) => (await box.call('GET', '/version', { sign })).status

  it('goes through the wrapper, which makes it persistent, and the next one replaces the link', async () => {
    begin()
    const calls = tool.calls().length
    expect((await set(TOKEN, 'second-token')).status).toBe(200)
    expect([since(), tool.calls().slice(calls)]).toEqual([['token 0'], ['-c sda1', '-r sda1']])
    expect([await works(TOKEN), await works('second-token')]).toEqual([403, 200])
    const copy = readFileSync(join(tool.disk, 'sda1', at('etc/api.token')), 'utf8')
    expect(copy).toContain('second-token')
    expect(uploads()).not.toContain('api.token')
    expect((await set('second-token', TOKEN)).status).toBe(200)
    expect([await works('second-token'), await works(TOKEN)]).toEqual([403, 200])
    expect(box.audit().filter((line) => line.includes('token.update.success'))).toHaveLength(2)
    expect(box.warnings.filter((text) => text.includes('token'))).toEqual([])
  })

  it('stays what it was when the wrapper fails, and the answer says so', async () => {
    const lock = join(original.prefix, 'tmp/update_token.sh.task')
    writeFileSync(lock, '')
    const { status, body } = await set(TOKEN, 'never-in-force')
    rmSync(lock)
    expect([status, JSON.parse(body)['Error-Message']]).toEqual([
      400,
      'The token was not changed: see the log of the task',
    ])
    expect([await works(TOKEN), await works('never-in-force')]).toEqual([200, 403])
    expect(uploads()).not.toContain('api.token')
    expect(box.audit().filter((line) => line.includes('token.update.refused'))).toHaveLength(1)
  })

  it('is in force although its state could not be saved', async () => {
    writeFileSync(join(original.prefix, 'tool-fails'), '')
    expect((await set(TOKEN, 'not-saved')).status).toBe(200)
    rmSync(join(original.prefix, 'tool-fails'))
    expect(await works('not-saved')).toBe(200)
    expect((await set('not-saved', TOKEN)).status).toBe(200)
  })
})
