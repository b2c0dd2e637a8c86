// `sh install.sh --uninstall`: what was laid goes, what is the appliance's stays. Folders of the image that install.sh
// made are only removed when they are empty; somebody may have put something into them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { REPOSITORY, SHELLS } from './sandbox.ts'

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-uninstall-'))
afterAll(() => rmSync(temp, { recursive: true, force: true }))

const LIB = '/usr/lib/edge-admin'
const FOLDERS = { ROOT: '/opt/box', SYSCONFDIR: '/etc/box', DATADIR: '/srv/data', STATEDIR: '/var/lib/box' }
let image: string
beforeEach(() => {
  image = mkdtempSync(join(temp, 'image-'))
})
const at = (path: string) => join(image, path)

function install(args: string[] = [], variables: Record<string, string> = {}, shell = 'dash', source = REPOSITORY) {
  const [program = '', ...words] = shell.split(' ')
  const ended = spawnSync(program, [...words, join(source, 'install.sh'), ...args], {
    cwd: '/',
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], DESTDIR: image, ...FOLDERS, ...variables },
  })
  return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}
const remove = (variables: Record<string, string> = {}) => install(['--uninstall'], variables)

/** Every path of the image, with what it is: a folder, a link and where it leads, a file and what it holds. */
function tree(): Record<string, string> {
  const paths = readdirSync(image, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    paths.sort().map((path) => {
      const info = lstatSync(at(path))
      const is = info.isDirectory() ? 'folder' : info.isSymbolicLink() ? readlinkSync(at(path)) : read(path)
      return [path, `${(info.mode & 0o7777).toString(8)} ${is}`]
    }),
  )
}
const read = (path: string) => readFileSync(at(path), 'latin1')
const isKept = (path: string) => Object.values(FOLDERS).some((folder) => `/${path}/`.startsWith(`${folder}/`))
const leadsToKept = (path: string) => Object.values(FOLDERS).some((folder) => folder.startsWith(`/${path}/`))

describe.each(SHELLS)('install.sh --uninstall under %s', (shell) => {
  it('leaves the image as it was before, and what is the appliance’s', () => {
    // An image with some of the folders, and with somebody else's files in them.
    for (const [path, text] of [
      ['usr/lib/systemd/system/other.service', '[Service]\n'],
      ['etc/sudoers.d/other', '# other\n'],
      ['etc/box/network.conf', 'mode=dhcp\n'],
    ] as const) {
      mkdirSync(join(at(path), '..'), { recursive: true })
      writeFileSync(at(path), text)
    }
    const before = tree()
    expect(install([], {}, shell)).toMatchObject({ status: 0, stderr: '' })
    mkdirSync(at('opt/box/etc'), { recursive: true })
    writeFileSync(at('opt/box/etc/api.token'), 'sha256 x\n')
    writeFileSync(at('etc/box/edge-admin.json'), '{}')
    const installed = tree()
    const { status, stdout, stderr } = install(['--uninstall'], {}, shell)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toBe(
      `removed from ${image}; kept, with the token, the configuration and the data: /opt/box /etc/box /srv/data /var/lib/box\n`,
    )
    const after = tree()
    expect(Object.keys(before).filter((path) => after[path] !== before[path])).toEqual([])
    const more = Object.keys(after).filter((path) => !(path in before))
    expect(more.filter((path) => !isKept(path) && !leadsToKept(path))).toEqual([])
    expect(more).toEqual(expect.arrayContaining(['opt/box/etc/api.token', 'etc/box/edge-admin.json']))
    // Of the appliance's own folders nothing was touched but the example, which was laid there.
    const own = Object.keys(installed).filter(isKept)
    expect(own.filter((path) => after[path] !== installed[path])).toEqual(['etc/box/edge-admin.json.example'])
  })
})

