// docs/migration.md as an operator follows it: there, in use, back, and forward again. The original's server cannot be
// run here; stand-ins of its authentication and of what its user reads and writes take its place (facts: jidoteki.md
// 1.2, 4).
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FIXTURES, installation, REPOSITORY, temporaryFolder } from './appliance.ts'
import { call, file, hashOf, keyOf, until } from './client.ts'

/** The original's users are numbers: its server, and the one of SFTP. Nobody here has these. */
const ADMIN = 64997
const SFTP = 64998
const GUIDE = readFileSync(join(REPOSITORY, 'docs/migration.md'), 'utf8')
/** The lines of one chapter, as somebody pastes them. */
const blocks = (title: string): string[] => {
  const chapter = GUIDE.slice(GUIDE.indexOf(title)).split('\n## ', 1)[0] ?? ''
  return [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}
const lines = (title: string) => blocks(title).join('\n')
const NAMES = lines('# From the original')
const isRoot = process.getuid?.() === 0
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Of an export, in their order. */
const STEPS = [
  'export-staged',
  'swap-planned',
  'swap-saved',
  'swap-placed',
  'swap-all-placed',
  'export-placed',
  'export-done',
]

let base: string
let env: Record<string, string>
let url: string
let token = 'the-original-token'
const at = (...parts: string[]) => join(base, ...parts)
const root = (...parts: string[]) => at('root', ...parts)
const sysconf = (...parts: string[]) => at('sysconf', ...parts)
const look = (path: string) => {
  const { uid, gid, mode } = lstatSync(path)
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`
}

function program(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}

/** What the role lays. */
beforeEach(async (context) => {
  if (!isRoot) return context.skip('only root can lay the owners of the original')
  if (!hasSetpriv) return context.skip('setpriv is not installed')
  base = temporaryFolder()
  chmodSync(base, 0o755)
  token = 'the-original-token'
  const port = await freePort()
  url = `https://127.0.0.1:${port}`
  for (const name of [
    'root/etc',
    'root/log',
    'root/bin',
    'root/tmp',
    'root/home/sftp/uploads',
    'sysconf/init.d',
    'data',
    'bin',
  ])
    mkdirSync(at(name), { recursive: true })
  const owned = (path: string, mode: number, uid: number, gid: number, content?: string) => {
    if (content !== undefined) writeFileSync(path, content)
    chownSync(path, uid, gid)
    chmodSync(path, mode)
  }
  owned(root('etc'), 0o1775, 0, ADMIN)
  owned(root('log'), 0o775, 0, ADMIN)
  owned(root('home/sftp/uploads'), 0o770, SFTP, ADMIN)
  owned(root('etc/api.token'), 0o660, 0, ADMIN, `${token}\n`)
  owned(root('etc/api.token.setup'), 0o644, ADMIN, ADMIN, '')
  owned(root('etc/version.txt'), 0o644, 0, 0, '1.0.0\n')
  owned(root('etc/backup.txt'), 0o644, 0, 0, 'home\n')
  owned(root('log/update.log'), 0o664, 0, ADMIN, '[1][LIVE IMAGE] Update successful\n')
  mkdirSync(at('data/home'))
  writeFileSync(at('data/home/notes.txt'), 'kept\n')
  const endpoints = ['settings', 'certs', 'license', 'storage', 'backup']
  writeFileSync(sysconf('jidoteki-admin-api.json'), JSON.stringify({ endpoints, parameters: ['public', 'private'] }))
  for (const name of ['network', 'storage']) program(root('bin', `${name}.sh`), 'exit 0')
  program(root('bin/license.sh'), `cat '${root('etc/license.asc')}'`)
  program(sysconf('init.d/jidoteki-admin-api'), `echo "original $1" >>'${at('calls')}'`)
  const source = installation()
  copyFileSync(join(REPOSITORY, 'install.sh'), join(source, 'install.sh'))
  env = {
    PATH: `${at('usr/bin')}:${process.env['PATH']}`,
    ROOT: root(),
    SYSCONFDIR: sysconf(),
    DATADIR: at('data'),
    STATEDIR: at('state'),
    ETCDIR: at('etc'),
    PREFIX: at('usr'),
    SAVE: at('before.tar'),
    EDGE_PIDFILE: at('run/pid'),
    HOST: '127.0.0.1',
    PORT: String(port),
    TOKEN: token,
  }
})

const paste = (text: string, more: Record<string, string> = {}) =>
  spawnSync('sh', ['-e', '-c', `${NAMES}\n${text}`], {
    cwd: installation(),
    env: { ...env, TOKEN: token, ...more },
    encoding: 'utf8',
    timeout: 60_000,
  })
