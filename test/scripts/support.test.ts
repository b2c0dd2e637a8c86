// logs.sh, debug.sh, reboot.sh, wrapper.sh and redact.awk: what leaves the appliance leaves without its secrets. A
// canary has to be planted where the scripts look, or a test of redaction proves nothing.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { inTurn } from './pairwise.ts'
import { FIXTURES, isRoot, REPOSITORY, Sandbox, SHELLS } from './sandbox.ts'

const open: Sandbox[] = []
const sandbox = (shell: string) => {
  const made = new Sandbox(shell)
  open.push(made)
  made.write('root/etc/logs.txt', '')
  return made
}
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

const CANARY = {
  token: 'canary-token-7f3a',
  phrase: 'canary-first-run-phrase',
  digest: createHash('sha256').update('canary-digest').digest('hex'),
  updates: 'canaryUpdatesKey+/=',
  chap: 'c4n"$(id)`x`\\ry',
  keyLine: 'MIIcanarycanarycanarycanarycanary',
  app: 'canary-app-password',
}
const plant = (made: Sandbox) => {
  made.write('root/etc/api.token', `${CANARY.token}\r\nsecond line\n`)
  made.write('root/etc/api.token.setup', `${CANARY.phrase}\n`)
  made.write('root/etc/updates.key', `${CANARY.updates}\n`)
  made.write('root/etc/storage.json', `${JSON.stringify({ storage: { type: 'iscsi', password: CANARY.chap } })}\n`)
  made.write('root/etc/app.json', `${JSON.stringify({ smtp: { password: CANARY.app, host: 'mail.example' } })}\n`)
  made.write('sysconf/storage.conf', `password="${CANARY.chap.replace(/["\\$`]/g, '\\$&')}"\n`)
  made.write(
    'sysconf/pki/tls/private/enterprise.key',
    `-----BEGIN PRIVATE KEY-----\n${CANARY.keyLine}\n-----END PRIVATE KEY-----\n`,
  )
}
/** A log line for every canary, as it is and as JSON. */
const gossip = () =>
  Object.values(CANARY)
    .filter((value) => value !== CANARY.digest)
    .flatMap((value) => [`program: got ${value} there`, JSON.stringify({ value })])
    .join('\n')
const tokenKey = createHash('sha256').update(CANARY.token).digest('hex')

/** What a tar.gz holds: name → content. */
const unpack = (made: Sandbox, file: string) => {
  const into = join(made.folder, `unpacked-${readdirSync(made.folder).length}`)
  mkdirSync(into)
  execFileSync('tar', ['-xf', file, '-C', into])
  const names = execFileSync('tar', ['-tf', file], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name && !name.endsWith('/'))
  return { into, names, read: (name: string) => readFileSync(join(into, name), 'utf8') }
}
const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      return (entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
    })
    .join('\n')
const archive = (made: Sandbox) => join(made.root, 'home/sftp/uploads/logs.tar.gz')
const leftovers = (made: Sandbox) => readdirSync(join(made.root, 'tmp'))

