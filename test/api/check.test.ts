// `edge-admin check` as the built program, and its short form in a server: on the sample appliance, before and after something is broken.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { CheckDocument } from '../../src/features/check/document.ts'
import { error, isWrong } from '../../src/features/check/finding.ts'
import {
  type InProcess,
  installation,
  isRoot,
  REPOSITORY,
  type Server,
  startAppliance,
  startServer,
  TOKEN,
  temporaryFolder,
} from './appliance.ts'
import { until } from './client.ts'
import { signIn } from './console.ts'
import { addCaller, PASSWORD } from './controller.ts'

const folder = join(temporaryFolder(), 'sample')
const places = (root: string) =>
  ['--root', root, '--sysconfdir', join(root, 'sysconf'), '--datadir', join(root, 'data')].concat(
    '--statedir',
    join(root, 'state'),
  )
function run(...args: string[]) {
  const ended = spawnSync(process.execPath, [join(installation(), 'edge-admin.js'), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status: ended.status, out: ended.stdout, err: ended.stderr }
}
const check = (...more: string[]) => run('check', ...places(folder), ...more)
const findings = (...more: string[]) => CheckDocument.parse(JSON.parse(check('--json', ...more).out)).findings
const idsOf = (subject: string) =>
  findings()
    .filter((one) => one.subject === join(folder, subject))
    .map(({ id }) => id)

describe('the program', () => {
  beforeAll(() => {
    expect(run('init', '--root', folder, '--sample')).toMatchObject({ status: 0, err: '' })
  })

  it('finds nothing wrong with the sample appliance, and says so in its last line', () => {
    const { status, out, err } = check()
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/\n0 errors, 0 warnings, \d+ notes; \d+ in order\n$/)
    expect(out).not.toMatch(/^(warning|error)/m)
  })

  it('says what is broken and how to mend it, in words and as JSON, and ends with 1', () => {
    rmSync(join(folder, 'etc/logs.txt'))
    chmodSync(join(folder, 'bin/network.sh'), 0o644)
    const { status, out } = check()
    expect(status).toBe(1)
    expect(out.split('\n')[0]).toMatch(
      /^error {4}.*\/bin\/network\.sh: it cannot be started.* \[hooks\.not-executable\]$/,
    )
    expect(out.split('\n')[1]).toMatch(/^ {9}chmod 755 /)
    expect(out).toContain('[lists.missing]')
    expect([idsOf('etc/logs.txt'), idsOf('bin/network.sh')]).toEqual([['lists.missing'], ['hooks.not-executable']])
    chmodSync(join(folder, 'bin/network.sh'), 0o755)
    writeFileSync(join(folder, 'etc/logs.txt'), '')
    expect(check().status).toBe(0)
  })

  it('finds a disk that is full and one that is read-only', (context) => {
    const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
    if (!isRoot || !canMount) return context.skip('it takes root and unshare(1) to mount a small disk')
    const command = 'mount -t tmpfs -o size=256k none "$1" && mount -o "$2" "$1" && shift 2 && exec "$@"'
    const program = [process.execPath, join(installation(), 'edge-admin.js'), 'check', ...places(folder), '--json']
    const on = (options: string) => {
      const args = ['-m', 'sh', '-c', command, 'sh', join(folder, 'log'), options, ...program]
      const { stdout } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 })
      const { findings } = CheckDocument.parse(JSON.parse(stdout))
      return findings.filter(isWrong).map(({ id, subject }) => [id, subject])
    }
    expect(on('remount,rw')).toEqual([['space.none', join(folder, 'log')]])
    expect(on('remount,ro')).toEqual(expect.arrayContaining([['folders.read-only', join(folder, 'log')]]))
  })

  it('takes a wrong configuration for a finding, and names the key', () => {
    const file = join(folder, 'sysconf/edge-admin.json')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, '{"lable":"BOX"}')
    const { status, out } = check()
    writeFileSync(file, before)
    expect(status).toBe(1)
    expect(out).toMatch(/^error {4}.*edge-admin\.json: .*lable.*\[configuration\.wrong\]$/m)
  })

  it('names a key of the configuration that has moved, and where it is now', () => {
    const file = join(folder, 'sysconf/edge-admin.json')
    const before = readFileSync(file, 'utf8')
    const { storage, ...rest } = JSON.parse(before)
    writeFileSync(file, JSON.stringify({ ...rest, surfaces: { controller: { enabled: true, ...storage } } }))
    const { status, out } = check()
    writeFileSync(file, before)
    expect(status).toBe(1)
    expect(out).toMatch(
      /^warning .*surfaces\.controller\.file-vdevs is called storage\.file-vdevs now.*\[configuration\.moved-key\]$/m,
    )
    expect(out).not.toContain('[configuration.wrong]')
  })

  it('finds an empty image wanting, without an end of its own', () => {
    const empty = join(temporaryFolder(), 'empty')
    const { status, out } = run('check', ...places(empty))
    expect(status).toBe(1)
    expect(out).toContain(`${empty}: there is no such folder [folders.missing]`)
    expect(out.match(/folders\.missing/g)).toHaveLength(1)
    expect(out).toContain(`edge-admin init --root ${empty}`)
  })

  it('looks at the folders of its own installation, unless it is told of others', () => {
    const own = join(temporaryFolder(), 'own')
    cpSync(installation(), own, { recursive: true })
    const folders = { root: '/opt/box', sysconf: '/etc/box', data: '/srv/data', state: '/var/box' }
    const names = {
      EDGE_ROOT: 'root',
      EDGE_SYSCONFDIR: 'sysconf',
      EDGE_DATADIR: 'data',
      EDGE_STATEDIR: 'state',
    } as const
    const lines = Object.entries(names).map(([name, folder]) => `${name}='${folders[folder]}'\n`)
    writeFileSync(join(own, 'scripts/settings'), lines.join(''))
    const asked = (...more: string[]) => {
      const args = [join(own, 'edge-admin.js'), 'check', '--json', ...more]
      return CheckDocument.parse(JSON.parse(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout)).folders
    }
    expect(asked()).toEqual(folders)
    expect(asked('--datadir', '/else')).toEqual({ ...folders, data: '/else' })
  })

  it('counts what it found, and sends nothing to a terminal that it would obey', () => {
    const odd = join(temporaryFolder(), 'a\x1b[2Jb\nc')
    const { out } = run('check', ...places(odd))
    expect([out.includes('a?[2Jb?c'), out.includes('\x1b')]).toEqual([true, false])
    const document = CheckDocument.parse(JSON.parse(run('check', ...places(odd), '--json').out))
    const counts = { ok: 0, note: 0, warning: 0, error: 0 }
    for (const { level } of document.findings) counts[level]++
    expect([document.counts, document.well]).toEqual([counts, false])
  })

  it('says of an original what a migration would change, and changes nothing', () => {
    const root = join(temporaryFolder(), 'tinyadmin')
    for (const name of ['etc', 'bin', 'log', 'sysconf']) mkdirSync(join(root, name), { recursive: true })
    writeFileSync(join(root, 'etc/api.token'), 'my-token\n')
    for (const name of ['wrapper.sh', 'update_vm.sh', 'update_certs.sh'])
      writeFileSync(join(root, 'bin', name), '#!/bin/sh\n', { mode: 0o755 })
    mkdirSync(join(root, 'sysconf/init.d'))
    const variables = [
      'export JIDO_API_PORT=8080',
      'JIDO_WITH_SSL="true"',
      "export JIDO_API_CUSTOM='mine'",
      `JIDO_ADMIN_PATH=${root}/`,
    ]
    writeFileSync(join(root, 'sysconf/init.d/jidoteki-admin-api'), `#!/bin/sh\n${variables.join('\n')}\n`)
    writeFileSync(join(root, 'sysconf/jidoteki-admin-api.json'), '{"endpoints":["backup"],"parameters":["action"]}')
    const { out } = run('check', '--from-original', root, ...places(root).slice(2), '--json')
    const found = CheckDocument.parse(JSON.parse(out)).findings
    const about = (id: string) =>
      found.filter((one) => one.id === id).map(({ subject }) => subject.replace(`${root}/`, ''))
    expect(about('migration.token')).toEqual(['etc/api.token'])
    expect(about('migration.scripts')).toEqual([join(root, 'bin').replace(`${root}/`, '')])
    expect(about('migration.wrapper')).toEqual(['bin/wrapper.sh'])
    expect(about('migration.port')).toHaveLength(1)
    expect(about('migration.variable')).toEqual(['JIDO_WITH_SSL=true', 'JIDO_API_PORT=8080'])
    expect(about('migration.own-pages')).toEqual(['JIDO_API_CUSTOM=mine'])
    expect(about('migration.other-folder')).toEqual([])
    expect(about('migration.parameters')).toEqual(['sysconf/jidoteki-admin-api.json'])
    expect(about('lists.missing')).toContain('etc/logs.txt')
    expect(readFileSync(join(root, 'etc/api.token'), 'utf8')).toBe('my-token\n')
    expect(run('check', '--from-original', root, '--root', root).status).toBe(64)
    for (const name of ['misspelled', 'sysconf/jidoteki-admin-api.json']) {
      const wrong = run('check', '--from-original', join(root, name))
      expect([wrong.status, wrong.out, wrong.err]).toEqual([
        64,
        '',
        `edge-admin check: --from-original: there is no folder ${join(root, name)}\n`,
      ])
    }
  })

  it('prints what docs/check.schema.json says', () => {
    const file = join(REPOSITORY, 'docs/check.schema.json')
    const schema = `${JSON.stringify(z.toJSONSchema(CheckDocument), null, 2)}\n`
    if (process.env['UPDATE']) writeFileSync(file, schema)
    expect(readFileSync(file, 'utf8')).toBe(schema)
  })
})