it.for([
  ['root', ''],
  ['another user', 'nobody'],
] as const)('lists all that it laid for a server of %s, and only that', ([, SERVER_USER], context) => {
  if (SERVER_USER && process.getuid?.() !== 0) return context.skip('only root can give folders to others')
  expect(install([], { SERVER_USER })).toMatchObject({ status: 0, stderr: '' })
  const made = Object.entries(tree())
    .filter(([path]) => !isKept(path) && !leadsToKept(path))
    .map(([path, is]) => (is.endsWith(' folder') ? `/${path}/` : `/${path}`))
  const listed = read(`${LIB}/installed-files`).trimEnd().split('\n')
  expect(made.filter((path) => !listed.includes(path))).toEqual([])
  expect(listed.filter((path) => !lstatSync(at(path), { throwIfNoEntry: false }))).toEqual([])
  expect(listed).toContain('/etc/logrotate.d/edge-admin')
  expect(listed.includes('/etc/sudoers.d/edge-admin')).toBe(SERVER_USER !== '')
  expect(remove().status).toBe(0)
  expect(Object.keys(tree()).filter((path) => !isKept(path) && !leadsToKept(path))).toEqual([])
})

it('keeps a folder that it made when something of somebody else’s is in it, and says so', () => {
  install()
  mkdirSync(at('/usr/lib/systemd/system/edge-admin.service.d'))
  writeFileSync(at('/usr/lib/systemd/system/edge-admin.service.d/ours.conf'), '[Service]\n')
  expect(remove().stdout).toMatch(/ \/usr\/lib\/systemd\/system\n$/)
  expect(existsSync(at('/usr/lib/systemd/system/edge-admin.service.d/ours.conf'))).toBe(true)
  expect(existsSync(at(LIB))).toBe(false)
})

it('knows the folders that were installed for, whatever it is told now', () => {
  install()
  expect(remove({ ROOT: '/opt/else', STATEDIR: '/var/lib/else' }).stdout).toContain(' /opt/box /etc/box /srv/data ')
})

it('goes on where it was cut off, by the list that it removes last', () => {
  install()
  const path = at('/usr/lib/systemd/system/edge-admin.service')
  rmSync(path)
  mkdirSync(path)
  const cut = remove()
  expect([cut.status, cut.stdout]).toEqual([1, ''])
  expect(cut.stderr).toMatch(/cannot be removed: .*edge-admin\.service/)
  expect([existsSync(at(`${LIB}/edge-admin.js`)), existsSync(at(`${LIB}/installed-files`))]).toEqual([false, true])
  rmSync(path, { recursive: true })
  // It still knows for which folders it was installed.
  const { status, stdout, stderr } = remove({ ROOT: '/opt/else', STATEDIR: '/var/lib/else' })
  expect([status, stdout, stderr]).toEqual([
    0,
    expect.stringContaining(' /opt/box /etc/box /srv/data /var/lib/box'),
    '',
  ])
  expect(existsSync(at('usr'))).toBe(false)
})

it('removes, at the next installation, what the version before laid and this one does not', () => {
  install()
  const source = join(temp, 'older')
  for (const part of ['install.sh', 'scripts', 'etc', 'dist', 'README.md', 'CHANGELOG.md'])
    cpSync(join(REPOSITORY, part), join(source, part), { recursive: true })
  writeFileSync(join(source, 'scripts/gone.sh'), '#!/bin/sh\n')
  install([], {}, 'dash', source)
  expect(existsSync(at(`${LIB}/scripts/gone.sh`))).toBe(true)
  expect(install([], { ETCDIR: '/usr/etc' })).toMatchObject({ status: 0, stderr: '' })
  for (const path of [`${LIB}/scripts/gone.sh`, '/etc/init.d/edge-admin'])
    expect(existsSync(at(path)), path).toBe(false)
  expect(existsSync(at('/usr/etc/init.d/edge-admin'))).toBe(true)
  remove()
  for (const path of ['usr', 'etc/init.d']) expect(existsSync(at(path)), path).toBe(false)
})

