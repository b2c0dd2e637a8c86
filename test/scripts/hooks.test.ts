// The contract of the vendor's hooks: each row of its table in docs/vendors.md is tried here, and the table there says
// what is tried here. A row without a test is a promise that nobody keeps, so the two are compared word for word.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CONTRACT } from '../../src/tasks/task.ts'
import { Appliance, isAlive, removeTemporary, type Shell, shells, until } from './harness.ts'
import { inTurn } from './pairwise.ts'
import { WORKS } from './works.ts'

afterAll(removeTemporary)

const NEW = '{"name":"new"}\n'
const OLD = '{"name":"old"}\n'
const STORAGE = 'type="nfs"\nmount_options="ro"\nip="10.0.0.1"\nshare="/x"\n'

class Tried {
  readonly box: Appliance
  constructor(shell: Shell) {
    this.box = new Appliance(shell)
    for (const kind of ['settings', 'certs']) WORKS[kind]?.lay(this.box)
    this.hook('certs', ':')
  }

  file = (name: string) => join(this.box.root, 'bin', `${name}.sh`)
  seen = (name = 'seen') => this.box.read(join(this.box.root, name))

  /** Lays bin/NAME.sh; without `text` none. */
  hook(name: string, body: string, { head = '#!/bin/sh\n', mode = 0o755 } = {}): void {
    mkdirSync(join(this.box.root, 'bin'), { recursive: true })
    rmSync(this.file(name), { recursive: true, force: true })
    writeFileSync(this.file(name), `${head}${body}\n`)
    chmodSync(this.file(name), mode)
  }

  async settings(env: Record<string, string> = {}) {
    return this.box.run('settings', ['dhcp'], env, WORKS['settings']?.inputs?.())
  }
  async storage() {
    const inputs = { 'storage.json': Buffer.from('{"storage":{"type":"nfs"}}'), 'storage.conf': Buffer.from(STORAGE) }
    return this.box.run('storage', [], {}, inputs)
  }
  async certs() {
    return this.box.run('certs', [], {}, WORKS['certs']?.inputs?.())
  }
  async license(text = '{"users":20}\n') {
    return this.box.run('license', [], {}, { 'license.asc': Buffer.from(text) })
  }
  app = () => this.box.read(this.box.etc('app.json'))
  conf = () => this.box.read(join(this.box.folder, 'sysconf/storage.conf'))
}

interface Row {
  question: string
  answer: string
  try: (t: Tried) => Promise<void>
}

const NOTE = 'printf "%s %s\\n" "$(basename -- "$0")" "$*" >>"$EDGE_ROOT/seen"'
/** Ends with 1 for the new settings and with 0 for the old ones. */
const FAILS_FOR_NEW = '! grep -q new "$EDGE_ROOT/etc/app.json"'

