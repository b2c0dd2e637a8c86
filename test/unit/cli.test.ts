// The command line in-process: streams in, streams and an exit status out. Every error is exactly one line and never a
// stack, so `lines` fails on anything else.
import { generateKeyPairSync } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Passwords } from '../../src/auth/password.ts'
import { TOKEN_CHARACTERS, TokenStore, tokenKey } from '../../src/auth/token.ts'
import { UserStore } from '../../src/auth/users.ts'
import { ACTION_USAGE } from '../../src/cli/action-usage.ts'
import { COMMANDS, run } from '../../src/cli/cli.ts'
import { readPlan } from '../../src/cli/serve-plan.ts'
import { DEFAULT_FOLDERS } from '../../src/folders.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'edge-cli-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk
    done()
  }
}

async function* feed(text: string) {
  for (const character of text) yield character
}

async function cli(args: string[], { input = '', env = {} as Record<string, string> } = {}) {
  const [stdout, stderr] = [new Sink(), new Sink()]
  const status = await run(args, { stdout, stderr, env, stdin: feed(input) })
  return { status, out: stdout.text, err: stderr.text }
}

/** It failed with this status, one line about it, and nothing on standard output. */
async function fails(args: string[], status: number, line: RegExp, more = {}) {
  const result = await cli(args, more)
  expect(result).toMatchObject({ status, out: '' })
  expect(result.err).toMatch(/^edge-admin[^\n]*\n$/)
  expect(result.err).toMatch(line)
  expect(result.err).not.toMatch(/ at .*:\d+/)
}

