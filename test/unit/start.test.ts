// A Node that is too old, or none: one sentence and exit status 69, from the command, from the bundle itself and before an installation lays anything.
// The old Node is this one that says another number; what a real one can read is in src/start.ts and build/build.ts.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const repository = join(import.meta.dirname, '../..')
const temp = mkdtempSync(join(tmpdir(), 'edge-admin-start-'))
const at = (...parts: string[]) => join(temp, ...parts)
const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
const NEEDED = engines.node.replace('>=', '')
const COMMAND = join(repository, 'scripts/edge-admin')
const START = join(repository, 'dist/edge-admin.js')
let PROGRAM = ''

/** A folder with everything that a shell script needs, and this `node`. */
function path(name: string, node?: (file: string) => void): string {
  mkdirSync(at(name))
  for (const program of [
    'sh',
    'dirname',
    'readlink',
    'sed',
    'id',
    'mkdir',
    'cp',
    'chmod',
    'mv',
    'mktemp',
    'grep',
    'rm',
    'ln',
    'sort',
  ])
    symlinkSync(`/bin/${program}`, at(name, program))
  node?.(at(name, 'node'))
  return at(name)
}
const saying = (version: string) => (file: string) => {
  writeFileSync(
    `${file}.cjs`,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })\n`,
  )
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' -r '${file}.cjs' "$@"\n`, { mode: 0o755 })
}
const run = (PATH: string, argv: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync('/bin/sh', argv, { cwd: '/', env: { PATH, ...env }, encoding: 'utf8' })
  return { status, stdout, stderr }
}
let none: string
let old: string
let right: string
let empty: string
beforeAll(() => {
  if (!existsSync(START)) throw new Error('there is no bundle: run `make build`')
  PROGRAM = /"\.\/(lib\/[0-9a-f]+)\/main\.js"/.exec(readFileSync(START, 'utf8'))?.[1] ?? ''
  none = path('none')
  old = path('old', saying('18.20.4'))
  empty = path('empty', (file) => writeFileSync(file, '', { mode: 0o755 }))
  right = path('right', (file) => symlinkSync(process.execPath, file))
})
afterAll(() => rmSync(temp, { recursive: true }))

const tooOld = (version: string) =>
  `edge-admin: this needs Node ${NEEDED} or newer, and ${process.execPath} is ${version}\n`

describe('the command', () => {
  it('says in one sentence that there is no Node', () => {
    expect(run(none, [COMMAND, 'serve'])).toEqual({
      status: 69,
      stdout: '',
      stderr: `edge-admin: this needs Node ${NEEDED} or newer, and there is no node in ${none}\n`,
    })
  })

  it('says in one sentence that its Node is an empty file, which a shell would run with status 0', () => {
    expect(run(empty, [COMMAND, 'init'])).toEqual({
      status: 69,
      stdout: '',
      stderr: `edge-admin: this needs Node ${NEEDED} or newer, and ${join(empty, 'node')} is empty\n`,
    })
  })

  it('says in one sentence that its Node is too old, whatever it is asked for', () => {
    for (const word of ['serve', '--version', 'init'])
      expect(run(old, [COMMAND, word])).toEqual({ status: 69, stdout: '', stderr: tooOld('18.20.4') })
  })

  it('runs with the one that it needs', () => {
    expect(run(right, [COMMAND, '--version']).status).toBe(0)
  })
})

describe('the bundle', () => {
  it.each([
    ['0.12.18', false],
    ['12.22.9', false],
    ['18.20.4', false],
    ['20.9.0', false],
    [`${NEEDED}.0`, true],
    ['20.100.1', true],
    ['22.1.0', true],
    ['100.0.0', true],
  ])('started by Node %s: %s', (version, isTaken) => {
    saying(version)(at('node'))
    const { status, stderr } = spawnSync(at('node'), [START, '--version'], { encoding: 'utf8' })
    expect([status, stderr]).toEqual(isTaken ? [0, ''] : [69, tooOld(version)])
  })

  it('says the same where a Node that is new enough lacks something all the same', () => {
    for (const part of ['edge-admin.js', 'package.json']) writeFileSync(at(part), readFileSync(join(START, '..', part)))
    mkdirSync(at(PROGRAM), { recursive: true })
    writeFileSync(at(PROGRAM, 'main.js'), "import { nothingLikeThis } from 'node:crypto'\nnothingLikeThis()\n")
    const { status, stderr } = spawnSync(process.execPath, [at('edge-admin.js')], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([69, tooOld(process.versions.node)])
  })

  it('hides no other fault', () => {
    writeFileSync(at(PROGRAM, 'main.js'), "throw new Error('a fault of ours')\n")
    const { status, stderr } = spawnSync(process.execPath, [at('edge-admin.js')], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringContaining('a fault of ours')])
  })

  it('begins with a file that a Node of ten years ago could read', () => {
    const text = readFileSync(START, 'utf8')
    expect(text).not.toMatch(/^\s*(?:import|export)\b|\bawait\b|\basync\b|\?\.|\?\?|\.\.\./m)
  })
})