describe('is refused, and nothing is removed,', () => {
  const refused = (why: RegExp | string, ended = remove()) => {
    expect(ended).toMatchObject({ status: 1, stdout: '' })
    expect(ended.stderr).toMatch(why)
  }

  it('where nothing is installed', () => {
    mkdirSync(at('/usr/lib/other'), { recursive: true })
    refused(/nothing of edge-admin is installed in .*\/usr\/lib\/edge-admin/)
    refused(/not an absolute path: usr/, remove({ PREFIX: 'usr' }))
    refused(/a path without \.\. please/, remove({ LIBDIR: '/usr/lib/../lib/other' }))
    refused(/usage: /, install(['--uninstall', '--force']))
    refused(/usage: /, install(['uninstall']))
    expect(existsSync(at('/usr/lib/other'))).toBe(true)
  })

  it('when the list holds what install.sh never lays', () => {
    install()
    const list = at(`${LIB}/installed-files`)
    const good = readFileSync(list, 'utf8')
    for (const line of ['/usr/../etc/passwd', 'etc/passwd', '/etc/pass wd', '/etc/$(id)', '']) {
      writeFileSync(list, `${good}${line}\n`)
      const before = tree()
      refused(/install: (?:not an absolute path|a path )/)
      expect(tree()).toEqual(before)
    }
  })

  it('while something starts the server at boot', () => {
    install()
    for (const link of [
      'systemd/system/multi-user.target.wants/edge-admin.service',
      'rc2.d/S01edge-admin',
      'runlevels/default/edge-admin',
    ]) {
      const path = at(`/etc/${link}`)
      mkdirSync(join(path, '..'), { recursive: true })
      symlinkSync('/nowhere/edge-admin', path)
      refused(/it still starts at boot: disable it first \(.*edge-admin/)
      rmSync(path)
    }
    expect(remove().status).toBe(0)
  })

  it('while the server runs', async () => {
    install()
    const locks = at(`${FOLDERS.STATEDIR}/locks`)
    mkdirSync(locks, { recursive: true })
    const server: ChildProcess = spawn('flock', [locks, 'sh', '-c', 'echo held; read -r _'], { stdio: 'pipe' })
    const gone = once(server, 'exit')
    await once(server.stdout!, 'data')
    refused(/the server runs: stop it first/)
    server.stdin!.end()
    await gone
    expect(remove().status).toBe(0)
  })

  it('while a task runs, with or without the server', async () => {
    install()
    const locks = at(`${FOLDERS.STATEDIR}/locks`)
    mkdirSync(locks, { recursive: true })
    writeFileSync(join(locks, 'a.lock'), '')
    const lock = join(locks, 'update.lock')
    const task: ChildProcess = spawn('flock', [lock, 'sh', '-c', 'echo held; read -r _'], { stdio: 'pipe' })
    const gone = once(task, 'exit')
    await once(task.stdout!, 'data')
    const before = tree()
    refused(/a task still runs: wait until it ends \(.*\/update\.lock\)/)
    expect(tree()).toEqual(before)
    task.stdin!.end()
    await gone
    expect(remove().status).toBe(0)
  })

  it.each(['var/lib/box/tasks/t1/swap', 'var/lib/box/work/t1/swap', 'srv/data/.edge-admin-restore/t1'])(
    'while a change is half made: %s',
    (folder) => {
      install()
      mkdirSync(at(folder), { recursive: true })
      writeFileSync(at(`${folder}/plan.json`), '[]')
      const before = tree()
      refused(
        new RegExp(`a task was interrupted while it replaced files.* copy them from .*/${folder}/old to their places`),
      )
      expect(tree()).toEqual(before)
      rmSync(at(folder), { recursive: true })
      expect(remove().status).toBe(0)
    },
  )

  it('where nobody can tell whether something runs on this very machine', () => {
    const programs = mkdtempSync(join(temp, 'programs-'))
    for (const name of readdirSync('/usr/bin'))
      if (name !== 'flock') symlinkSync(join('/usr/bin', name), join(programs, name))
    // Not an image, and all of it in a folder of ours.
    const here = Object.fromEntries(Object.entries(FOLDERS).map(([name, folder]) => [name, at(folder)]))
    const folders = { ...here, DESTDIR: '', PREFIX: at('/usr'), ETCDIR: at('/etc') }
    expect(install([], folders)).toMatchObject({ status: 0 })
    mkdirSync(at(`${FOLDERS.STATEDIR}/locks`), { recursive: true })
    refused(/without flock nobody can tell whether the server runs/, remove({ ...folders, PATH: programs }))
    // Of an image that is being built it is plain.
    expect(remove(folders).status).toBe(0)
  })
})
