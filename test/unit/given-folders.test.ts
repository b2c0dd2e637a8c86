// Which folders a command means that is told none. An appliance may carry the original beside us, in the folder that is
// the default, and a token that is set there is set for nobody.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { givenFolders } from '../../src/cli/given-folders.ts'
import { DEFAULT_FOLDERS } from '../../src/folders.ts'

const repository = join(import.meta.dirname, '../..')
const temp = mkdtempSync(join(tmpdir(), 'edge-admin-given-'))
const at = (...parts: string[]) => join(temp, ...parts)
const own = { root: at('srv/edge'), sysconf: at('srv/conf'), data: at('srv/data'), state: at('srv/state') }
const settings = at('lib/scripts/settings')
const BUNDLE = join(repository, 'dist')

/** As install.sh lays it, for the folders of `own`. */
beforeAll(() => {
  if (!existsSync(join(BUNDLE, 'edge-admin.js'))) throw new Error('there is no bundle: run `make build`')
  mkdirSync(at('lib/scripts'), { recursive: true })
  for (const name of ['edge-admin.js', 'lib', 'package.json'])
    cpSync(join(BUNDLE, name), at('lib', name), { recursive: true })
  cpSync(join(repository, 'scripts/lib.sh'), at('lib/scripts/lib.sh'))
  const names = { ROOT: own.root, SYSCONFDIR: own.sysconf, DATADIR: own.data, STATEDIR: own.state }
  const text = readFileSync(join(repository, 'etc/scripts-settings.in'), 'utf8')
  writeFileSync(
    settings,
    text.replace(/@([A-Z]+)@/g, (_, name: keyof typeof names) => names[name]),
  )
})
afterAll(() => rmSync(temp, { recursive: true }))

/** The environment names another folder: were it followed, nothing of this machine would be touched. */
const elsewhere = at('elsewhere')
function command(args: string[], input = '') {
  const env = { JIDO_ADMIN_PATH: elsewhere }
  const { status, stdout, stderr } = spawnSync(process.execPath, [at('lib/edge-admin.js'), ...args], {
    ...{ env, input, encoding: 'utf8', timeout: 90_000 },
  })
  return { status, stdout, stderr }
}
const SAID = `JIDO_ADMIN_PATH=${elsewhere} is not followed: ${settings} says ${own.root}\n`

describe('an installed command', () => {
  it('means the folders of its installation: an option first, the environment after them', () => {
    const env = { JIDO_ADMIN_PATH: elsewhere }
    expect(givenFolders({}, env, settings)).toEqual({ folders: own, rootSaidBy: settings })
    const options = { root: '/a', sysconfdir: '/b', datadir: '/c', statedir: '/d' }
    const folders = { root: '/a', sysconf: '/b', data: '/c', state: '/d' }
    expect(givenFolders(options, env, settings)).toEqual({ folders, rootSaidBy: '--root' })
    expect(givenFolders({ datadir: '/c' }, {}, settings).folders).toEqual({ ...own, data: '/c' })
  })

  it('without an installation means the environment’s, and then the usual ones', () => {
    for (const none of [undefined, at('no-settings')]) {
      expect(givenFolders({}, {}, none)).toEqual({ folders: DEFAULT_FOLDERS, rootSaidBy: undefined })
      expect(givenFolders({}, { JIDO_ADMIN_PATH: '/a/' }, none).folders).toEqual({ ...DEFAULT_FOLDERS, root: '/a' })
    }
  })

  it.each(['root', 'sysconfdir', 'datadir', 'statedir'])(
    'takes no empty --%s for the folder it is called in',
    (name) => {
      expect(() => givenFolders({ [name]: '' }, {}, settings)).toThrow(`--${name} is missing its folder`)
    },
  )

  it('sets the token of the server that the unit starts, and no other one', () => {
    for (const root of [own.root, elsewhere]) {
      mkdirSync(join(root, 'etc'), { recursive: true })
      writeFileSync(join(root, 'etc/api.token'), 'before\n')
    }
    const token = (root: string) => readFileSync(join(root, 'etc/api.token'), 'utf8')
    // Whoever names another folder that way hears that it is not the one.
    const set = command(['token', 'set'], 'my-token\n')
    expect(set).toEqual({ status: 0, stdout: '', stderr: `${SAID}the token is set\n` })
    const first = token(own.root)
    expect(first).toMatch(/^sha256 /)
    expect(command(['token', 'rotate'])).toEqual({ status: 0, stdout: expect.stringMatching(/^\S+\n$/), stderr: SAID })
    expect([token(own.root) === first, token(elsewhere)]).toEqual([false, 'before\n'])
    expect(command(['token', 'metrics'])).toMatchObject({ status: 0 })
    expect(existsSync(join(own.root, 'etc/metrics.token'))).toBe(true)
  })

  it.each([
    [['init', '--sysconfdir', at('c'), '--datadir', at('d'), '--statedir', at('s')], 0, () => `made ${own.root}/etc\n`],
    [['serve'], 78, () => `${own.root}/etc: no such folder`],
    [['export-original', '--undo'], 1, () => `${own.root}: no etc folder in it`],
    [['user', 'list'], 1, () => `${own.state}/users.json: no accounts yet`],
    [['audit', 'verify'], 1, () => `${own.state}/audit/audit.pub: no such file`],
    [['check', '--json'], 1, () => `"sysconf": "${own.sysconf}"`],
  ] as const)('%j works in them', (args, status, said) => {
    for (const root of ['srv', 'elsewhere']) rmSync(at(root), { recursive: true, force: true })
    const ended = command([...args])
    expect([ended.status, ended.stdout + ended.stderr]).toEqual([status, expect.stringContaining(said())])
  })
})
