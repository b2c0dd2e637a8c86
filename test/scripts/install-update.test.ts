// An installation over another one: a server that runs goes on loading its own program, and one that is cut off leaves a program that is whole.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTurn } from './pairwise.ts'
import { REPOSITORY, SHELLS } from './sandbox.ts'

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-over-'))
afterAll(() => rmSync(temp, { recursive: true, force: true }))

const LIB = 'usr/lib/edge-admin'
let image: string
const at = (...parts: string[]) => join(image, ...parts)
const programOf = (launcher: string) =>
  /"\.\/lib\/([0-9a-f]+)\/main\.js"/.exec(readFileSync(launcher, 'utf8'))?.[1] ?? ''

/** What is unpacked of another version's archive: the same program, named as if it held something else. */
function release(name: string): string {
  const folder = join(temp, name)
  for (const part of ['scripts', 'etc', 'install.sh', 'README.md', 'CHANGELOG.md'])
    cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true })
  for (const part of ['edge-admin.js', 'package.json', 'lib', 'console'])
    cpSync(join(REPOSITORY, 'dist', part), join(folder, part), { recursive: true })
  const launcher = join(folder, 'edge-admin.js')
  const program = programOf(launcher)
  cpSync(join(folder, 'lib', program), join(folder, 'lib', name), { recursive: true })
  rmSync(join(folder, 'lib', program), { recursive: true })
  writeFileSync(launcher, readFileSync(launcher, 'utf8').replace(program, name))
  return folder
}

const [FIRST, SECOND, THIRD] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'] as const
beforeAll(() => {
  if (!existsSync(join(REPOSITORY, 'dist/edge-admin.js'))) throw new Error('there is no bundle: run `make build`')
  for (const name of [FIRST, SECOND, THIRD]) release(name)
})
beforeEach(() => {
  image = mkdtempSync(join(temp, 'image-'))
})

function install(name: string, { shell = 'dash', path = process.env['PATH'], args = [] as string[] } = {}) {
  const [program = '', ...words] = shell.split(' ')
  return spawnSync(program, [...words, join(temp, name, 'install.sh'), ...args], {
    cwd: '/',
    encoding: 'utf8',
    env: { PATH: path, DESTDIR: image, ROOT: '/opt/box', DATADIR: '/srv/data', STATEDIR: '/var/lib/box' },
  })
}
const programs = () => readdirSync(at(LIB, 'lib')).sort()
const started = () => programOf(at(LIB, 'edge-admin.js'))
const filesOf = (folder: string) => readdirSync(folder).sort()

describe.each(SHELLS)('an installation over another under %s', (shell) => {
  const it = inTurn(shell)
  it('keeps the program before this one, and no older one', () => {
    for (const [name, kept] of [
      [FIRST, [FIRST]],
      [SECOND, [FIRST, SECOND]],
      // Once more: the first may still be the one that runs.
      [SECOND, [FIRST, SECOND]],
      [THIRD, [SECOND, THIRD]],
    ] as const) {
      const { status, stderr } = install(name, { shell })
      expect([status, stderr, started(), programs()]).toEqual([0, '', name, kept])
    }
  })

  it('leaves nothing of either behind when it is removed', () => {
    for (const name of [FIRST, SECOND, THIRD]) install(name, { shell })
    expect(install(THIRD, { shell, args: ['--uninstall'] }).status).toBe(0)
    expect(existsSync(at(LIB))).toBe(false)
  })
})

it('keeps every older program while a server runs, which may have been started before several updates', async () => {
  install(FIRST)
  const locks = at('var/lib/box/locks')
  mkdirSync(locks)
  const server = spawn('flock', [locks, 'sh', '-c', 'echo held; read -r _'])
  await once(server.stdout, 'data')
  for (const name of [SECOND, THIRD]) install(name)
  expect(programs()).toEqual([FIRST, SECOND, THIRD])
  server.stdin.end('\n')
  await once(server, 'exit')
  install(FIRST)
  expect(programs()).toEqual([FIRST, THIRD])
})

it('leaves a whole program wherever it is cut off', () => {
  const all = filesOf(join(temp, SECOND, 'lib', SECOND)).length
  const wrapped = join(temp, 'wrapped')
  mkdirSync(wrapped, { recursive: true })
  // The copy with this number is cut off in its middle.
  writeFileSync(
    join(wrapped, 'cp'),
    `#!/bin/sh\necho >>"$COUNT"\n[ "$(wc -l <"$COUNT")" -lt "$AT" ] || { head -c 9 "$1" >"$2"; kill -9 $PPID; exit; }\nexec /bin/cp "$@"\n`,
    { mode: 0o755 },
  )
  install(FIRST)
  const seen = new Set<string>()
  for (const number of [1, 2, all - 1, all, all + 1, all + 2, all + 3]) {
    const count = join(temp, `count-${number}`)
    const { signal } = spawnSync('dash', [join(temp, SECOND, 'install.sh')], {
      cwd: '/',
      env: { PATH: `${wrapped}:${process.env['PATH']}`, DESTDIR: image, COUNT: count, AT: String(number) },
    })
    expect(signal).toBe('SIGKILL')
    seen.add(started())
    expect(filesOf(at(LIB, 'lib', started()))).toEqual(filesOf(join(temp, FIRST, 'lib', FIRST)))
    const { status } = spawnSync(process.execPath, [at(LIB, 'edge-admin.js'), 'take', '--help'])
    expect([number, status]).toEqual([number, 0])
  }
  expect([...seen]).toEqual([FIRST, SECOND])
  // What it had copied is finished, or goes, with the next one.
  expect(install(THIRD).status).toBe(0)
  expect(programs()).toEqual([SECOND, THIRD])
})

it('lets a server that runs load what it needs for the first time', async () => {
  install(FIRST)
  const folder = mkdtempSync(join(temp, 'appliance-'))
  const folders = [
    '--root',
    folder,
    ...['sysconf', 'data', 'state'].flatMap((name) => [`--${name}dir`, join(folder, name)]),
  ]
  const command = [at(LIB, 'edge-admin.js')]
  spawnSync(process.execPath, [...command, 'init', '--sample', ...folders])
  spawnSync(process.execPath, [...command, 'token', 'set', ...folders.slice(0, 2)], { input: 'secret' })
  const server = spawn(process.execPath, [...command, 'serve', '--no-tls', '--port', '0', ...folders])
  try {
    const url = await listening(server)
    expect(install(SECOND).status).toBe(0)
    // Each asks for files that no start loads.
    const health = await fetch(`${url}/api/v1/admin/health?token=secret`)
    const manual = await fetch(`${url}/api/v1/admin/openapi.json?token=secret`)
    expect([health.status, manual.status]).toEqual([200, 200])
    expect(await health.text()).toContain('memory')
  } finally {
    const end = once(server, 'exit')
    server.kill()
    await end
  }
}, 60_000)

async function listening(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) {
    const url = /"url":"([^"]+)".*"listening"/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('the server ended before it listened')
}
