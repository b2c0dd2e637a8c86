// The folders and the sample appliance. The sample is served on a developer's machine, so its hooks are run here and
// may change nothing but a log.
import { execFileSync } from 'node:child_process'
import { createPublicKey, sign, verify } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../src/config.ts'
import { makeFile, makeFolders } from '../../src/features/installation/layout.ts'
import { makeSample } from '../../src/features/installation/sample.ts'
import { readPassphrase } from '../../src/features/package/cipher.ts'
import type { Folders } from '../../src/folders.ts'

let base: string
let folders: Folders

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'edge-init-'))
  folders = {
    root: join(base, 'a/root'),
    sysconf: join(base, 'sys'),
    data: join(base, 'data'),
    state: join(base, 'x/y/state'),
  }
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const mode = (path: string) => statSync(path).mode & 0o7777
/** Every file below the base with its content and its mode. */
const snapshot = () =>
  readdirSync(base, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(base, name)
      const info = statSync(path)
      return `${name} ${info.mode.toString(8)} ${info.ino} ${info.isFile() ? readFileSync(path, 'hex') : ''}`
    })

describe('the folders', () => {
  it('are made with modes that keep strangers out', () => {
    const made = makeFolders(folders)
    expect(made).toContain(join(folders.root, 'home/sftp/uploads'))
    for (const [name, expected] of [
      ['etc', 0o750],
      ['log', 0o750],
      ['tmp', 0o700],
      ['home/sftp/uploads', 0o750],
      ['bin', 0o755],
    ] as const) {
      expect(mode(join(folders.root, name))).toBe(expected)
    }
    expect(mode(folders.state)).toBe(0o700)
    expect(mode(join(base, 'x'))).toBe(0o755)
    expect(made.every((path) => existsSync(path))).toBe(true)
  })

  it('that exist stay as they are, and the second time nothing is made', () => {
    mkdirSync(join(folders.root, 'etc'), { recursive: true })
    chmodSync(join(folders.root, 'etc'), 0o711)
    expect(makeFolders(folders)).not.toContain(join(folders.root, 'etc'))
    expect(mode(join(folders.root, 'etc'))).toBe(0o711)
    expect(makeFolders(folders)).toEqual([])
  })

  it('are refused where a file is in the way', () => {
    mkdirSync(folders.root, { recursive: true })
    writeFileSync(join(folders.root, 'etc'), 'mine')
    expect(() => makeFolders(folders)).toThrow(/EEXIST/)
    expect(readFileSync(join(folders.root, 'etc'), 'utf8')).toBe('mine')
  })
})

describe('a new file', () => {
  it('never replaces one, nor a link that leads nowhere, and leaves no temporary file', () => {
    writeFileSync(join(base, 'there'), 'old')
    symlinkSync('nowhere', join(base, 'link'))
    expect(makeFile(join(base, 'there'), 'new', 0o600)).toEqual([])
    expect(makeFile(join(base, 'link'), 'new', 0o600)).toEqual([])
    expect(makeFile(join(base, 'fresh'), 'new', 0o600)).toEqual([join(base, 'fresh')])
    expect(readFileSync(join(base, 'there'), 'utf8')).toBe('old')
    expect(readdirSync(base).sort()).toEqual(['fresh', 'link', 'there'])
    expect(mode(join(base, 'fresh'))).toBe(0o600)
  })
})