describe('edge-admin', () => {
  it.each(['--help', '-h', 'help'])('%s names every command for people, and no other', async (word) => {
    const { status, out, err } = await cli([word])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    for (const name of ['serve', 'init', 'token', 'package', 'license', 'audit', 'call'])
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(out).not.toMatch(/^ {2}swap/m)
  })

  it.each(COMMANDS.map(({ name }) => name))('%s --help explains itself without being loaded', async (name) => {
    for (const args of [
      [name, '--help'],
      [name, 'x', '-h', '--unknown'],
    ]) {
      const { status, out, err } = await cli(args)
      expect({ status, err }).toEqual({ status: 0, err: '' })
      expect(out).toMatch(new RegExp(`^edge-admin ${name}`))
    }
  })

  it.each(
    Object.entries(ACTION_USAGE).flatMap(([name, actions]) => Object.keys(actions).map((action) => [name, action])),
  )('%s %s --help prints its own help', async (name, action) => {
    const { status, out, err } = await cli([name!, action!, '--help'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(new RegExp(`^edge-admin ${name} ${action} `))
    expect(out.match(/^edge-admin /gm)).toHaveLength(1)
  })

  it('--version prints the version of the package', async () => {
    const about = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'))
    expect(await cli(['--version'])).toEqual({ status: 0, out: `${about.version}\n`, err: '' })
  })

  it.each([
    [[], /a command is missing/],
    [['frobnicate'], /unknown command frobnicate/],
    [['--frob'], /unknown command --frob/],
    [['x\u001b[2J\ny'], /unknown command x \[2J y:/],
    [['__proto__'], /unknown command/],
    [['user', 'lst'], /unknown action lst: list or reset$/m],
    [['user', 'reset'], /a word is missing: NAME/],
    [['user', 'list', 'ann'], /one word too many: ann/],
    [['serve', '--prot', '1'], /^edge-admin serve: unknown option '--prot': did you mean "--port"\?$/m],
    [['serve', 'extra'], /one word too many: extra$/m],
    [['serv'], /unknown command serv: did you mean "serve"\?$/m],
    [['init', '--samlpe', '--root', 'x'], /unknown option '--samlpe': did you mean "--sample"\?$/m],
    [['init', '--rot=x'], /unknown option '--rot': did you mean "--root"\?$/m],
  ])('refuses %j with status 64', (args, line) => fails(args, 64, line))

  it.each([
    [['init', '--rooot', 'x'], /unknown option '--rooot'/],
    [['init', '--root'], /'--root <value>' argument missing/],
    [['init', '--root', '--sample'], /'--root' argument is ambiguous/],
    [['init', '--sample'], /--root is missing: a sample/],
    [['token', 'set', '--root='], /--root is missing/],
    [['init', '--root='], /--root is missing/],
    [['init', '--root', 'x', 'y'], /one word too many: y/],
    [['init', '--root', 'x', '--sample=yes'], /'--sample' does not take an argument/],
    [['token', '--root', 'x'], /a word is missing: ACTION/],
    [['token', 'get', '--root', 'x'], /unknown action get/],
    [['token', 'set', 'secret', '--root', 'x'], /one word too many/],
    [['package'], /an action is missing/],
    [['package', 'frob'], /unknown action frob/],
    [['package', 'build', 'x'], /--sign is missing/],
    [['package', 'verify', 'x', '--key', 'k'], /--pub is missing/],
    [['license', 'frob'], /unknown action frob/],
    [['license', 'keygen'], /--out is missing/],
    [['call', 'GET'], /a word is missing: PATH/],
    [['package', 'build'], /a word is missing: DIR/],
    [['call', 'G-T', 'version'], /the method is a word/],
  ])('says what is wrong with %j, status 64', (args, line) => fails(args, 64, line))

  it('prints what it does not understand as one line and status 1', async () => {
    const key = join(base, 'a\nb')
    await fails(['license', 'verify', '--pub', key, 'x'], 1, /license: .*a b: no such file or folder\n$/)
  })
})

describe('the admin folder', () => {
  it('is the same one for every command that is told none', async () => {
    const env = { JIDO_ADMIN_PATH: join(base, 'root') }
    const folders = ['sysconfdir', 'datadir', 'statedir'].flatMap((name) => [`--${name}`, join(base, name)])
    expect((await cli(['init', ...folders], { env })).out).toContain(`made ${join(base, 'root/etc')}\n`)
    expect((await cli(['token', 'set'], { env, input: 'yourtoken\n' })).status).toBe(0)
    expect(readPlan(folders, env).folders.root).toBe(env.JIDO_ADMIN_PATH)
    const looked = await cli(['check', '--json', ...folders], { env })
    expect(JSON.parse(looked.out).folders.root).toBe(env.JIDO_ADMIN_PATH)
    rmSync(join(base, 'root/etc'), { recursive: true })
    await fails(['export-original', '--undo'], 1, /\/root: no etc folder in it$/m, { env })
    // An option has the say.
    await fails(['token', 'rotate', '--root', join(base, 'else')], 1, /\/else: no etc folder/, { env })
    await fails(['token', 'rotate'], 1, /JIDO_ADMIN_PATH: expected an absolute path/, { env: { JIDO_ADMIN_PATH: 'x' } })
  })
})

describe('edge-admin init', () => {
  it('makes folders, says which, and is content when they are there', async () => {
    const args = [
      'init',
      '--root',
      join(base, 'r'),
      '--sysconfdir',
      join(base, 's'),
      '--datadir',
      join(base, 'd'),
      '--statedir',
      join(base, 't'),
    ]
    const first = await cli(args)
    expect(first).toMatchObject({ status: 0, err: '' })
    expect(first.out).toContain(`made ${join(base, 'r/etc')}\n`)
    expect(existsSync(join(base, 'r/etc/version.txt'))).toBe(false)
    expect(await cli(args)).toEqual({ status: 0, out: 'everything was already there\n', err: '' })
  })

  it('keeps a sample below its root', async () => {
    expect(await cli(['init', '--root', join(base, 'r'), '--sample'])).toMatchObject({ status: 0 })
    for (const name of ['sysconf/edge-admin.json', 'data/etc/app.conf', 'state/vendor/updates.priv']) {
      expect(existsSync(join(base, 'r', name))).toBe(true)
    }
  })

  it('names the file that is in the way', async () => {
    writeFileSync(join(base, 'r'), '')
    await fails(['init', '--root', join(base, 'r'), '--sample'], 1, /r: exists already|r\/etc: not a folder/)
  })
})

describe('edge-admin token', () => {
  const folders = () => ({ ...DEFAULT_FOLDERS, root: base })
  const stored = () => readFileSync(join(base, 'etc/api.token'), 'utf8')
  beforeEach(() => mkdirSync(join(base, 'etc')))

  it('sets what it reads, keeps only its digest, and ends a first run', async () => {
    writeFileSync(join(base, 'etc/api.token.setup'), 'four-words-of-it\n')
    const result = await cli(['token', 'set', '--root', base], { input: 'yourtoken\n' })
    expect(result).toEqual({ status: 0, out: '', err: 'the token is set\n' })
    expect(stored()).toBe('sha256 13e2ff941bbc8692cad141c8d293dda2c4f1c1a3c51b93d54f1a1693e1206107\n')
    expect(statSync(join(base, 'etc/api.token')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(base, 'etc/api.token.setup'), 'utf8')).toBe('')
    expect(new TokenStore(folders()).authenticate('GET', '/', { token: 'yourtoken' })).toBeDefined()
  })

  it.each([
    ['all 94 characters', TOKEN_CHARACTERS],
    ['one character', '!'],
    ['255 characters', 'x'.repeat(255)],
  ])('takes %s, with or without a line end', async (_name, input) => {
    for (const end of ['', '\n', '\r\n']) {
      expect(await cli(['token', 'set', '--root', base], { input: input + end })).toMatchObject({ status: 0 })
      expect(stored()).toBe(`sha256 ${tokenKey(input)}\n`)
    }
  })

  it.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['a blank', 'canary token'],
    ['a blank at its end', 'canary \n'],
    ['an empty line behind it', 'canary\n\n'],
    ['two lines', 'canary\ntoken\n'],
    ['a letter beyond ASCII', 'canaryé'],
    ['a control character', 'canary\u007f'],
    ['256 characters', 'c'.repeat(256)],
    ['a file without an end', 'c'.repeat(10_000)],
  ])('refuses %s, repeats none of it and changes nothing', async (_name, input) => {
    writeFileSync(join(base, 'etc/api.token'), 'old')
    writeFileSync(join(base, 'etc/api.token.setup'), 'phrase')
    await fails(['token', 'set', '--root', base], 1, /^(?!.*(canary|ccc)).*a token has/, { input })
    expect(stored()).toBe('old')
    expect(readFileSync(join(base, 'etc/api.token.setup'), 'utf8')).toBe('phrase')
  })

  it('rotates to a random token that is printed once', async () => {
    const first = (await cli(['token', 'rotate', '--root', base])).out
    const second = (await cli(['token', 'rotate', '--root', base])).out
    expect(first).toMatch(/^[A-Za-z0-9_-]{32}\n$/)
    expect(second).not.toBe(first)
    expect(stored()).toBe(`sha256 ${tokenKey(second.trim())}\n`)
  })

  it('needs an appliance, and follows no link: the file takes its place', async () => {
    await fails(['token', 'rotate', '--root', join(base, 'nowhere')], 1, /run edge-admin init first/)
    writeFileSync(join(base, 'elsewhere'), 'mine\n')
    for (const target of ['nowhere', '../elsewhere']) {
      rmSync(join(base, 'etc/api.token'), { force: true })
      symlinkSync(target, join(base, 'etc/api.token'))
      expect((await cli(['token', 'rotate', '--root', base])).status).toBe(0)
      expect(lstatSync(join(base, 'etc/api.token')).isFile()).toBe(true)
    }
    expect([existsSync(join(base, 'etc/nowhere')), readFileSync(join(base, 'elsewhere'), 'utf8')]).toEqual([
      false,
      'mine\n',
    ])
    rmSync(join(base, 'etc/api.token'))
    mkdirSync(join(base, 'etc/api.token'))
    await fails(['token', 'rotate', '--root', base], 1, /not a regular file/)
  })
})

describe('edge-admin package', () => {
  const at = (name: string) => join(base, name)
  beforeEach(() => {
    mkdirSync(at('dir'))
    writeFileSync(at('dir/update.sh'), '#!/bin/sh\n')
    writeFileSync(at('key'), 'secret\n')
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(at('priv'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(at('pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }))
  })
  const build = (version = '1.2.3', env = {}) =>
    cli(
      [
        'package',
        'build',
        '--key',
        at('key'),
        '--sign',
        at('priv'),
        '--version',
        version,
        '--out',
        at('p.enc'),
        at('dir'),
      ],
      { env },
    )
  const verify = (...more: string[]) => [
    'package',
    'verify',
    at('p.enc'),
    '--key',
    at('key'),
    '--pub',
    at('pub'),
    ...more,
  ]

  it('builds, inspects and verifies', async () => {
    expect(await build()).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringMatching(/p\.enc: version 1\.2\.3, 10272 bytes\n$/),
    })
    const inspected = await cli(['package', 'inspect', at('p.enc'), '--key', at('key'), '--pub', at('pub')])
    expect(inspected).toMatchObject({ status: 0, err: '' })
    expect(JSON.parse(inspected.out)).toEqual({
      version: '1.2.3',
      signature: 'valid',
      files: [
        { name: 'version.txt', size: 6, mode: '0644' },
        { name: 'update.sh', size: 10, mode: '0644' },
      ],
      bytes: 16,
    })
    const unchecked = await cli(['package', 'inspect', at('p.enc'), '--key', at('key')])
    expect(JSON.parse(unchecked.out).signature).toBe('unchecked')
    for (const more of [[], ['--installed', '1.2.2']]) {
      expect(await cli(verify(...more))).toMatchObject({
        status: 0,
        out: `${at('p.enc')}: version 1.2.3, signature valid\n`,
      })
    }
  })

  it('verifies in the words of the appliance', async () => {
    await build('1.9.0')
    await fails(verify('--installed', '1.10.0'), 1, /package: E1001 software update package v1\.9\.0 is too old\.\n/)
    await fails(verify('--installed', '1.9.0'), 1, /E1001 software update package v1\.9\.0 already up-to-date\.\n/)
    await fails(verify('--installed', 'a b'), 64, /--installed is not a version/)
    writeFileSync(at('key'), 'another\n')
    await fails(verify(), 1, /package: E1005 Error decrypting software update package\n/)
  })

  it('tells a stranger’s signature', async () => {
    await build()
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(at('pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }))
    await fails(verify(), 1, /E1005 Error verifying software update package signature\n/)
    const inspected = await cli(['package', 'inspect', at('p.enc'), '--key', at('key'), '--pub', at('pub')])
    expect(inspected.status).toBe(1)
    expect(JSON.parse(inspected.out)).toMatchObject({ signature: 'invalid', version: '1.2.3' })
  })

  it('warns of a package that does nothing', async () => {
    rmSync(at('dir/update.sh'))
    expect(await build()).toMatchObject({ status: 0, err: expect.stringMatching(/^warning: no update\.sh/) })
  })

  it('never ships the signing key', async () => {
    writeFileSync(at('dir/updates.priv'), readFileSync(at('priv')))
    writeFileSync(at('priv'), '')
    rmSync(at('priv'))
    symlinkSync('dir/updates.priv', at('priv'))
    expect((await build()).err).toMatch(/signing key lies in the folder/)
    expect(existsSync(at('p.enc'))).toBe(false)
  })

  it.each([
    ['garbage', () => 'garbage'],
    ['an Ed25519 key', () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    [
      'a short RSA key',
      () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    [
      'a locked key',
      () =>
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-128-cbc',
          passphrase: 'x',
        }),
    ],
  ])('does not sign with %s', async (_name, make) => {
    writeFileSync(at('priv'), make())
    expect(await build()).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^edge-admin package: .*priv: not an? [^\n]*\n$/),
    })
  })

  it('wants SOURCE_DATE_EPOCH to be a time, and files to be there', async () => {
    expect(await build('1', { SOURCE_DATE_EPOCH: '1700000000' })).toMatchObject({ status: 0 })
    expect(await build('1', { SOURCE_DATE_EPOCH: 'now' })).toMatchObject({ status: 64 })
    rmSync(at('dir'), { recursive: true })
    expect(await build()).toMatchObject({
      status: 1,
      err: `edge-admin package: ${at('dir')}: no such file or folder\n`,
    })
  })
})

describe('edge-admin license', () => {
  const at = (name: string) => join(base, name)
  const LICENSE = { app: 'x', users: 1, expires: '2038-01-19', name: 'n', contact: 'c' }

  it('makes keys, signs and verifies', async () => {
    expect(await cli(['license', 'keygen', '--out', at('v')])).toMatchObject({ status: 0, err: '' })
    expect(statSync(at('v.priv')).mode & 0o777).toBe(0o600)
    writeFileSync(at('in.json'), JSON.stringify(LICENSE))
    const sign = ['license', 'sign', '--key', at('v.priv'), '--in', at('in.json'), '--out', at('out.asc')]
    expect(await cli(sign)).toMatchObject({ status: 0, err: '' })
    const verified = await cli(['license', 'verify', '--pub', at('v.pub'), at('out.asc')])
    expect(verified).toMatchObject({ status: 0, err: '' })
    expect(JSON.parse(verified.out)).toEqual(LICENSE)
    await fails(['license', 'verify', '--pub', at('v.pub'), at('in.json')], 1, /has no license and signature/)
    writeFileSync(at('in.json'), '{}')
    await fails(sign, 1, /missing or wrong field: app/)
    expect((await cli(['license', 'verify', '--pub', at('v.pub'), at('out.asc')])).status).toBe(0)
  })

  it('replaces no key', async () => {
    await cli(['license', 'keygen', '--out', at('v')])
    const before = [readFileSync(at('v.priv'), 'utf8'), readFileSync(at('v.pub'), 'utf8')]
    await fails(['license', 'keygen', '--out', at('v')], 1, /v\.priv: exists already/)
    rmSync(at('v.priv'))
    expect((await cli(['license', 'keygen', '--out', at('v')])).status).toBe(1)
    expect(existsSync(at('v.priv'))).toBe(false)
    expect(readFileSync(at('v.pub'), 'utf8')).toBe(before[1])
  })
})

describe('edge-admin user', () => {
  const store = () => {
    const users = new UserStore({ ...DEFAULT_FOLDERS, state: base })
    users.prepare()
    return users
  }

  it('lists the accounts', async () => {
    store()
    expect((await cli(['user', 'list', '--statedir', base])).out).toMatch(/^admin +administrator\n$/)
  })

  it('reset gives an account a password of which the file knows only the hash, and ends its tokens', async () => {
    const users = store()
    users.change((all) => {
      all.push({ ...all[0]!, id: 'user-2', username: 'chief' })
      all[0]!.active = false
    })
    const { status, out } = await cli(['user', 'reset', 'ADMIN', '--statedir', base])
    expect(status).toBe(0)
    const admin = users.byName('admin')!
    expect([admin.active, admin.generation, admin.one_time]).toEqual([true, 2, undefined])
    expect(await new Passwords().verify(out.trim(), admin.hash)).toBe(true)
    expect(readFileSync(join(base, 'users.json'), 'utf8')).not.toContain(out.trim())
    expect(existsSync(join(base, 'admin.password'))).toBe(users.byName('chief')?.one_time === true)
    expect(users.byName('chief')?.generation).toBe(1)
  })

  it.each([
    [['reset', 'nobody-here'], 1, /no such account/],
    [['reset'], 64, /a word is missing: NAME/],
    [['list', 'x'], 64, /one word too many: x/],
    [['drop', 'admin'], 64, /unknown action drop: list or reset/],
  ])('%j fails with status %i', (args, status, line) => {
    store()
    return fails(['user', ...args, '--statedir', base], status as number, line as RegExp)
  })

  it('says that there are no accounts yet, and makes none', async () => {
    await fails(['user', 'reset', 'admin', '--statedir', base], 1, /no accounts yet/)
    expect(existsSync(join(base, 'users.json'))).toBe(false)
  })
})