describe('install.sh', () => {
  const install = (PATH: string, env: Record<string, string>) => run(PATH, [join(repository, 'install.sh')], env)
  const into = (name: string) =>
    Object.fromEntries(
      ['PREFIX', 'ETCDIR', 'SYSCONFDIR', 'ROOT', 'DATADIR', 'STATEDIR'].map((one) => [one, at(name, one)]),
    )
  const modes = (folder: string, names: string[]) =>
    names.map((name) => [name, (statSync(join(folder, name)).mode & 0o7777).toString(8)])
  const FOLDERS = ['ROOT', 'SYSCONFDIR', 'DATADIR', 'STATEDIR'].concat(
    ['etc', 'log', 'tmp', 'bin', 'home', 'home/sftp', 'home/sftp/uploads'].map((name) => `ROOT/${name}`),
  )

  it('lays nothing where it could not start, and says why in one sentence', () => {
    for (const [PATH, why] of [
      [none, `and there is no node in ${none}`],
      [old, `and ${process.execPath} is 18.20.4`],
    ] as const) {
      const { status, stdout, stderr } = install(PATH, into('real'))
      expect([status, stdout]).toEqual([69, ''])
      expect(stderr).toBe(`install: this needs Node ${NEEDED} or newer, ${why}; nothing was installed\n`)
      expect(existsSync(at('real'))).toBe(false)
      // That is this machine as well.
      expect(install(PATH, { ...into('real'), DESTDIR: '/' }).status).toBe(69)
      expect(existsSync(at('real'))).toBe(false)
    }
  })

  it.each([
    ['one that dies of a signal without a word', 'kill -4 $$', /ended with status 132(?:: .*)?; nothing/],
    ['one that says nothing and ends well', 'exit 0', /ended with status 0; nothing/],
    ['one that says something else', 'echo hello', /ended with status 0: hello; nothing/],
    [
      'one that lacks a library',
      'echo "node: no libstdc++" >&2; exit 127',
      /status 127: node: no libstdc\+\+; nothing/,
    ],
    ['an empty file', undefined, /\/node is empty; nothing/],
  ])('lays nothing where node is %s', (what, text, why) => {
    const broken = path(what, (file) => writeFileSync(file, text ? `#!/bin/sh\n${text}\n` : '', { mode: 0o755 }))
    const { status, stdout, stderr } = install(broken, into('broken'))
    expect([status, stdout, existsSync(at('broken'))]).toEqual([69, '', false])
    expect(stderr).toMatch(why)
    expect(stderr).toMatch(new RegExp(`^install: this needs Node ${NEEDED} or newer, and .* was installed$`, 'm'))
  })

  it('takes a Node beside which something warns, and keeps the sentence of one that is too old', () => {
    const warning = (text: string, node: string) => (file: string) => {
      writeFileSync(file, `#!/bin/sh\n${text}\nexec '${node}' "$@"\n`, { mode: 0o755 })
    }
    const words = "echo 'sh: warning: setlocale: LC_ALL: cannot change locale (xx_XX)' >&2"
    const names = { DESTDIR: at('warned'), ROOT: '/ROOT', STATEDIR: '/STATEDIR' }
    const preloads = "echo 'loaded 1.0.0'"
    for (const [name, text] of Object.entries({ words, preloads })) {
      const { status, stderr } = install(path(name, warning(text, process.execPath)), names)
      expect([status, stderr]).toEqual([0, ''])
    }
    const { status, stderr } = install(path('old-words', warning(words, join(old, 'node'))), into('real'))
    const why = `and ${process.execPath} is 18.20.4; nothing was installed`
    expect([status, stderr]).toEqual([69, `install: this needs Node ${NEEDED} or newer, ${why}\n`])
  })

  it('lays everything into an image without a Node, and says that the image has to bring one', () => {
    const names = {
      PREFIX: '/usr',
      ROOT: '/ROOT',
      SYSCONFDIR: '/SYSCONFDIR',
      DATADIR: '/DATADIR',
      STATEDIR: '/STATEDIR',
    }
    const { status, stderr } = install(none, { DESTDIR: at('image'), ...names })
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^install: this needs Node .*; the image has to bring one\n$/),
    ])
    expect(existsSync(at('image/usr/lib/edge-admin', PROGRAM, 'main.js'))).toBe(true)
    expect(install(right, { DESTDIR: at('second'), ...names })).toMatchObject({ status: 0, stderr: '' })
    expect(modes(at('second'), FOLDERS)).toEqual(modes(at('image'), FOLDERS))
    // The same as the command makes.
    const where = ['sysconf', 'data', 'state'].flatMap((name) => [
      `--${name}dir`,
      at('third', `${name.toUpperCase()}DIR`),
    ])
    const init = [COMMAND, 'init', '--root', at('third/ROOT'), ...where]
    expect(run(right, ['-c', 'umask 022; exec "$@"', 'sh', ...init]).status).toBe(0)
    expect(modes(at('third'), FOLDERS)).toEqual(modes(at('image'), FOLDERS))
  })

  it('tells the programs of the appliance which Node they need', () => {
    const { name, type, engines: named } = JSON.parse(readFileSync(at('image/usr/lib/edge-admin/package.json'), 'utf8'))
    expect({ name, type, engines: named }).toEqual({ name: 'edge-admin', type: 'module', engines })
  })

  it('lets nobody become root who was not named', () => {
    const fragment = at('image/etc/sudoers.d/edge-admin')
    expect(existsSync(fragment)).toBe(false)
    // From an installation that knew a user.
    mkdirSync(join(fragment, '..'))
    writeFileSync(fragment, 'admin ALL=(root) NOPASSWD: ALL\n')
    expect(install(none, { DESTDIR: at('image') }).status).toBe(0)
    expect(existsSync(fragment)).toBe(false)
  })
})