describe.each(SHELLS)('logs.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('packs the log folder and the listed paths under names without a leading slash', () => {
    const made = sandbox(shell)
    made.write('root/log/update.log', 'an ordinary line\n  with  blanks \n')
    made.write('var/app.log', 'from the application\n')
    made.write('var/more/deep/er.log', 'deeper\n')
    made.write(
      'root/etc/logs.txt',
      `${made.folder}/var/app.log  ${made.folder}/var/more\n${made.folder}/nowhere relative/path`,
    )
    const ended = made.run('logs')
    expect(ended.status.status, ended.log).toBe('completed')
    expect(statSync(archive(made)).mode & 0o777).toBe(0o640)
    const { names, read } = unpack(made, archive(made))
    const at = made.folder.slice(1)
    expect(names.sort()).toEqual(
      [
        'manifest.txt',
        `${at}/root/log/update.log`,
        `${at}/root/log/update_logs.log`,
        `${at}/var/app.log`,
        `${at}/var/more/deep/er.log`,
      ].sort(),
    )
    expect(read(`${at}/root/log/update.log`)).toBe('an ordinary line\n  with  blanks \n')
    expect(read('manifest.txt').split('\n')).toEqual(
      expect.arrayContaining([
        `included ${made.folder}/var/app.log`,
        `skipped ${made.folder}/nowhere: not there`,
        'skipped relative/path: not an absolute path',
      ]),
    )
    expect(leftovers(made)).toEqual([])
  })

  test.each([
    ['UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, the other way round', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ])('SEC-40 finds the canaries in files that were saved as %s', (_, save) => {
    const made = sandbox(shell)
    plant(made)
    for (const file of ['api.token', 'api.token.setup', 'updates.key', 'storage.json', 'app.json'])
      made.write(`root/etc/${file}`, save(made.read(`root/etc/${file}`)?.replaceAll('\n', '\r\n') ?? ''))
    const key = 'sysconf/pki/tls/private/enterprise.key'
    made.write(key, save(made.read(key) ?? ''))
    made.write('root/log/app.log', gossip())
    expect(made.run('logs').status.status).toBe('completed')
    const text = everything(unpack(made, archive(made)).into)
    for (const [name, value] of Object.entries(CANARY)) expect(text.includes(value), name).toBe(false)
    expect(text).toContain('program: got [redacted] there')
  })

  test('SEC-40 lets no canary out, and says which files it changed', () => {
    const made = sandbox(shell)
    plant(made)
    made.write('root/log/app.log', `${gossip()}\n${tokenKey}\nclean\n`)
    made.write('root/log/old.log.gz', gzipSync(`${gossip()}\nclean\n`))
    made.write('root/log/clean.log', 'nothing to hide\n')
    made.write('root/log/core', Buffer.from(`\0\0${CANARY.token}`))
    const ended = made.run('logs')
    expect(ended.status.status, ended.log).toBe('completed')
    const { into, names, read } = unpack(made, archive(made))
    const text = everything(into)
    for (const [name, value] of Object.entries({ ...CANARY, tokenKey })) {
      expect(text.includes(value), name).toBe(false)
      expect(text.includes(JSON.stringify(value).slice(1, -1)), `${name} in JSON`).toBe(false)
    }
    expect(text).toContain('program: got [redacted] there')
    expect(text).toContain('clean')
    expect(names.some((name) => name.endsWith('/core'))).toBe(false)
    const manifest = read('manifest.txt')
    for (const line of ['redacted', 'redacted', 'included', 'skipped']) expect(manifest).toContain(line)
    expect(manifest).toContain(`redacted ${made.root}/log/app.log\n`)
    expect(manifest).toContain(`redacted ${made.root}/log/old.log.gz\n`)
    expect(manifest).toContain(`included ${made.root}/log/clean.log\n`)
    expect(manifest).toContain(`skipped ${made.root}/log/core: not text\n`)
  })

  test('masks the digest of a stored token', () => {
    const made = sandbox(shell)
    made.write('root/etc/api.token', `sha256 ${CANARY.digest}\n`)
    made.write('root/log/app.log', `key ${CANARY.digest} used\n`)
    made.run('logs')
    expect(everything(unpack(made, archive(made)).into)).not.toContain(CANARY.digest)
  })

  test('never follows a link, out of the folder or as a listed path', () => {
    const made = sandbox(shell)
    made.write('outside/secret.txt', 'never-to-be-seen\n')
    symlinkSync(join(made.folder, 'outside/secret.txt'), join(made.root, 'log/link.log'))
    symlinkSync(join(made.folder, 'outside'), join(made.root, 'log/linked'))
    symlinkSync(join(made.folder, 'outside'), join(made.folder, 'listed'))
    execFileSync('mkfifo', [join(made.root, 'log/pipe')])
    made.write('root/etc/logs.txt', `${made.folder}/listed`)
    expect(made.run('logs').status.status).toBe('completed')
    const { into, read } = unpack(made, archive(made))
    expect(everything(into)).not.toContain('never-to-be-seen')
    const manifest = read('manifest.txt')
    for (const name of [
      'root/log/link.log: not a regular',
      'root/log/pipe: not a regular',
      'listed: a symbolic link',
    ]) {
      expect(manifest).toContain(`skipped ${made.folder}/${name}`)
    }
  })

  test('takes names that look like options or commands as names', () => {
    const made = sandbox(shell)
    const names = ['-rf', '--checkpoint-action=exec=sh', '$(touch x)', 'a b"c', "it's", '*']
    for (const name of names) made.write(`root/log/odd/${name}`, `text of ${name}\n`)
    writeFileSync(join(made.root, 'log/odd/two\nlines'), 'not listed\n')
    const ended = made.run('logs')
    expect(ended.status.status, ended.log).toBe('completed')
    const { read } = unpack(made, archive(made))
    for (const name of names) expect(read(`${made.root.slice(1)}/log/odd/${name}`)).toBe(`text of ${name}\n`)
  })

  test('fails without a list of logs and keeps the archive of before', () => {
    const made = sandbox(shell)
    execFileSync('rm', [join(made.root, 'etc/logs.txt')])
    made.write('root/home/sftp/uploads/logs.tar.gz', 'old')
    expect(made.run('logs').status.status).toBe('failed')
    expect(readFileSync(archive(made), 'utf8')).toBe('old')
  })

  test('fails with a list that cannot be read, and names it', () => {
    const made = sandbox(shell)
    made.write('root/etc/logs.txt', Buffer.from('\ufeff/var/log/messages\n', 'utf16le'))
    const { status } = made.run('logs')
    expect([status.status, status.message]).toEqual([
      'failed',
      'The list of logs cannot be read: saved as UTF-16, expected UTF-8: logs.txt',
    ])
    expect(leftovers(made)).toEqual([])
  })

  test.each(['logs-started=error', 'logs-started=kill', 'logs-packed=error', 'logs-packed=kill'])(
    'survives %s',
    (fault) => {
      const made = sandbox(shell)
      made.write('root/home/sftp/uploads/logs.tar.gz', 'old')
      const ended = made.run('logs', { fault })
      const after = fault.endsWith('kill') ? made.recover('logs', ended.task) : ended
      expect(after.status.status).toBe(fault.endsWith('kill') ? 'interrupted' : 'failed')
      expect([readFileSync(archive(made), 'utf8'), leftovers(made)]).toEqual(['old', []])
      expect(made.run('logs').status.status).toBe('completed')
    },
  )
})