const must = (text: string) => {
  const { status, stdout, stderr } = paste(text)
  expect(status, stdout + stderr).toBe(0)
  return stdout + stderr
}
const stop = () => spawnSync(at('etc/init.d/edge-admin'), ['stop'], { env })
afterEach(() => {
  if (base && existsSync(at('etc/init.d/edge-admin'))) stop()
})
afterAll(() => {
  if (base) rmSync(base, { recursive: true, force: true })
})

const ask = (method: string, path: string, form?: Parameters<typeof call>[3]) =>
  call(url, method, `/api/v1/admin${path}`, { sign: token, ...form })
const ends = (path: string) =>
  until(`${path} ends`, async () => {
    const { status, body } = await ask('GET', path)
    return status === 200 && !body.includes('"running"') && body
  })

/** The original's server: user 997, who has no other group. */
const asOriginal = (script: string) =>
  execFileSync('setpriv', ['--reuid', String(ADMIN), '--regid', String(ADMIN), '--clear-groups', 'sh', '-ec', script], {
    encoding: 'utf8',
  })
/** Its check of a request, from line 1 of the file (facts: jidoteki.md 4). */
function originalTakes(method: string, path: string, { hash, given }: { hash?: string; given?: string }): boolean {
  const line = asOriginal(`head -n 1 '${root('etc/api.token')}'`).replace(/\r?\n$/, '')
  return hash ? hash === hashOf(line, method, path) : given === line
}

