// Folders that cannot be made: the reason is the system's own, and the words name the option that moves them. A read-only file system takes a mount, so root
// and a namespace.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { folderFailure } from '../../src/cli/folder-failure.ts'
import type { Folders } from '../../src/folders.ts'
import { ensureFolder } from '../../src/store/ensure-folder.ts'
import { installation, isRoot } from '../api/appliance.ts'

let temp: string
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'edge-admin-folder-'))
})
afterEach(() => rmSync(temp, { recursive: true }))
const at = (...parts: string[]) => join(temp, ...parts)
const mode = (path: string) => statSync(path).mode & 0o777

it('is made with all above it, and what is there keeps its mode', () => {
  mkdirSync(at('there'), { mode: 0o700 })
  ensureFolder(at('there/a/b'), 0o750)
  expect([mode(at('there')), mode(at('there/a')), mode(at('there/a/b'))]).toEqual([0o700, 0o750, 0o750])
  ensureFolder(at('there'), 0o755)
  expect(mode(at('there'))).toBe(0o700)
  symlinkSync(at('there'), at('link'))
  ensureFolder(at('link/c'))
  expect(existsSync(at('there/c'))).toBe(true)
})

it('throws where a file is in the way, or a link that leads nowhere', () => {
  writeFileSync(at('file'), '')
  symlinkSync(at('none'), at('link'))
  expect(() => ensureFolder(at('file'))).toThrow(/EEXIST/)
  expect(() => ensureFolder(at('file/below'))).toThrow(/EEXIST|ENOTDIR/)
  expect(() => ensureFolder(at('link'))).toThrow(/EEXIST/)
})

it('is named with the option that moves it', () => {
  const folders: Folders = { root: '/r', sysconf: '/r/sysconf', data: '/d', state: '/s/state' }
  const words = (code: string, path: string, syscall = 'mkdir') =>
    folderFailure(Object.assign(new Error(code), { code, path, syscall }), folders)
  const readOnly = (path: string, name: string) =>
    `the folder ${path} is on a read-only file system: set ${name} of the installation) to a folder that can be written`
  expect(words('EROFS', '/r/tmp/incoming')).toBe(readOnly('/r/tmp/incoming', '--root (ROOT='))
  expect(words('EROFS', '/r/sysconf/pki')).toBe(readOnly('/r/sysconf/pki', '--sysconfdir (SYSCONFDIR='))
  expect(words('EROFS', '/s')).toBe(readOnly('/s', '--statedir (STATEDIR='))
  expect(words('EROFS', '/r/etc/.api.token.0f', 'open')).toBe(readOnly('/r/etc', '--root (ROOT='))
  expect(words('EROFS', '/elsewhere')).toBe('the folder /elsewhere is on a read-only file system')
  expect(words('EACCES', '/r/tmp')).toBe('the folder /r/tmp cannot be made: this user may not write there')
  expect(words('ENOENT', '/r/tmp')).toBeUndefined()
  expect(folderFailure('no error', folders)).toBeUndefined()
})

it('on a read-only file system is called that, not a folder that is missing', ({ skip }) => {
  if (!isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0) skip('it takes root to mount a read-only disk')
  mkdirSync(at('root'))
  const serve = [process.execPath, join(installation(), 'edge-admin.js'), 'serve', '--root', at('root')]
  const init = [process.execPath, join(installation(), 'edge-admin.js'), 'init', '--root', at('root/box')]
  const script = 'mount -t tmpfs none "$0" && mkdir "$0/etc" && mount -o remount,ro "$0" && exec "$@"'
  const inside = (argv: string[]) =>
    spawnSync('unshare', ['-m', 'sh', '-c', script, at('root'), ...argv], { encoding: 'utf8', timeout: 30_000 })
  const rest = ['sysconf', 'data', 'state'].flatMap((name) => [`--${name}dir`, at(name)])
  const served = inside([...serve, ...rest, '--port', '0'])
  expect(served.stderr).toMatch(
    /^edge-admin serve: the folder \S+\/root\/\S+ is on a read-only file system: set --root \(ROOT= of the installation\) to a folder that can be written\n$/,
  )
  expect(served.status).toBe(75)
  const made = inside([...init, ...rest])
  expect([made.status, made.stderr]).toEqual([1, `edge-admin init: ${at('root/box')}: the file system is read-only\n`])
})