describe.each(SHELLS)('debug.sh under %s', (shell) => {
  const test = inTurn(shell)
  const bundle = (made: Sandbox) => join(made.root, 'home/sftp/uploads/debug-bundle.tar')
  const make = () => {
    const made = sandbox(shell)
    plant(made)
    made.write('root/etc/updates.pub', readFileSync(join(FIXTURES, 'updates.pub')))
    return made
  }
  /** What the vendor does with a bundle. */
  const decrypt = (made: Sandbox) => {
    const { into, names } = unpack(made, bundle(made))
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: into })
    openssl(
      'pkeyutl',
      '-decrypt',
      '-inkey',
      join(FIXTURES, 'updates.priv'),
      '-in',
      'debug.key.enc',
      '-out',
      'debug.key',
    )
    openssl(
      'enc',
      '-d',
      '-aes-256-cbc',
      '-pbkdf2',
      '-md',
      'sha256',
      '-pass',
      'file:debug.key',
      '-in',
      'debug.tar.gz.enc',
      '-out',
      'debug.tar.gz',
    )
    return {
      ...unpack(made, join(into, 'debug.tar.gz')),
      key: readFileSync(join(into, 'debug.key'), 'utf8'),
      outer: names,
    }
  }

  test('makes a bundle that the vendor can open, with the logs in it', () => {
    const made = make()
    made.write('root/log/app.log', `${gossip()}\n`)
    made.write(
      'root/etc/debug.txt',
      `echo hello; touch ${made.folder}/never\n\n# a remark\ncat ${made.root}/etc/storage.json\necho oops >&2; x\nfalse\n`,
    )
    const ended = made.run('debug')
    expect(ended.status.status, ended.log).toBe('completed')
    expect(statSync(bundle(made)).mode & 0o777).toBe(0o640)
    const { names, into, read, key, outer } = decrypt(made)
    expect(outer).toEqual(['debug.key.enc', 'debug.tar.gz.enc'])
    expect(Buffer.from(key, 'base64')).toHaveLength(32)
    expect(names.sort()).toEqual([
      'debug-1.log',
      'debug-2.log',
      'debug-3.log',
      'debug-4.log',
      'logs.tar.gz',
      'manifest.txt',
    ])
    expect(read('debug-1.log')).toBe('Running: echo hello\nhello\n')
    expect(read('debug-2.log')).toContain('"password":"[redacted]"')
    expect(read('debug-3.log')).toBe('Running: echo oops >&2\noops\n')
    expect(made.read('never')).toBeUndefined()
    const logs = unpack(made, join(into, 'logs.tar.gz'))
    expect(logs.names).toContain(`${made.root.slice(1)}/log/app.log`)
    const text =
      everything(logs.into) +
      names
        .filter((name) => name.endsWith('.log'))
        .map(read)
        .join('')
    for (const value of Object.values(CANARY)) {
      expect(text).not.toContain(value)
      expect(text).not.toContain(JSON.stringify(value).slice(1, -1))
    }
    expect(read('manifest.txt')).toContain(`debug-2.log cat ${made.root}/etc/storage.json\n`)
    expect(leftovers(made)).toEqual([])
    expect(existsSync(archive(made))).toBe(false)
  })

  test('SEC-40 has the newest part of the audit log, without a secret or the key that signs it', () => {
    const made = make()
    made.write('root/etc/debug.txt', 'echo hello\n')
    made.write('state/audit.key', `-----BEGIN PRIVATE KEY-----\n${CANARY.keyLine}\n-----END PRIVATE KEY-----\n`)
    const segment = (first: number) => `state/audit/${String(first).padStart(12, '0')}.log`
    for (const first of [1, 500, 900])
      made.write(segment(first), `120 ab {"seq":${first},"action":"pools.create","agent":"${CANARY.token}"}\n`)
    made.write('state/audit/000000000500.index', Buffer.alloc(64))
    made.write('state/audit/checkpoint', '{"seq":900}\n')
    const ended = made.run('debug')
    expect(ended.status.status, ended.log).toBe('completed')
    const { names, into, read } = unpack(made, join(decrypt(made).into, 'logs.tar.gz'))
    const under = `${made.folder.slice(1)}/`
    expect(names.filter((name) => name.includes('/state/')).sort()).toEqual(
      [segment(500), segment(900), 'state/audit/checkpoint'].map((name) => under + name).sort(),
    )
    expect(read(under + segment(900))).toBe('120 ab {"seq":900,"action":"pools.create","agent":"[redacted]"}\n')
    expect(everything(into)).not.toContain(CANARY.keyLine)
    expect(read('manifest.txt')).toContain(`redacted ${made.folder}/${segment(500)}\n`)
  })

  test.each(['debug.txt', 'updates.pub', 'logs.txt'])('fails without %s and leaves nothing behind', (name) => {
    const made = make()
    made.write('root/etc/debug.txt', 'echo hello\n')
    execFileSync('rm', [join(made.root, 'etc', name)])
    expect(made.run('debug').status.status).toBe('failed')
    expect([existsSync(bundle(made)), leftovers(made)]).toEqual([false, []])
  })

  test.each([
    ['debug.txt', 'The list of debug commands cannot be read'],
    ['logs.txt', 'The list of logs cannot be read'],
    ['updates.pub', 'The key of the debug bundle cannot be read'],
  ])('fails with a %s in UTF-16, and names it', (name, words) => {
    const made = make()
    made.write('root/etc/debug.txt', 'echo hello\n')
    made.write(`root/etc/${name}`, Buffer.from('\ufeffecho hello\r\n', 'utf16le'))
    const { status } = made.run('debug')
    expect([status.status, status.message]).toEqual(['failed', `${words}: saved as UTF-16, expected UTF-8: ${name}`])
    expect([existsSync(bundle(made)), leftovers(made)]).toEqual([false, []])
  })

  test('fails with a key that cannot encrypt', () => {
    const made = make()
    made.write('root/etc/debug.txt', 'echo hello\n')
    made.write('root/etc/updates.pub', 'garbage\n')
    expect(made.run('debug').status.message).toBe('The debug bundle could not be encrypted')
    expect([existsSync(bundle(made)), leftovers(made)]).toEqual([false, []])
  })

  test.each(
    ['debug-started', 'debug-logs', 'debug-commands', 'debug-encrypted'].flatMap((name) => [
      `${name}=error`,
      `${name}=kill`,
    ]),
  )('survives %s', (fault) => {
    const made = make()
    made.write('root/etc/debug.txt', 'echo hello\n')
    made.write('root/home/sftp/uploads/debug-bundle.tar', 'old')
    const ended = made.run('debug', { fault })
    if (fault.endsWith('kill')) made.recover('debug', ended.task)
    expect([readFileSync(bundle(made), 'utf8'), leftovers(made)]).toEqual(['old', []])
    expect(made.run('debug').status.status).toBe('completed')
  })
})