describe('the sample', () => {
  beforeEach(() => {
    makeFolders(folders)
  })
  const read = (...parts: string[]) => readFileSync(join(...parts), 'utf8')

  it('has a configuration that the server takes, with every endpoint on', () => {
    makeSample(folders)
    const config = parseConfiguration(read(folders.sysconf, 'edge-admin.json'), 'edge-admin.json')
    expect(config.endpoints).toEqual(['settings', 'certs', 'license', 'storage', 'backup'])
    expect(config['first-run']).toEqual({ 'word-length': 4, enabled: true })
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 8443 })
    expect(config).toMatchObject({ label: 'SYSTEM', privilege: 'none', tls: { enabled: true } })
  })

  it('has what the endpoints read', () => {
    makeSample(folders)
    expect(read(folders.root, 'etc/version.txt')).toBe('1.0.0\n')
    expect(read(folders.root, 'etc/backup.txt')).toBe('etc home\n')
    expect(read(folders.root, 'etc/debug.txt')).toBe('uname -a\ndate\ndf -h\n')
    expect(read(folders.root, 'etc/logs.txt').trim()).toBe(join(folders.data, 'log'))
    expect(JSON.parse(read(folders.sysconf, 'build.json')).builddate).toMatch(/^\d+$/)
    expect(JSON.parse(read(folders.sysconf, 'storage-options.json')).options).toContain('local')
    expect(existsSync(join(folders.data, 'etc/app.conf'))).toBe(true)
    expect(existsSync(join(folders.data, 'home'))).toBe(true)
    expect(execFileSync(join(folders.sysconf, 'init.d/sample-app'), ['status']).toString()).toContain('is running')
  })

  it('has keys that fit each other, and the private halves are nobody else’s', () => {
    makeSample(folders)
    expect(readPassphrase(join(folders.root, 'etc/updates.key')).length).toBe(44)
    const text = Buffer.from('text')
    for (const [name, digest] of [
      ['updates', 'sha256'],
      ['license', null],
    ] as const) {
      const priv = read(folders.state, `vendor/${name}.priv`)
      expect(priv).toContain('TEST KEY')
      expect(mode(join(folders.state, `vendor/${name}.priv`))).toBe(0o600)
      const pub = createPublicKey(read(folders.root, `etc/${name}.pub`))
      expect(verify(digest, text, pub, sign(digest, text, priv))).toBe(true)
    }
    expect(mode(join(folders.root, 'etc/updates.key'))).toBe(0o600)
    execFileSync('openssl', ['pkey', '-in', join(folders.state, 'vendor/updates.priv'), '-noout'])
  })

  it('changes nothing when it is made again', () => {
    makeSample(folders)
    writeFileSync(join(folders.root, 'etc/version.txt'), '9.9\n')
    const before = snapshot()
    expect(makeFolders(folders)).toEqual([])
    expect(makeSample(folders)).toEqual([])
    expect(snapshot()).toEqual(before)
  })

  it('fills in what is missing: a public key from its private one, no private key for a stranger’s public one', () => {
    makeSample(folders)
    const pub = read(folders.root, 'etc/updates.pub')
    rmSync(join(folders.root, 'etc/updates.pub'))
    rmSync(join(folders.state, 'vendor/license.priv'))
    expect(makeSample(folders)).toEqual([join(folders.root, 'etc/updates.pub')])
    expect(read(folders.root, 'etc/updates.pub')).toBe(pub)
  })

  it.each(['dash', 'busybox ash'])('has hooks that under %s write a line and nothing else', (shell) => {
    makeSample(folders)
    const before = snapshot()
    for (const name of ['network', 'storage', 'reboot']) {
      const [program = '', ...args] = [...shell.split(' '), join(folders.root, `bin/${name}.sh`), 'static', '$(id)']
      execFileSync(program, args, { cwd: '/', env: { PATH: '/usr/bin:/bin' } })
    }
    expect(read(folders.root, 'log/hooks.log')).toBe(
      'network.sh static $(id)\nstorage.sh static $(id)\nreboot.sh static $(id)\n',
    )
    rmSync(join(folders.root, 'log/hooks.log'))
    expect(snapshot()).toEqual(before)
    execFileSync(
      'shellcheck',
      ['network', 'storage', 'reboot'].map((name) => join(folders.root, `bin/${name}.sh`)),
    )
  })

  it('names no path with a blank in logs.txt, which separates by blanks', () => {
    const blank = { ...folders, data: join(base, 'my data') }
    makeFolders(blank)
    makeSample(blank)
    expect(read(folders.root, 'etc/logs.txt')).toBe('\n')
  })
})