/** Changes everything that can be changed. */
async function use(): Promise<void> {
  const changed = await ask('POST', '/setup', { form: [{ name: 'newtoken', value: 'changed-by-us' }] })
  expect(changed.body).toBe('{"Status":"200 OK"}')
  token = 'changed-by-us'
  const part = (name: string) => readFileSync(join(FIXTURES, name))
  const pair = [file('public', part('rsa.pem')), file('private', part('rsa.key'))]
  expect((await ask('POST', '/certs', { form: pair })).status).toBe(202)
  expect(await ends('/certs')).toContain('"success"')
  const settings = '{"network":{"hostname":"box","interface":"eth0"},"app":{"name":"x"}}'
  expect((await ask('POST', '/settings', { form: [file('settings', settings)] })).status).toBe(202)
  await until('the settings are shown', async () => (await ask('GET', '/settings')).body.includes('"box"'))
  expect((await ask('POST', '/storage', { form: [file('settings', '{"storage":{"type":"local"}}')] })).status).toBe(202)
  await until('the storage options are there', () => existsSync(root('etc/storage.json')))
  expect((await ask('POST', '/license', { form: [file('license', '{"app":"x"}')] })).status).toBe(200)
  expect((await ask('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })).status).toBe(202)
  expect(await ends('/backup')).toContain('"success"')
}

describe('the guide', { timeout: 180_000 }, () => {
  it('leads there, back, and there again, with the same token', async () => {
    must(lines('## Before you start'))
    expect(look(at('before.tar')).split(' ')[0]).toBe('600')
    const there = blocks('## There')
    must(there.slice(0, -1).join('\n'))
    expect(must(there.at(-1) ?? '')).toContain('"version":"1.0.0"')
    expect(readFileSync(root('etc/api.token'), 'utf8')).toBe(`sha256 ${keyOf(token)}\n`)
    expect([look(root('etc/api.token')), readFileSync(at('calls'), 'utf8')]).toEqual([
      `660 0:${ADMIN}`,
      'original stop\n',
    ])
    await use()

    // While our server runs it would convert the token at once.
    const early = paste(
      `printf '%s\\n' "$TOKEN" | edge-admin export-original --root "$ROOT" --sysconfdir "$SYSCONFDIR" --statedir "$STATEDIR"`,
    )
    expect([early.status, early.stderr]).toEqual([1, expect.stringContaining('stop it first')])

    const said = must(lines('## Back'))
    expect(said).not.toContain(token)
    expect(said).toContain(`${root('etc/api.token')}: the token in plain, 0660 0:${ADMIN}`)
    expect(readFileSync(root('etc/api.token'), 'utf8')).toBe(`${token}\n`)

    // The original's server and scripts on these files.
    const path = '/api/v1/admin/version'
    expect(originalTakes('GET', path, { hash: hashOf(token, 'GET', path) })).toBe(true)
    expect(originalTakes('GET', path, { given: token })).toBe(true)
    expect(originalTakes('GET', path, { given: `sha256 ${keyOf(token)}` })).toBe(false)
    asOriginal(`: >'${root('etc/api.token.setup')}'; echo line >>'${root('log/jidoteki-audit.log')}'`)
    for (const name of [
      'etc/app.json',
      'etc/network.json',
      'etc/storage.json',
      'etc/license.asc',
      'etc/status_certs.txt',
      'log/update.log',
      'log/update_backup.log',
    ])
      expect(asOriginal(`cat '${root(name)}'`), name).not.toBe('')
    for (const name of ['network.conf', 'storage.conf'])
      expect(asOriginal(`. '${sysconf(name)}'; cat '${sysconf(name)}'`)).not.toBe('')
    expect(asOriginal(`. '${sysconf('network.conf')}'; echo "$mode $hostname"`)).toBe('dhcp box\n')
    expect(asOriginal(`cat '${root('home/sftp/uploads/backup.json')}'`)).toContain('"success"')
    expect(asOriginal(`cat '${sysconf('pki/tls/enterprise.pem')}'`)).toContain('PRIVATE KEY')
    expect([root('etc'), root('log'), root('home/sftp/uploads')].map(look)).toEqual([
      `1775 0:${ADMIN}`,
      `775 0:${ADMIN}`,
      `770 ${SFTP}:${ADMIN}`,
    ])

    // Once more changes nothing.
    const again = must(lines('## Back').replace(/.*init\.d.*/g, ''))
    expect(again).toContain('every file has the original’s form already')

    must(`"$ETCDIR/init.d/edge-admin" start`)
    expect((await ask('GET', '/version')).body).toBe('{"version":"1.0.0"}')
    expect(look(root('etc/api.token'))).toBe(`660 0:${ADMIN}`)
    // It is entered that the token lay there in plain.
    await until('the entry', () => readFileSync(root('log/jidoteki-audit.log'), 'utf8').includes('token.export'))
  })
})

describe('the way back', { timeout: 120_000 }, () => {
  const back = (more = '', given = token) =>
    paste(
      `printf '%s\\n' "$GIVEN" | edge-admin export-original --root "$ROOT" --sysconfdir "$SYSCONFDIR" --statedir "$STATEDIR" ${more}`,
      {
        GIVEN: given,
      },
    )
  /** Ours was here: the token is a digest, and the certificate our own. */
  const install = () => {
    must('sh install.sh')
    writeFileSync(root('etc/api.token'), `sha256 ${keyOf(token)}\n`)
  }
  const kill = (step: string) => {
    const killed = paste(
      `printf '%s\\n' "$TOKEN" | EDGE_FAULT=${step}=kill edge-admin export-original --root "$ROOT" --sysconfdir "$SYSCONFDIR" --statedir "$STATEDIR"`,
    )
    expect(killed.status).not.toBe(0)
    expect(existsSync(at('state/export-original'))).toBe(true)
  }
  const everything = () => {
    const found = readdirSync(base, { recursive: true, encoding: 'utf8' })
      .filter((name) => /^(root|sysconf)\//.test(name))
      .sort()
    return found.map(
      (name) => `${name} ${look(at(name))} ${lstatSync(at(name)).isFile() ? readFileSync(at(name), 'utf8') : ''}`,
    )
  }

  it('writes no token but the one in force, and changes nothing then', () => {
    install()
    const before = everything()
    const { status, stderr } = back('', 'another-token')
    expect([status, stderr]).toEqual([1, expect.stringContaining('not the token of this appliance')])
    expect(everything()).toEqual(before)
  })

  it('sets a new token when it is asked to, and ends a first run', () => {
    install()
    writeFileSync(root('etc/api.token.setup'), 'four words of set-up\n')
    expect(back('--new-token', 'a-new-one').status).toBe(0)
    expect([readFileSync(root('etc/api.token'), 'utf8'), readFileSync(root('etc/api.token.setup'), 'utf8')]).toEqual([
      'a-new-one\n',
      '',
    ])
    expect(back('--new-token', 'with a blank').status).toBe(1)
  })

  it('lets the original’s server read version and changelog, which an update under a mask of its own made', () => {
    install()
    const manual = readFileSync(join(REPOSITORY, 'docs/vendors.md'), 'utf8').split('## Updating Edge Admin itself')[1]
    const recipe = manual
      ?.split('```')[1]
      ?.split('\n')
      .filter((line) => line.includes('version.txt'))
    writeFileSync(at('version.txt'), '1.0.1\n')
    expect(paste(`cd '${base}'; umask 027; export EDGE_ROOT="$ROOT"; ${recipe?.join('\n')}`).stderr).toBe('')
    expect([look(root('etc/version.txt')), asOriginal(`cat '${root('etc/version.txt')}'`)]).toEqual([
      '644 0:0',
      '1.0.1\n',
    ])
    chmodSync(root('etc/version.txt'), 0o640)
    writeFileSync(root('etc/changelog.txt'), 'changes\n', { mode: 0o600 })
    expect(back().status).toBe(0)
    expect(['version.txt', 'changelog.txt'].map((name) => asOriginal(`cat '${root('etc', name)}'`))).toEqual([
      '1.0.1\n',
      'changes\n',
    ])
    expect(back().stdout).toContain('every file has the original’s form already')
  })

  it('makes what the original needs of a pair and of a configuration that only we knew', () => {
    install()
    rmSync(sysconf('jidoteki-admin-api.json'))
    writeFileSync(sysconf('edge-admin.json'), '{"endpoints":["certs","backup"],"first-run":{"enabled":true}}')
    for (const [name, part] of [
      ['private/enterprise.key', 'rsa.key'],
      ['certs/enterprise.crt', 'rsa.pem'],
    ] as const) {
      mkdirSync(join(sysconf('pki/tls', name), '..'), { recursive: true })
      copyFileSync(join(FIXTURES, part), sysconf('pki/tls', name))
      chmodSync(sysconf('pki/tls', name), 0o600)
    }
    chmodSync(sysconf('pki'), 0o750)
    const { status, stderr } = back()
    expect(status, stderr).toBe(0)
    const pem = sysconf('pki/tls/enterprise.pem')
    expect([look(pem), readFileSync(pem, 'utf8')]).toEqual([
      `640 0:${ADMIN}`,
      readFileSync(join(FIXTURES, 'rsa.key'), 'utf8') + readFileSync(join(FIXTURES, 'rsa.pem'), 'utf8'),
    ])
    expect(asOriginal(`cat '${pem}'`)).not.toBe('')
    expect(JSON.parse(readFileSync(sysconf('jidoteki-admin-api.json'), 'utf8'))).toEqual({
      endpoints: ['certs', 'backup'],
      parameters: ['public', 'private', 'ca', 'action', 'archive'],
      'first-run': { 'word-length': 4, enabled: true },
    })
  })

  it.each(STEPS)('is all or nothing when it is killed at %s, and done by the next one', (step) => {
    install()
    writeFileSync(root('etc/app.json'), '{}\n')
    const before = everything()
    kill(step)
    const half = everything()
    const wrong = back('', 'another-token')
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('nothing was changed')])
    expect(everything()).toEqual(half)
    if (step === 'swap-placed') {
      expect([back('--undo', '').stdout, everything()]).toEqual([expect.stringContaining('is put back'), before])
      expect(back('--undo', '').stdout).toContain('no export was interrupted')
    }
    expect(back().status).toBe(0)
    expect([readFileSync(root('etc/api.token'), 'utf8'), look(root('etc/app.json'))]).toEqual([
      `${token}\n`,
      `640 0:${ADMIN}`,
    ])
    expect(existsSync(at('state/export-original'))).toBe(false)
  })

  const answer = () => ask('GET', '/version').catch(() => undefined)
  const start = async () => {
    must(`${blocks('## There')[1]}\n"$ETCDIR/init.d/edge-admin" start`)
    expect((await until('our server listens', answer)).body).toBe('{"version":"1.0.0"}')
  }

  it.each(['swap-placed', 'export-placed', 'export-done'])(
    'is over when it was killed at %s, and our server starts: a later one undoes nothing of what came after',
    async (step) => {
      install()
      kill(step)
      expect(existsSync(at('state/export-original/plan.json'))).toBe(step !== 'export-done')
      await start()
      expect(existsSync(at('state/export-original'))).toBe(false)
      await use()
      stop()
      const kept = ['root/etc/app.json', 'root/etc/network.json', 'sysconf/pki/tls/certs/enterprise.crt'].map((name) =>
        readFileSync(at(name), 'utf8'),
      )
      const audit = readFileSync(root('log/jidoteki-audit.log'), 'utf8')
      const { status, stdout, stderr } = back()
      expect(status, stderr).toBe(0)
      expect(stdout).not.toContain('put back')
      expect(readFileSync(root('etc/api.token'), 'utf8')).toBe('changed-by-us\n')
      expect(
        ['root/etc/app.json', 'root/etc/network.json', 'sysconf/pki/tls/certs/enterprise.crt'].map((name) =>
          readFileSync(at(name), 'utf8'),
        ),
      ).toEqual(kept)
      expect(readFileSync(root('log/jidoteki-audit.log'), 'utf8')).toContain(audit)
    },
  )

  it('puts nothing back that was changed since, and names it', () => {
    install()
    writeFileSync(root('etc/app.json'), '{}\n')
    kill('swap-all-placed')
    // The original's server was started on it, whose log and token go on.
    appendFileSync(root('log/jidoteki-audit.log'), 'a line of the original\n')
    writeFileSync(root('etc/api.token'), 'changed-by-the-original\n')
    const now = everything()
    const served = paste(
      `"$PREFIX/bin/edge-admin" serve --root "$ROOT" --sysconfdir "$SYSCONFDIR" --statedir "$STATEDIR"`,
    )
    for (const [status, { status: found, stderr }] of [
      [1, back('', 'changed-by-the-original')],
      [1, back('--undo', '')],
      [78, served],
    ] as const) {
      expect([found, stderr]).toEqual([status, expect.stringContaining(`: ${root('etc/api.token')}, `)])
      expect(stderr).toContain(root('log/jidoteki-audit.log'))
      expect(stderr).not.toContain('app.json')
      expect(stderr).toContain(`remove ${at('state/export-original')}`)
    }
    expect(everything()).toEqual(now)
    rmSync(at('state/export-original'), { recursive: true })
    expect(back('', 'changed-by-the-original').status).toBe(0)
  })

  it('lets no server start beside half of it that may not put it back', () => {
    install()
    kill('swap-placed')
    const half = everything()
    mkdirSync(at('state/locks'), { recursive: true })
    for (const name of ['state', 'state/locks']) chownSync(at(name), ADMIN, ADMIN)
    const { status, stderr } = paste(
      `setpriv --reuid ${ADMIN} --regid ${ADMIN} --clear-groups "$PREFIX/bin/edge-admin" serve --root "$ROOT" --sysconfdir "$SYSCONFDIR" --statedir "$STATEDIR"`,
    )
    const command = `edge-admin export-original --undo --root ${root()} --sysconfdir ${sysconf()} --statedir ${at('state')}`
    expect([status, stderr]).toEqual([78, expect.stringContaining(`run as root: ${command}\n`)])
    expect(everything()).toEqual(half)
    expect(paste(command).status).toBe(0)
    expect(readFileSync(root('etc/api.token'), 'utf8')).toBe(`sha256 ${keyOf(token)}\n`)
  })

  it('gives back the folders that were taken for a server with sudo', () => {
    install()
    const folders = [root(), root('etc'), root('log'), root('home/sftp/uploads'), sysconf()]
    const before = folders.map(look)
    must(
      `env -u ROOT EDGE_ROOT="$ROOT" EDGE_SYSCONFDIR="$SYSCONFDIR" EDGE_STATEDIR="$STATEDIR" "$PREFIX/lib/edge-admin/scripts/owners.sh" nobody`,
    )
    expect(folders.map(look)).not.toEqual(before)
    // Twice: the second one must not take the first one's folders for those of before.
    must(
      `env -u ROOT EDGE_ROOT="$ROOT" EDGE_SYSCONFDIR="$SYSCONFDIR" EDGE_STATEDIR="$STATEDIR" "$PREFIX/lib/edge-admin/scripts/owners.sh" nobody`,
    )
    const { status, stderr } = back(`--group ${ADMIN}`)
    expect(status, stderr).toBe(0)
    expect(folders.map(look)).toEqual(before)
    expect(look(root('etc/api.token'))).toBe(`660 0:${ADMIN}`)
  })

  it('works where the token is a link to what an image keeps on a disk', () => {
    install()
    execFileSync('mv', [root('etc/api.token'), at('kept')])
    execFileSync('ln', ['-s', at('kept'), root('etc/api.token')])
    const { status, stderr } = back()
    expect(status, stderr).toBe(0)
    expect([look(root('etc/api.token')), readFileSync(root('etc/api.token'), 'utf8')]).toEqual([
      `660 0:${ADMIN}`,
      `${token}\n`,
    ])
    expect(readFileSync(at('kept'), 'utf8')).toBe(`sha256 ${keyOf(token)}\n`)
  })

  it('leaves alone what is a link, and says so', () => {
    install()
    appendFileSync(at('elsewhere'), 'a secret of root\n')
    chmodSync(at('elsewhere'), 0o600)
    execFileSync('ln', ['-s', at('elsewhere'), root('log/update_certs.log')])
    execFileSync('ln', [at('elsewhere'), root('etc/app.json')])
    const { status, stderr } = back()
    expect(status).toBe(0)
    expect(stderr).toContain('left alone: not a regular file: ')
    expect([look(at('elsewhere')), lstatSync(root('etc/app.json')).nlink]).toEqual(['600 0:0', 2])
  })
})
