// `make install` and `make dist`: what a vendor puts into an image, started from there. The files name the appliance's
// paths, so what is started from DESTDIR is given its folders by hand.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { brokenLinks } from './markdown-links.ts'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS)/.test(name)))
const temp = mkdtempSync(join(tmpdir(), 'edge-admin-install-'))
const image = join(temp, 'image')
const lib = '/usr/lib/edge-admin'
const make = (...args: string[]) => execFileSync('make', ['-s', ...args], { cwd: repository, env, encoding: 'utf8' })
const inImage = (path: string) => join(image, path)
const text = (path: string) => readFileSync(inImage(path), 'utf8')
const mode = (path: string) => (statSync(inImage(path)).mode & 0o777).toString(8)

beforeAll(() => {
  make('install', `DESTDIR=${image}`, 'ROOT=/opt/box/admin', 'DATADIR=/srv/data')
}, 120_000)
afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** Starts the installed server from another folder and answers what GET /version says. */
async function version(command: string): Promise<string> {
  const folder = mkdtempSync(join(temp, 'appliance-'))
  const plain = { PATH: env['PATH'] }
  execFileSync(command, ['init', '--root', folder, '--sample'], { cwd: '/', env: plain })
  const folders = ['sysconf', 'data', 'state'].flatMap((name) => [`--${name}dir`, join(folder, name)])
  const server = spawn(command, ['serve', '--root', folder, ...folders, '--port', '0'], { cwd: '/', env: plain })
  try {
    const url = await listening(server)
    const ca = join(folder, 'sysconf/pki/tls/certs/enterprise.crt')
    const curl = (...args: string[]) =>
      execFileSync('curl', ['-sS', '-m', '15', '--cacert', ca, ...args], { encoding: 'utf8' })
    const phrase = readFileSync(join(folder, 'etc/api.token.setup'), 'utf8').trim()
    expect(curl('-F', 'newtoken=secret', `${url}/api/v1/admin/setup?token=${phrase}`)).toBe('{"Status":"200 OK"}')
    return curl(`${url}/api/v1/admin/version?token=secret`)
  } finally {
    const end = once(server, 'exit')
    server.kill()
    await end
  }
}

async function listening(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) {
    const url = /"url":"([^"]+)".*"listening"/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('the server ended before it listened')
}

it('serves from where it is installed, without node_modules', async () => {
  expect(await version(inImage(`${lib}/scripts/edge-admin`))).toBe('{"version":"1.0.0"}')
  expect(readdirSync(inImage(lib)).sort()).not.toContain('node_modules')
})

it('lays the page of the console beside the program', () => {
  for (const file of ['index.html', 'app.js', 'app.js.gz', 'app.css', 'icon.svg'])
    expect(mode(`${lib}/console/${file}`), file).toBe('644')
})

it('lays the manuals beside the program, and each of their links leads to what is laid', () => {
  expect(mode(`${lib}/docs/vendors.md`)).toBe('644')
  expect(brokenLinks(inImage(lib), image)).toEqual([])
})

it('links the command into the path', () => {
  expect(readlinkSync(inImage('/usr/bin/edge-admin'))).toBe(`${lib}/scripts/edge-admin`)
})

it('fills in every name, and the folders that were asked for', () => {
  for (const file of [
    '/usr/lib/systemd/system/edge-admin.service',
    '/usr/lib/tmpfiles.d/edge-admin.conf',
    '/etc/init.d/edge-admin',
    `${lib}/scripts/settings`,
  ]) {
    expect(text(file), file).not.toMatch(/@[A-Z]+@/)
  }
  expect(text('/usr/lib/systemd/system/edge-admin.service')).toContain(
    `ExecStart=${lib}/scripts/edge-admin serve --root /opt/box/admin --sysconfdir /usr/local/etc --datadir /srv/data`,
  )
  expect(text(`${lib}/scripts/settings`)).toContain("EDGE_ROOT='/opt/box/admin'\n")
  expect(existsSync(inImage('/opt/box/admin/home/sftp/uploads'))).toBe(true)
})

it('gives the files the modes that sudo and the shell insist on', () => {
  expect(mode(`${lib}/scripts/settings`)).toBe('644')
  expect(mode(`${lib}/scripts/update.sh`)).toBe('755')
  expect(mode('/etc/init.d/edge-admin')).toBe('755')
})