const ROWS: Row[] = [
  {
    question: 'When is it called, and with what?',
    answer:
      '`network.sh static` or `network.sh dhcp` when new settings are in place; `storage.sh` when new storage options are; `license.sh` when a new license is, and whenever somebody asks for the license; `certs.sh` when a new certificate is; `reboot.sh` to reboot',
    async try(t) {
      for (const name of ['network', 'storage', 'license', 'certs', 'reboot'])
        t.hook(name, `${NOTE}; ${name === 'license' ? 'cat "$EDGE_ROOT/etc/license.asc"' : ':'}`)
      for (const { exit, log } of [await t.settings(), await t.storage(), await t.license(), await t.certs()])
        expect(exit, log).toBe(0)
      expect((await t.box.run('reboot')).exit).toBe(0)
      expect(t.seen()).toBe('network.sh dhcp\nstorage.sh \nlicense.sh \ncerts.sh \nreboot.sh \n')
      expect([t.app(), t.conf()]).toEqual([NEW, STORAGE])
    },
  },
  {
    question: 'What does our own code do then?',
    answer:
      'Nothing: a hook stands in its place. Without `network.sh` and `storage.sh` our own code applies the network and the storage, without `certs.sh` nginx and stunnel read their certificates again, without `license.sh` a license is one that `edge-admin license sign` made, without `reboot.sh` the service manager reboots',
    async try(t) {
      mkdirSync(join(t.box.folder, 'fake'))
      const fake = join(t.box.folder, 'fake/ip')
      writeFileSync(fake, '#!/bin/sh\n: >"$EDGE_ROOT/own"\n', { mode: 0o755 })
      t.hook('network', NOTE)
      expect((await t.settings({ EDGE_PATH: join(t.box.folder, 'fake') })).exit).toBe(0)
      expect([t.seen(), t.seen('own')]).toEqual(['network.sh dhcp\n', undefined])
    },
  },
  {
    question: 'Environment',
    answer:
      '`EDGE_CONTRACT`, `EDGE_ROOT`, `EDGE_SYSCONFDIR`, `EDGE_DATADIR`, `EDGE_STATEDIR`, `EDGE_LABEL`, `LC_ALL=C`, and a fixed `PATH` of the system’s folders. Other variables may be there: do not use them',
    async try(t) {
      t.hook('network', 'env >"$EDGE_ROOT/seen"')
      // Whoever calls the script does not say what its text can do.
      expect((await t.settings({ EDGE_PATH: '', EDGE_LABEL: 'BOX', EDGE_CONTRACT: '99' })).exit).toBe(0)
      const found = Object.fromEntries((t.seen() ?? '').split('\n').map((line) => line.split(/=(.*)/s, 2)))
      expect(found).toMatchObject({
        EDGE_CONTRACT: String(CONTRACT),
        EDGE_ROOT: t.box.root,
        EDGE_SYSCONFDIR: join(t.box.folder, 'sysconf'),
        EDGE_DATADIR: t.box.data,
        EDGE_STATEDIR: t.box.state,
        EDGE_LABEL: 'BOX',
        LC_ALL: 'C',
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      })
    },
  },
  {
    question: 'Folder, mask, signals, descriptors',
    answer: 'The folder is `/`, the mask 027; no signal is ignored; nothing is open but the three standard descriptors',
    async try(t) {
      // The second call, for the old settings, comes from the end of a task, where the script ignores what would disturb it.
      const descriptors =
        'for fd in /proc/$$/fd/*; do case $(basename "$fd") in [012]) ;; *) readlink "$fd" ;; esac; done'
      // What this process got from whoever started it (make leaves a pipe open) is nothing of ours.
      const inherited = spawnSync('sh', ['-c', `grep SigIgn /proc/$$/status; ${descriptors}`], { encoding: 'utf8' })
      const [ignored, ...open] = inherited.stdout.trimEnd().split('\n')
      t.hook('network', `pwd; umask; grep SigIgn /proc/$$/status; ${descriptors}; ${FAILS_FOR_NEW}`)
      const log = (await t.settings()).log
        .split('\n')
        .filter((line) => !open.includes(line))
        .join('\n')
      // The shell of the hook has the hook open.
      const call = `/\n0027\n${ignored}\n${t.file('network')}\n`
      expect(log.split(call), log).toHaveLength(3)
    },
  },
  {
    question: 'Standard input',
    answer: '`/dev/null`',
    async try(t) {
      t.hook('network', 'readlink /proc/self/fd/0')
      expect((await t.settings()).log).toContain('\n/dev/null\n')
    },
  },
  {
    question: 'User',
    answer:
      'That of the scripts: root, also with `"privilege": "sudo"`. There a hook has to be a file of root’s own that nobody else can write, or it is not run. `license.sh` runs as the server does, there too: it says the same to a new license and to whoever asks later',
    async try(t) {
      t.hook('network', 'id -u')
      expect((await t.settings()).log).toContain(`\n${process.getuid?.()}\n`)
      // The other half is tried with a real sudo: sudo.test.ts.
    },
  },
  {
    question: 'Output',
    answer:
      'Both go into the task’s log: the first 256 KiB, and the last lines of what is longer. No client sees it, but as the message of a task that failed (what `license.sh` prints on standard output, one JSON object in UTF-8 of at most 1 MiB, is the answer to the client; all who ask at once share one run)',
    async try(t) {
      t.hook('network', 'echo out; echo err >&2; yes a-line-of-noise | head -c 3000000; echo the-last')
      const { exit, log } = await t.settings()
      expect([exit, log.includes('\nout\nerr\na-line')]).toEqual([0, true])
      expect(log.length).toBeLessThan(300_000)
      expect(log).toMatch(/network\.sh printed more than 262144 bytes[^\n]*\n[\s\S]*a-line-of-noise\nthe-last\n/)
    },
  },
  {
    question: 'Exit status',
    answer:
      '0 is success. Anything else fails the task of `network.sh`, `storage.sh` and `reboot.sh`, and is a no of `license.sh`; of `certs.sh` it is written into the log, and the certificate stays',
    async try(t) {
      for (const name of ['network', 'storage', 'license', 'certs', 'reboot']) t.hook(name, 'echo "{}"; exit 3')
      const ends = [await t.settings(), await t.storage(), await t.license(), await t.box.run('reboot')]
      expect(ends.map(({ task }) => task.status)).toEqual(['failed', 'failed', 'failed', 'failed'])
      const certs = await t.certs()
      expect([certs.task.status, certs.log.includes('certs.sh ended with exit status 3')]).toEqual(['completed', true])
    },
  },
  {
    question: 'What is said of a failure',
    answer:
      'The task’s message ends with the reason, as in `The network could not be applied: network.sh ended with exit status 3`',
    async try(t) {
      t.hook('network', 'exit 3')
      expect((await t.settings()).task.message).toBe(
        'The network could not be applied: network.sh ended with exit status 3',
      )
      t.hook('reboot', 'kill -9 $$')
      expect((await t.box.run('reboot')).task.message).toBe(
        'The machine could not be rebooted: reboot.sh was ended by signal 9',
      )
    },
  },
  {
    question: 'After a failure',
    answer:
      'The old files come back, and `network.sh` or `storage.sh` is called once more, for them. So a hook has to bear being called again, with what is in force already',
    async try(t) {
      t.hook('network', `cat "$EDGE_ROOT/etc/app.json" >>"$EDGE_ROOT/seen"; ${FAILS_FOR_NEW}`)
      expect((await t.settings()).task.status).toBe('failed')
      expect([t.seen(), t.app()]).toEqual([`${NEW}${OLD}`, OLD])
      t.hook('storage', 'echo called >>"$EDGE_ROOT/stored"; grep -q old "$EDGE_SYSCONFDIR/storage.conf"')
      writeFileSync(join(t.box.folder, 'sysconf/storage.conf'), 'type="old"\n')
      expect((await t.storage()).task.status).toBe('failed')
      expect([t.seen('stored'), t.conf()]).toEqual(['called\ncalled\n', 'type="old"\n'])
    },
  },
  {
    question: 'Time',
    answer:
      '`limits.hook-seconds` (600); `license.sh` has 30 seconds. Then it is ended with everything below it, and that is a failure. Meanwhile the task runs, and another one of its kind is refused with 409',
    async try(t) {
      t.hook('network', 'sleep 300')
      const { task } = await t.settings({ EDGE_HOOK_SECONDS: '1' })
      expect(task.message).toBe(
        'The network could not be applied: network.sh took longer than 1 seconds, and was ended',
      )
      // That of license.sh: license.test.ts.
    },
  },
  {
    question: 'At the same time',
    answer:
      'A hook never runs twice at a time for tasks of its kind; hooks of different kinds may run beside each other',
    async try(t) {
      t.hook('network', `: >"$EDGE_ROOT/began"; until [ -e "$EDGE_ROOT/go" ]; do sleep 0.05; done; ${NOTE}`)
      t.hook('storage', NOTE)
      const first = t.settings()
      await until('the first began', () => existsSync(join(t.box.root, 'began')))
      expect((await t.settings()).task.error?.code).toBe('BUSY')
      expect((await t.storage()).exit).toBe(0)
      writeFileSync(join(t.box.root, 'go'), '')
      expect((await first).exit).toBe(0)
      expect(t.seen()).toBe('storage.sh \nnetwork.sh dhcp\n')
    },
  },
  {
    question: 'Not executable',
    answer: 'A failure: `network.sh is not executable`. It never counts as a hook that is not there',
    async try(t) {
      t.hook('network', ':', { mode: 0o644 })
      const { task, log } = await t.settings()
      expect(task.message).toBe('The network could not be applied: network.sh is not executable')
      expect(log).toContain('\nnetwork.sh is not executable\n')
      expect(t.app()).toBe(OLD)
      t.hook('license', ':', { mode: 0o644 })
      expect((await t.license()).task.message).toBe('license.sh is not executable')
    },
  },
  {
    question: 'Line ends of Windows, a byte order mark, an interpreter that is not there',
    answer:
      'A failure that says which: `the lines of network.sh end in CR LF`, `the interpreter of network.sh is not here: /bin/bash`',
    async try(t) {
      t.hook('network', ':\r', { head: '#!/bin/sh\r\n' })
      expect((await t.settings()).task.message).toBe(
        'The network could not be applied: the lines of network.sh end in CR LF',
      )
      t.hook('network', ':', { head: '#!/no/such/bash\n' })
      expect((await t.settings()).task.message).toBe(
        'The network could not be applied: the interpreter of network.sh is not here: /no/such/bash',
      )
      expect(t.app()).toBe(OLD)
      t.hook('license', ':\r', { head: '#!/bin/sh\r\n' })
      expect((await t.license()).task.message).toBe('the lines of license.sh end in CR LF')
      t.hook('license', ':', { head: '#!/no/such/bash\n' })
      expect((await t.license()).task.message).toBe('the interpreter of license.sh is not here: /no/such/bash')
    },
  },
  {
    question: 'Without `#!`',
    answer: 'The system’s `sh` runs it',
    async try(t) {
      t.hook('network', NOTE, { head: '' })
      expect((await t.settings()).exit).toBe(0)
      expect(t.seen()).toBe('network.sh dhcp\n')
    },
  },
  {
    question: 'A link',
    answer: 'What it leads to is run; with `"privilege": "sudo"` it is not run',
    async try(t) {
      t.hook('other', NOTE)
      rmSync(t.file('network'), { force: true })
      symlinkSync(t.file('other'), t.file('network'))
      expect((await t.settings()).exit).toBe(0)
      expect(t.seen()).toBe('network.sh dhcp\n')
    },
  },
  {
    question: 'A folder of that name, a link that leads nowhere',
    answer: 'Counts as no hook: our own code does the work',
    async try(t) {
      rmSync(t.file('certs'))
      mkdirSync(t.file('certs'))
      const { task, log } = await t.certs()
      expect([task.status, log.includes('certs.sh')]).toEqual(['completed', false])
      // That of license.sh, which the server asks for: test/api/license.test.ts.
    },
  },
  {
    question: 'It leaves a service running',
    answer:
      'Fine: the service stays, and holds no lock. Give it a session of its own, and its own output: what stays in the session of the hook is ended with the task when that is cancelled or takes too long',
    async try(t) {
      t.hook('network', '(setsid sleep 300 &)\nsleep 300 >/dev/null 2>&1 &\necho $! >"$EDGE_ROOT/seen"')
      expect((await t.settings()).exit).toBe(0)
      expect(t.box.lockIsFree('settings')).toBe(true)
      const number = Number(t.seen())
      expect(isAlive(String(number))).toBe(true)
      // It, and the one that kept its output, which has the marked environment as well.
      const all = spawnSync('sh', ['-c', `grep -lzxF "EDGE_ROOT=${t.box.root}" /proc/[0-9]*/environ 2>/dev/null`], {
        encoding: 'utf8',
      })
      const left = all.stdout.split('\n').flatMap((path) => /\d+/.exec(path)?.[0] ?? [])
      expect(left.length).toBeGreaterThan(1)
      for (const pid of left) spawnSync('kill', ['-9', pid])
    },
  },
  {
    question: 'It hangs, and the task is cancelled, takes too long, or loses its script',
    answer:
      'It is ended by SIGKILL, with all that is below it, in whatever session, and all that is left in its own. Then the old settings are applied, by the hook again',
    async try(t) {
      // In every way that a hook can hang: hung-hooks.test.ts.
      t.hook('network', `${FAILS_FOR_NEW} || exit 0; : >"$EDGE_ROOT/hangs"; setsid sleep 300`.replace('!', ''))
      const id = t.box.create('settings', ['dhcp'], WORKS['settings']?.inputs?.())
      const run = t.box.act(id, 'run')
      await until('it hangs', () => existsSync(join(t.box.root, 'hangs')))
      expect([await t.box.act(id, 'cancel'), await run]).toEqual([0, 'SIGKILL'])
      expect([t.box.status(id).status, t.app()]).toEqual(['cancelled', OLD])
    },
  },
  {
    question: 'It ends with 0 and did nothing',
    answer: 'It is believed, also `reboot.sh`',
    async try(t) {
      t.hook('reboot', ':')
      expect((await t.box.run('reboot')).task.status).toBe('completed')
    },
  },
]

describe('the table of hooks in docs/vendors.md', () => {
  it('says what is tried here', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/vendors.md'), 'utf8')
    const section = /\n## Hooks\n([\s\S]*?)\n## /.exec(text)?.[1] ?? ''
    const rows = [...section.matchAll(/^\| (.*?) \| (.*) \|$/gm)].map(
      ([, question, answer]) => `${question}: ${answer}`,
    )
    const tried = ROWS.map(({ question, answer }) => `${question}: ${answer}`)
    expect(rows.slice(rows.indexOf('--- | ---') + 1).filter((row) => !/^(question|---)/.test(row))).toEqual(tried)
  })
})

describe.each(shells())('a hook under $name', (shell) => {
  const it = inTurn(shell.name)
  it.each(ROWS.map((row) => [row.question, row] as const))('%s', { timeout: 180_000 }, async (_, row) => {
    await row.try(new Tried(shell))
  })
})