describe.each(
  ['mawk', 'gawk', 'busybox awk'].filter((awk) => spawnSync('sh', ['-c', `${awk} 'BEGIN{}'`]).status === 0),
)('redact.awk in %s', (awk) => {
  const redact = (text: string, secrets = '') => {
    const made = new Sandbox('dash')
    open.push(made)
    made.write('secrets', secrets)
    const [program, ...first] = awk.split(' ')
    return spawnSync(
      program!,
      [...first, '-v', `secrets=${made.folder}/secrets`, '-f', join(made.scripts, 'redact.awk')],
      {
        input: text,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      },
    ).stdout
  }

  test.each([
    [
      'GET /x?token=abc&hash=d%20ef&newtoken=ghi&v=1 200',
      'GET /x?token=[redacted]&hash=[redacted]&newtoken=[redacted]&v=1 200',
    ],
    ['{"password":"a\\"b","user":"u"}', '{"password":"[redacted]","user":"u"}'],
    ['{"token": "zz", "k": 1}', '{"token": "[redacted]", "k": 1}'],
    ['password: two words', 'password: [redacted]'],
    ['PASSWORD = x y', 'PASSWORD = [redacted]'],
    ['passwordFile= x', 'passwordFile= [redacted]'],
    ["password='it is' after", "password='[redacted]' after"],
    ['passwd=foo&next=1', 'passwd=[redacted]&next=1'],
    ['log {\\"password\\":\\"abc\\"}', 'log {\\"password\\":[redacted]'],
    ['Authorization: Basic Zm9v OmJhcg==', 'Authorization: [redacted]'],
    ['curl -H "x: y" Bearer abc.def, done', 'curl -H "x: y" Bearer [redacted], done'],
    ['Public key SHA256 hash:  ba567  -', 'Public key SHA256 hash:  ba567  -'],
    ['the token was changed, password accepted', 'the token was changed, password accepted'],
  ])('turns %s into %s', (line, wanted) => {
    expect(redact(`${line}\n`)).toBe(`${wanted}\n`)
  })

  test('masks a longer secret before a shorter one that is part of it, wherever it occurs', () => {
    expect(redact('abcdef abc xabcx\n.*[ a\\b\n', 'abc\nabcdef\n.*[\na\\b\nx\n')).toBe(
      '[redacted] [redacted] x[redacted]x\n[redacted] [redacted]\n',
    )
  })

  test('masks a private key over lines, in one line, and one that was cut', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nMIIdef\n-----END RSA PRIVATE KEY----- tail\n'
    expect(redact(key)).toBe('-----BEGIN RSA PRIVATE KEY-----[redacted]\n-----END RSA PRIVATE KEY----- tail\n')
    expect(redact('a -----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----\\n b\n')).toBe(
      'a -----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\\n b\n',
    )
    expect(redact('-----BEGIN EC PRIVATE KEY-----\nMIIcut\n')).not.toContain('MIIcut')
  })

  test('does not let a false beginning of a key hide the rest of a log', () => {
    const text = `-----BEGIN PRIVATE KEY-----\n${'x\n'.repeat(300)}what happened then\n`
    expect(redact(text)).toContain('what happened then\n')
  })
})