it('gives a user the rights of the fragment only when it is named', ({ skip }) => {
  expect(existsSync(inImage('/etc/sudoers.d/edge-admin'))).toBe(false)
  if (process.getuid?.() !== 0) skip('only root gives folders their owners')
  const other = join(temp, 'sudo')
  make('install', `DESTDIR=${other}`, 'SERVER_USER=nobody')
  const fragment = join(other, 'etc/sudoers.d/edge-admin')
  expect((statSync(fragment).mode & 0o777).toString(8)).toBe('440')
  expect(readFileSync(fragment, 'utf8')).toMatch(/^nobody ALL=\(root\) NOPASSWD: /m)
  expect(readFileSync(fragment, 'utf8')).not.toMatch(/@[A-Z]+@/)
})

it('installs a unit that systemd accepts', (context) => {
  if (spawnSync('systemd-analyze', ['--version']).error) context.skip('systemd-analyze is not installed')
  // Not into an image: the programs that the unit names have to be there.
  const prefix = join(temp, 'real')
  const names = ['ETCDIR', 'SYSCONFDIR', 'ROOT', 'DATADIR', 'STATEDIR']
  make('install', `PREFIX=${prefix}`, ...names.map((name) => `${name}=${prefix}/${name}`))
  const unit = join(prefix, 'lib/systemd/system/edge-admin.service')
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
  expect(stderr.split('\n').filter((line) => line.includes('edge-admin'))).toEqual([])
  expect(status).toBe(0)
})

it('lets nobody but the server write what Node keeps of the program', () => {
  const unit = text('/usr/lib/systemd/system/edge-admin.service')
  for (const line of [
    'CacheDirectory=edge-admin',
    'CacheDirectoryMode=0700',
    'Environment=NODE_COMPILE_CACHE=%C/edge-admin',
  ])
    expect(unit.split('\n')).toContain(line)
})

it('refuses a path that a shell would have to quote', () => {
  const { status, stderr } = spawnSync('make', ['-s', 'install', `DESTDIR=${image}`, 'ROOT=/opt/a b'], {
    cwd: repository,
    env,
    encoding: 'utf8',
  })
  expect(status).not.toBe(0)
  expect(stderr).toContain('a path may hold letters, digits and . _ - / only: /opt/a b')
})

it('packs the same archive again, and it installs by itself', async () => {
  const archive = join(repository, make('dist').trim())
  const first = readFileSync(archive)
  make('dist')
  expect(readFileSync(archive).equals(first)).toBe(true)
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' })
  expect(names).not.toContain('node_modules')
  for (const name of [
    'edge-admin.js',
    'console/app.js.gz',
    'install.sh',
    'NOTICE',
    'sbom.json',
    'CHANGELOG.md',
    'docs/vendors.md',
    'docs/migration.md',
    'etc/eff-large-wordlist.txt',
    'etc/grafana/edge-admin.json',
    'scripts/lib.sh',
  ]) {
    expect(names).toContain(`/${name}\n`)
  }
  execFileSync('tar', ['-xzf', archive, '-C', temp])
  const unpacked = join(temp, readdirSync(temp).find((name) => name.startsWith('edge-admin-')) as string)
  expect(brokenLinks(unpacked)).toEqual([])
  const second = join(temp, 'second')
  execFileSync('sh', [join(unpacked, 'install.sh')], {
    cwd: '/',
    env: { PATH: env['PATH'], DESTDIR: second, PREFIX: '/usr/local' },
  })
  expect(await version(join(second, 'usr/local/lib/edge-admin/scripts/edge-admin'))).toBe('{"version":"1.0.0"}')
}, 120_000)

it('installs, updates, backs up and restores where busybox is the whole userland', (context) => {
  make('dist')
  const { stdout, status } = spawnSync('test/roots/rig.sh', ['--smoke'], { cwd: repository, env, encoding: 'utf8' })
  const skipped = /^skipped: (.*)$/m.exec(stdout)
  if (skipped) context.skip(skipped[1])
  expect(stdout).toMatch(/^ok +busybox: a restore brings lost data back$/m)
  expect(stdout).toMatch(/\n\d+ passed, 0 failed\n$/)
  expect(status).toBe(0)
}, 300_000)