describe('a server', () => {
  let server: Server
  afterAll(() => server?.close())

  it('says in its log what is wrong, in one line each, and answers meanwhile', async () => {
    server = await startServer({ prepare: ({ root }) => rmSync(join(root, 'etc/debug.txt')) })
    expect((await server.call('GET', '/version')).status).toBe(200)
    const line = await until('it has looked', () => /^.*"check":"lists\.missing".*$/m.exec(server.output())?.[0])
    expect(JSON.parse(line)).toMatchObject({
      level: 40,
      msg: expect.stringMatching(/debug\.txt: it is not there.*To fix it: /),
    })
  })

  it('says nothing of an appliance in order', async () => {
    // The one finding of the first test is all that there is to say of it.
    expect(server.output().match(/"check":/g)).toHaveLength(1)
  })
})

describe('the console', () => {
  let appliance: InProcess
  let wrong = [error('lists.missing', '/etc/logs.txt', 'it is not there', 'Write it.')]
  beforeAll(async () => {
    appliance = await startAppliance({ config: { surfaces: { controller: { enabled: true } } }, findings: () => wrong })
  })
  afterAll(() => appliance?.close())

  it('shows it to administrators, and to nobody who could not mend it, until it is mended', async () => {
    await addCaller(appliance.folders, 'viewer', 'looker')
    const viewer = await signIn(appliance.url, { username: 'looker', password: PASSWORD })
    const token = await signIn(appliance.url, { token: TOKEN })
    const shown = async (who: typeof viewer) =>
      (await who.ask('GET', '/console/overview')).json.attention.filter(
        ({ subject }: { subject: string }) => subject === '/etc/logs.txt',
      )
    expect(await shown(viewer)).toEqual([])
    expect(await shown(token)).toEqual([
      { severity: 'error', subject: '/etc/logs.txt', message: 'it is not there', mend: 'Write it.', link: '' },
    ])
    wrong = []
    expect(await shown(token)).toEqual([])
  })
})