describe.each(SHELLS)('reboot.sh and wrapper.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('asks the vendor to reboot, and completes', () => {
    const made = sandbox(shell)
    made.hook('reboot', 'touch "$EDGE_ROOT/rebooted"')
    expect(made.run('reboot').status.status).toBe('completed')
    expect(made.read('root/rebooted')).toBe('')
  })

  test('fails when the vendor cannot reboot', () => {
    const made = sandbox(shell)
    made.hook('reboot', 'exit 3')
    expect(made.run('reboot').status.status).toBe('failed')
  })

  test('hands the files and the action to the original wrapper', () => {
    const made = sandbox(shell)
    const wrapper = join(made.root, 'bin/wrapper.sh')
    made.program(
      wrapper,
      'echo "$SSH_ORIGINAL_COMMAND $# $1 $(cat "$EDGE_ROOT/home/sftp/uploads/network.conf")" >"$EDGE_ROOT/seen"',
    )
    const ended = made.run('wrapper', {
      args: ['settings', 'static'],
      inputs: { 'app.json': '{}', 'network.json': '{}', 'network.conf': 'mode=static\n' },
      env: { EDGE_WRAPPER: wrapper },
    })
    expect(ended.status.status, ended.log).toBe('completed')
    expect(made.read('root/seen')).toBe('settings 1 static mode=static\n')
    expect(existsSync(join(ended.task, 'input'))).toBe(false)
    expect(existsSync(join(made.state, 'locks/settings.lock'))).toBe(true)
  })

  test.each([
    ['an action that is none', ['evil;id'], 64],
    ['an argument that a shell would read', ['settings', 'static;id'], 1],
  ])('refuses %s', (_, args, code) => {
    const made = sandbox(shell)
    made.program(join(made.root, 'bin/wrapper.sh'), 'touch "$EDGE_ROOT/seen"')
    expect(made.run('wrapper', { args, env: { EDGE_WRAPPER: join(made.root, 'bin/wrapper.sh') } }).code).toBe(code)
    expect(made.read('root/seen')).toBeUndefined()
  })

  test('fails with the wrapper, or without one', () => {
    const made = sandbox(shell)
    made.program(join(made.root, 'bin/wrapper.sh'), 'exit 1')
    expect(
      made.run('wrapper', { args: ['update'], env: { EDGE_WRAPPER: join(made.root, 'bin/wrapper.sh') } }).status.status,
    ).toBe('failed')
    expect(made.run('wrapper', { args: ['update'] }).status.message).toBe('The wrapper is missing')
  })
})

