// What somebody hostile can put where our scripts work: names, links and folders in uploads and data, hooks that never
// end, an update that saws at its own branch. About two thirds of these attacks worked once; the hooks, hostile updates
// and wrong keys never did.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect } from 'vitest'
import { Appliance, installation, isRoot, removeTemporary, shells, temporaryFolder, tree } from './harness.ts'
import { inTurn } from './pairwise.ts'
import { encrypt, inner, key, outer, pack } from './tar.ts'

afterAll(removeTemporary)

const listed = (file: string) => spawnSync('tar', ['-tf', file], { encoding: 'utf8' }).stdout.trim().split('\n')

describe.each(shells())('an adversary under $name', (shell) => {
  const it = inTurn(shell.name)
  let box: Appliance
  beforeEach(() => {
    box = new Appliance(shell)
  })
  const backup = (list = '.') => {
    writeFileSync(box.etc('backup.txt'), list)
    return box.run('backup', ['START'])
  }
  const hook = (name: string, text: string, mode = 0o755) => {
    mkdirSync(join(box.root, 'bin'), { recursive: true })
    writeFileSync(join(box.root, 'bin', `${name}.sh`), text, { mode })
  }

  describe('in the data folder', () => {
    it('gets no other file into a backup by a name with backslashes', async () => {
      const secret = join(box.folder, 'secret')
      writeFileSync(secret, 'canary')
      const name = secret.replaceAll('/', '\\057')
      mkdirSync(join(box.data, 'share'))
      writeFileSync(join(box.data, name), 'mine')
      writeFileSync(join(box.data, 'share', `\\056\\056${'\\057..'.repeat(20)}${name}`), 'mine')
      const { exit, log } = await backup('* share/*')
      expect(exit, log).toBe(0)
      expect(readFileSync(box.uploads('backup.tar'), 'latin1')).not.toContain('canary')
    })

    it.each([
      ['ln -s /etc/hostname link', '"link": left out: a link to an absolute name'],
      ['ln -s ../outside link', '"link": left out: a link that leads outside'],
      ['echo x >A; echo x >a', 'left out: two names that differ by letter case only'],
      ['echo x >s; chmod 4755 s', '"s": taken without its set-user-id and set-group-id bits'],
      ['mkfifo p', '"p": left out: a pipe'],
      ['echo x >"$(printf "a\\tb")"', '"a\\tb": left out: a control character in a name'],
      ['printf x >"$(printf "\\377bad")"', '"\\xffbad": left out: a name that is not UTF-8'],
    ])('costs nobody the backup of the rest, and the log says what is not in it: %s', async (script, words) => {
      spawnSync('sh', ['-c', script], { cwd: box.data })
      writeFileSync(join(box.data, 'kept'), 'kept')
      const { task, log } = await backup()
      expect(task.status, log).toBe('completed')
      expect(box.read(join(box.root, 'log/update_backup.log'))).toContain(words)
      const fresh = new Appliance(shell)
      const archive = { 'backup-archive.tar': readFileSync(box.uploads('backup.tar')) }
      expect((await fresh.run('restore', [], {}, archive)).exit).toBe(0)
      expect(fresh.read(join(fresh.data, 'kept'))).toBe('kept')
    })

    it('gets everything else back from a restore', async () => {
      const script = `mkdir -p 'a b/c' empty ro; echo x >'a b/*'; ln 'a b/*' hard; ln -s hard soft; ln -s nowhere dangling
        echo y >ro/f; chmod 400 ro/f; chmod 555 ro; truncate -s 3M sparse; echo z >-rf; echo z >'back\\nslash'; echo z >ü
        n=$(printf '%0200d' 1); mkdir -p "$n/$n"; echo z >"$n/$n/$n"; ln -s "$n/$n/$n" long; touch -d 1950-01-01 ü`
      expect(spawnSync('sh', ['-c', script], { cwd: box.data, encoding: 'utf8' }).stderr).toBe('')
      const before = tree(box.data)
      expect((await backup()).task.status).toBe('completed')
      const fresh = new Appliance(shell)
      const { exit, log } = await fresh.run(
        'restore',
        [],
        {},
        { 'backup-archive.tar': readFileSync(box.uploads('backup.tar')) },
      )
      expect(exit, log).toBe(0)
      expect(tree(fresh.data)).toEqual(before)
    })

    it('gets nothing behind a link that leads out of it into a backup', async () => {
      const outside = temporaryFolder()
      writeFileSync(join(outside, 'f'), 'canary')
      symlinkSync(outside, join(box.data, 'link'))
      const { task } = await backup('link/*')
      expect(task.error?.message).toBe('The list of what to back up leads out of the data folder')
      expect(readdirSync(box.uploads())).toEqual(['backup.json'])
    })
  })

  describe('in the uploads', () => {
    it('gets no status written through a link when the temporary file cannot be made', async () => {
      const victim = join(box.folder, 'victim')
      writeFileSync(victim, 'precious')
      symlinkSync(victim, box.uploads('backup.json'))
      writeFileSync(join(box.data, 'f'), 'x')
      writeFileSync(box.etc('backup.txt'), '*')
      const id = box.create('backup', ['START'])
      // Every temporary name it could choose is taken by a folder.
      const script = `i=$$; mkdir "$EDGE_ROOT/home/sftp/uploads/.backup.json.$i"; exec ${shell.command.join(' ')} "$@"`
      const argv = ['-c', script, 'sh', join(installation(), 'scripts/backup.sh'), 'run', box.task(id), 'START']
      spawnSync('sh', argv, {
        env: {
          PATH: process.env['PATH'],
          EDGE_ROOT: box.root,
          EDGE_SYSCONFDIR: box.folder,
          EDGE_DATADIR: box.data,
          EDGE_STATEDIR: box.state,
          ...(shell.path ? { EDGE_PATH: shell.path } : {}),
        },
        timeout: 20_000,
      })
      expect(box.read(victim)).toBe('precious')
      expect(box.read(box.uploads('backup.json'))).toContain('"success"')
    })

    it('does not move our files into a folder of its own choice', async () => {
      const elsewhere = temporaryFolder()
      for (const name of ['backup.json', 'backup.tar']) symlinkSync(elsewhere, box.uploads(name))
      writeFileSync(join(box.data, 'f'), 'x')
      expect((await backup('*')).task.status).toBe('completed')
      expect(readdirSync(elsewhere)).toEqual([])
      expect(listed(box.uploads('backup.tar'))).toEqual(['f'])
    })

    it('chooses no package by a hostile name, and no link', async () => {
      for (const name of ['software_package-9\n9.enc', 'software_package-;id.enc.d'])
        mkdirSync(box.uploads(name), { recursive: true })
      symlinkSync('/dev/zero', box.uploads('software_package-zzzz.enc'))
      writeFileSync(box.uploads('software_package-$(id) *.enc'), pack(outer()))
      expect((await box.run('update')).task.status).toBe('completed')
    })
  })

  describe('in the folder of the task and of the logs', () => {
    it('gets no log line through a link', async () => {
      const victim = join(box.folder, 'victim')
      writeFileSync(victim, 'precious')
      symlinkSync(victim, join(box.root, 'log/update.log'))
      await box.run('update')
      expect(box.read(victim)).toBe('precious')
      expect(box.log('update.log')).toContain('[T][SYSTEM] Missing update package')
    })

    it('has no task folder that is a link, and no lock that is one', async () => {
      const real = box.create('update')
      symlinkSync(box.task(real), box.task('link'))
      expect(await box.act(real, 'run', {})).toBe(1)
      writeFileSync(box.task(real, 'request.json'), JSON.stringify({ kind: 'update', args: [] }))
      expect(await box.act('link', 'run')).toBe(64)
      symlinkSync(join(box.folder, 'made'), join(box.state, 'locks/logs.lock'))
      await box.run('logs')
      expect(existsSync(join(box.folder, 'made'))).toBe(false)
    })

    it.skipIf(!isRoot).each(['symbolic', 'hard'])('under sudo follows no %s link in it', async (kind) => {
      const victim = join(box.folder, 'victim')
      writeFileSync(victim, 'precious')
      const id = box.create('backup', ['START'])
      if (kind === 'hard') linkSync(victim, box.task(id, 'names'))
      else symlinkSync(victim, box.task(id, 'names'))
      const settings = ['ROOT', 'SYSCONFDIR', 'DATADIR', 'STATEDIR'].map(
        (name) =>
          `EDGE_${name}='${{ ROOT: box.root, SYSCONFDIR: box.folder, DATADIR: box.data, STATEDIR: box.state }[name]}'\n`,
      )
      writeFileSync(join(installation(), 'scripts/settings'), settings.join(''))
      writeFileSync(join(box.data, 'f'), 'x')
      writeFileSync(box.etc('backup.txt'), '*')
      for (const folder of [join(box.root, 'bin'), join(box.state, 'work')]) mkdirSync(folder)
      chmodSync(box.folder, 0o755)
      const code = await box.act(id, 'run', { SUDO_UID: '1000', SUDO_GID: '1000', EDGE_ROOT: '/nowhere' })
      expect(code, box.read(box.task(id, 'log'))).toBe(0)
      expect(box.read(victim)).toBe('precious')
      expect(box.read(join(box.state, 'work', id, 'status.json'))).toContain('"completed"')
    })

    const EXCHANGE = 'for one in "$UPLOADS"/.backup.json.*; do mv "$one" "$one.ours"; ln -s "$VICTIM" "$one"; done'
    it.both.for([
      { program: 'mktemp', text: 'name=$(mktemp "$@"); rm -f "$name"; ln -s "$VICTIM" "$name"; echo "$name"' },
      { program: 'mktemp', text: 'name=$(mktemp "$@"); rm -f "$name"; ln "$VICTIM" "$name"; echo "$name"' },
      { program: 'chmod', text: `${EXCHANGE}; chmod "$@"` },
      { program: 'cat', text: `${EXCHANGE}; cat "$@"` },
    ])(
      'leads no status elsewhere by what it lays under its name: $program, $text',
      async ({ program, text }, { skip }) => {
        if (shell.path) skip('busybox ash takes its own programs, and nobody else’s')
        const victim = join(box.folder, 'victim')
        writeFileSync(victim, 'precious', { mode: 0o600 })
        const fake = join(box.folder, 'fake')
        mkdirSync(fake)
        // In its moment, and at each of them: so it needs no luck.
        writeFileSync(join(fake, program), `#!/bin/sh\nPATH=/usr/bin:/bin\n${text}\n`, { mode: 0o755 })
        writeFileSync(box.etc('backup.txt'), '.')
        writeFileSync(join(box.data, 'mine'), 'x')
        const environment = { EDGE_PATH: fake, VICTIM: victim, UPLOADS: box.uploads() }
        await box.act(box.create('backup', ['START']), 'run', environment)
        expect([readFileSync(victim, 'utf8'), statSync(victim).mode & 0o777]).toEqual(['precious', 0o600])
      },
    )

    it('leaves no half-written file behind after a kill', async () => {
      const id = box.create('backup', ['STOP'])
      writeFileSync(box.task(id, '.status.json.4711.aB3xY9'), 'half')
      writeFileSync(box.task(id, 'writers'), '4711\n*\n\n4712')
      for (const number of ['4711', '4712', '47110'])
        for (const folder of [box.etc(), box.uploads()])
          writeFileSync(join(folder, `.status_certs.txt.${number}.aB3xY9`), 'half')
      await box.act(id, 'recover')
      const hidden = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.'))
      expect(hidden(box.task(id))).toEqual([])
      // The last line may be cut; and what another task is writing stays.
      const others = ['.status_certs.txt.47110.aB3xY9', '.status_certs.txt.4712.aB3xY9']
      expect([hidden(box.etc()).sort(), hidden(box.uploads()).sort()]).toEqual([others, others])
    })
  })

  describe('as a hook of the vendor', () => {
    const license = () => box.run('license', [], {}, { 'license.asc': Buffer.from('license') })
    it('fills no disk, and ends', async () => {
      hook('license', '#!/bin/sh\nyes 0123456789012345678901234567890123456789\n')
      const started = Date.now()
      const { id, task } = await license()
      expect(task.status).toBe('failed')
      expect(existsSync(box.task(id, 'decision'))).toBe(false)
      expect(Date.now() - started).toBeLessThan(20_000)
    })
    it.each([
      ['exits 127', '#!/bin/sh\necho {}\nexit 127\n', 0o755],
      ['is not executable', '#!/bin/sh\necho {}\n', 0o644],
      ['has CRLF', '#!/bin/sh\r\necho {}\r\n', 0o755],
      ['ends itself', '#!/bin/sh\necho {}\nkill -9 $$\n', 0o755],
    ])('that %s decides nothing', async (_, text, mode) => {
      hook('license', text, mode)
      const { task } = await license()
      expect(task.status).toBe('failed')
      expect(box.lockIsFree('license')).toBe(true)
      expect(existsSync(box.etc('license.asc'))).toBe(false)
    })
    it('leaves a daemon behind that holds no lock', async () => {
      hook('license', '#!/bin/sh\necho "{}"\nsetsid sleep 20 >/dev/null 2>&1 &\n')
      expect((await license()).task.status).toBe('completed')
      expect(box.lockIsFree('license')).toBe(true)
    })
  })

  describe('as a signed package', () => {
    const update = async (script: string) => {
      writeFileSync(box.uploads('software_package-zzz.enc'), pack(outer(inner({ script: `#!/bin/sh\n${script}\n` }))))
      return box.run('update')
    }
    const json = () => box.read(box.etc('status_update.json'))
    it('may delete its own folder', async () => {
      expect((await update('rm -rf ../update; exit 0')).task.status).toBe('completed')
      expect(json()).toBe('{"status":"success","percentage":100}\n')
    })
    it('may write our status files', async () => {
      await update('echo garbage >../../etc/status_update.json; exit 1')
      expect(json()).toMatch(/^{"status":"failed","percentage":\d+}\n$/)
      expect(box.read(box.etc('status_error_code.txt'))).toBe('E1002\n')
    })
    it('may end its parent: the next recover says so, and the next update works', async () => {
      await update('kill -9 $PPID; sleep 1')
      const id = readdirSync(join(box.state, 'tasks')).sort().at(-1)!
      await box.act(id, 'recover')
      expect(box.read(box.etc('status_error_code.txt'))).toMatch(/^E100[02]\n$/)
      expect((await update('exit 0')).task.status).toBe('completed')
    })
  })

  it('gets no further with a wrong key, whatever its padding looks like', async () => {
    const wrong = `${key()}x`
    for (let round = 0; round < 30; round++) {
      writeFileSync(box.uploads('software_package-zzz.enc'), encrypt(Buffer.alloc(20_480, round), wrong))
      const { task } = await box.run('update')
      expect(task.error?.code).toBe('E1005')
    }
    expect(box.read(box.etc('status_update.json'))).toContain('"percentage":30')
  }, 60_000)

  it('SEC-40 reads no secret in another spelling, nor a key that a rotation has cut', async () => {
    const logs = join(box.folder, 'logs')
    mkdirSync(logs)
    const token = 'Tok/en+1%x$[a].*^z'
    writeFileSync(box.etc('api.token'), token)
    const encoded = encodeURIComponent(token).replaceAll('*', '%2A')
    const lower = encoded.replace(/%../g, (digits) => digits.toLowerCase())
    writeFileSync(join(logs, 'a'), `plain ${token}.\nup ${encoded}.\nlow ${lower}.\n`)
    const body = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0123456789abcdefghijklmnopqrs\n'
    writeFileSync(join(logs, 'b'), `${body.repeat(9)}Zw7qjN4yBUM=\n-----END RSA PRIVATE KEY-----\nafter\nlast\n`)
    writeFileSync(join(logs, 'c'), 'one\ntwo\nand three\nfour')
    writeFileSync(box.etc('logs.txt'), `${logs}\n`)
    expect((await box.run('logs')).task.status).toBe('completed')
    const out = temporaryFolder()
    spawnSync('tar', ['-xzf', box.uploads('logs.tar.gz'), '-C', out])
    const text = (name: string) => readFileSync(join(out, logs, name), 'utf8')
    expect(text('a')).toBe('plain [redacted].\nup [redacted].\nlow [redacted].\n')
    expect(text('b')).toBe('[redacted]\n-----END RSA PRIVATE KEY-----\nafter\nlast\n')
    expect(text('c').trim()).toBe('one\ntwo\nand three\nfour')
  })

  it('finds logs whose names look like something else', async () => {
    const logs = join(box.folder, 'logs')
    mkdirSync(logs)
    for (const name of ['a\\nb', '-f', '\\057etc\\057hostname', '*']) writeFileSync(join(logs, name), 'text\n')
    chmodSync(logs, 0o755)
    writeFileSync(box.etc('logs.txt'), `${logs}\n`)
    await box.run('logs')
    expect(listed(box.uploads('logs.tar.gz')).filter((name) => name.includes('/logs/')).length).toBeGreaterThanOrEqual(
      4,
    )
  })
})