/** A file of etc/ as `make install` leaves it. */
const render = (made: Sandbox, name: string, more: Record<string, string> = {}) =>
  Object.entries({
    LIBDIR: made.folder,
    ROOT: made.root,
    SYSCONFDIR: made.sysconf,
    DATADIR: made.data,
    STATEDIR: made.state,
    USER: 'admin',
    GROUP: 'admin',
    SERVERUSER: '',
    ...more,
  }).reduce(
    (text, [key, value]) => text.replaceAll(`@${key}@`, value),
    readFileSync(join(REPOSITORY, 'etc', name), 'utf8'),
  )

const idOf = (option: string) => spawnSync('id', [option, 'nobody'], { encoding: 'utf8' }).stdout.trim()

describe('the files of an installation', () => {
  test.each([
    'edge-admin.service',
    'edge-admin.init',
    'sudoers.edge-admin',
    'scripts-settings.in',
    'edge-admin.tmpfiles',
    'edge-admin-sudo.tmpfiles',
    'edge-admin-sudo.conf',
    'logrotate.edge-admin',
  ])('%s has no other names to fill in', (name) => {
    expect(render(sandbox('dash'), name)).not.toMatch(/@[A-Z]+@/)
  })

  test.runIf(spawnSync('systemd-analyze', ['--version']).status === 0)('the unit is one that systemd can read', () => {
    const made = sandbox('dash')
    made.write('edge-admin.service', render(made, 'edge-admin.service'))
    const file = join(made.folder, 'edge-admin.service')
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(`${verified.stdout}${verified.stderr}`).not.toContain('edge-admin')
    expect(verified.status).toBe(0)
  })

  // test/appliance shows it: in a namespace of the unit's own, a dataset is mounted for nobody else (systemd.exec(5), PrivateMounts=).
  test('the unit has no setting that would hide its mounts from the other services', () => {
    const unit = readFileSync(join(REPOSITORY, 'etc/edge-admin.service'), 'utf8')
    const hiding =
      /^(?:ProtectSystem|ProtectHome|ProtectControlGroups|ProtectKernel\w+|ProtectProc|ProcSubset|Private(?:Tmp|Devices|Mounts)|ReadOnlyPaths|ReadWritePaths|InaccessiblePaths|Bind\w*Paths|TemporaryFileSystem|RootDirectory|RootImage|DynamicUser)=/m
    expect(unit).not.toMatch(hiding)
  })

  test.runIf(spawnSync('sh', ['-c', 'command -v visudo']).status === 0)(
    'the sudoers file is one that sudo can read',
    () => {
      const made = sandbox('dash')
      writeFileSync(join(made.folder, 'sudoers'), render(made, 'sudoers.edge-admin'), { mode: 0o440 })
      expect(spawnSync('visudo', ['-c', '-f', join(made.folder, 'sudoers')]).status).toBe(0)
    },
  )

  test('the settings of the scripts name every variable that they need', () => {
    const made = sandbox('dash')
    made.write('settings', render(made, 'scripts-settings.in'))
    const shown = spawnSync('sh', [
      '-euc',
      `. ${made.folder}/settings; echo "$EDGE_ROOT $EDGE_STATEDIR $EDGE_LABEL$EDGE_WRAPPER"`,
    ])
    expect(shown.stdout.toString()).toBe(`${made.root} ${made.state} SYSTEM\n`)
  })
})

describe.each(SHELLS)('the init script under %s', (shell) => {
  const test = inTurn(shell)
  const make = (server: string, more: Record<string, string> = {}) => {
    const made = sandbox(shell)
    made.write('edge-admin.init', render(made, 'edge-admin.init'))
    const program = join(made.scripts, 'edge-admin')
    made.program(program, server)
    const [first, ...rest] = shell.split(' ')
    const init = (verb: string) =>
      spawnSync(first!, [...rest, join(made.folder, 'edge-admin.init'), verb], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], EDGE_PIDFILE: join(made.folder, 'run/pid'), ...more },
      })
    return { made, init }
  }

  test('starts, tells, restarts and stops the server', () => {
    const { made, init } = make('echo "$*" >>"$0.argv"; echo ready >&3; exec sleep 60')
    try {
      expect(init('status')).toMatchObject({ status: 3, stdout: 'edge-admin is stopped\n' })
      expect(init('start')).toMatchObject({ status: 0, stdout: 'edge-admin started\n' })
      expect(init('status')).toMatchObject({ status: 0, stdout: 'edge-admin is running\n' })
      const first = made.read('run/pid')
      expect(init('start').stdout).toBe('edge-admin is running\n')
      expect(init('restart')).toMatchObject({ status: 0, stdout: 'edge-admin stopped\nedge-admin started\n' })
      expect(made.read('run/pid')).not.toBe(first)
      expect(made.read('scripts/edge-admin.argv')).toContain(`serve --root ${made.root} --sysconfdir ${made.sysconf}`)
      // The server bounds it, where this script could only append for ever.
      expect(made.read('scripts/edge-admin.argv')).toContain(` --default-log ${made.root}/log/edge-admin.log`)
    } finally {
      expect(init('stop')).toMatchObject({ status: 0, stdout: 'edge-admin stopped\n' })
    }
    expect(init('status').status).toBe(3)
  })

  test('has started once the server listens, however long that takes', () => {
    const { made, init } = make('sleep 1.5; echo listens >"$0.listens"; echo ready >&3; exec sleep 60')
    try {
      expect(init('start')).toMatchObject({ status: 0, stdout: 'edge-admin started\n' })
      expect(made.read('scripts/edge-admin.listens')).toBe('listens\n')
      expect(existsSync(join(made.folder, 'run/pid.ready'))).toBe(false)
    } finally {
      init('stop')
    }
  })

  test('says so when the server ends late, or does not come to listen', () => {
    const late = make('sleep 1.5; echo "edge-admin: wrong key" >&2; exit 78')
    const log = join(late.made.root, 'log/edge-admin.log')
    const stderr = `edge-admin did not start: wrong key (see ${log})\n`
    expect(late.init('start')).toMatchObject({ status: 78, stdout: '', stderr })
    const never = make('exec sleep 60', { EDGE_START_SECONDS: '1' })
    try {
      expect(never.init('start')).toMatchObject({
        status: 1,
        stdout: '',
        stderr: `edge-admin runs, but does not listen after 1 seconds (see ${join(never.made.root, 'log/edge-admin.log')})\n`,
      })
      expect(never.init('status').status).toBe(0)
    } finally {
      never.init('stop')
    }
  })

  test('says so when the server does not stay', () => {
    const { made, init } = make('echo "edge-admin: wrong key" >&2; exit 78')
    made.write('root/log/edge-admin.log', 'of before\n')
    const log = join(made.root, 'log/edge-admin.log')
    const stderr = `edge-admin did not start: wrong key (see ${log})\n`
    expect(init('start')).toMatchObject({ status: 78, stderr })
    expect(made.read('root/log/edge-admin.log')).toBe('of before\nedge-admin: wrong key\n')
    made.program(join(made.scripts, 'edge-admin'), 'exit 0')
    expect(init('start')).toMatchObject({ status: 1, stderr: `edge-admin did not start (see ${log})\n` })
  })

  test('gives the server its log, and has it opened anew for who rotates it', async () => {
    const { made, init } = make(
      'trap "echo again >>\\"$0.said\\"" HUP; echo "$*" >"$0.argv"; echo ready >&3; while :; do sleep 0.1; done',
    )
    expect(init('reload')).toMatchObject({ status: 7, stderr: 'edge-admin is not running\n' })
    try {
      init('start')
      expect(made.read('scripts/edge-admin.argv')).toContain(` --default-log ${made.root}/log/edge-admin.log\n`)
      expect(init('reload').status).toBe(0)
      await expect.poll(() => made.read('scripts/edge-admin.said')).toBe('again\n')
      expect(init('status').status).toBe(0)
    } finally {
      init('stop')
    }
  })

  test.runIf(isRoot && spawnSync('unshare', ['-m', 'true']).status === 0)(
    'becomes the server’s user by what is there, and says what is missing',
    () => {
      const { made } = make('id -u >"$EDGE_IDS"; id -G >>"$EDGE_IDS"; echo ready >&3; exec sleep 60')
      made.write('edge-admin.init', render(made, 'edge-admin.init', { SERVERUSER: 'nobody' }))
      chmodSync(made.folder, 0o755)
      chownSync(join(made.root, 'log'), Number(idOf('-u')), Number(idOf('-g')))
      const ids = join(made.root, 'log/ids')
      const inside = (hide: string, verb: string) =>
        spawnSync(
          'unshare',
          [
            '-m',
            'sh',
            '-c',
            `${hide}; exec "$@"`,
            'sh',
            ...shell.split(' '),
            join(made.folder, 'edge-admin.init'),
            verb,
          ],
          {
            encoding: 'utf8',
            env: { PATH: process.env['PATH'], EDGE_PIDFILE: join(made.folder, 'run/pid'), EDGE_IDS: ids },
          },
        )
      const busybox = 'mount --bind "$(command -v busybox)" /usr/bin/setpriv'
      for (const hide of [':', `${busybox}; mount --bind "$(command -v busybox)" /usr/bin/su`]) {
        rmSync(ids, { force: true })
        expect(inside(hide, 'start')).toMatchObject({ status: 0, stdout: 'edge-admin started\n' })
        expect(readFileSync(ids, 'utf8').split('\n')).toEqual([idOf('-u'), idOf('-G'), ''])
        expect(inside(hide, 'stop')).toMatchObject({ status: 0, stdout: 'edge-admin stopped\n' })
      }
      // That shell has a su of its own.
      if (shell.startsWith('busybox')) return
      expect(inside(busybox, 'start')).toMatchObject({
        status: 69,
        stderr: 'edge-admin: to start it as nobody takes the setpriv of util-linux or the su of BusyBox\n',
      })
    },
  )

  test('does not end a stranger that has the number of a server of before', () => {
    const { made, init } = make('exit 0')
    made.write('run/pid', `${process.pid} 1\n`)
    expect(init('status').status).toBe(3)
    expect(init('stop').stdout).toContain('not running')
    expect(() => process.kill(process.pid, 0)).not.toThrow()
  })
})
