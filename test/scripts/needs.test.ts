// What the scripts need: each names its programs, and one that is missing is said before anything else, never as a task that is already running. A program
// is hidden by a mount, so that takes root; busybox ash has most of them in itself.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { programsOf } from '../unit/script-programs.ts'
import { Appliance, ended, installation, isRoot, removeTemporary, shells, until } from './harness.ts'
import { inTurn } from './pairwise.ts'

afterAll(removeTemporary)

const folder = join(import.meta.dirname, '../../scripts')
const text = (name: string) => readFileSync(join(folder, name), 'utf8')
const needsOf = (name: string): string[] =>
  /^NEEDS=(?:'([^']*)'|(\w+))$/m.exec(text(name))?.slice(1).join('').split(' ') ?? []
const COMMON = /for mp_name in ([a-z \\\n]+)/.exec(text('lib.sh'))?.[1]?.replace(/\\/g, '').trim().split(/\s+/) ?? []
/** lib.sh, with what it loads for every task. */
const LIB = ['lib.sh', 'processes.sh', 'hook.sh', 'memory-image.sh']
/** What a script loads besides lib.sh. */
const sourcesOf = (name: string): string[] =>
  [...text(name).matchAll(/^\s*\. "\$(?:here|\(dirname -- "\$0"\))\/([a-z-]+\.sh)"$/gm)]
    .map((match) => match[1] as string)
    .filter((file) => file !== 'lib.sh')

/** Of other programs a script asks first whether they are there, or says in its own words that they are not. */
const ASKED = new Set(
  'aoe-discover chronyd dhclient hostname ip iscsiadm ln modprobe networkctl ntpd reboot service sh systemctl tee timeout udevadm udhcpc zfs zpool'.split(
    ' ',
  ),
)

const tasks = readdirSync(folder).filter((name) => /^main "\$@"$/m.test(text(name)) && /\bLOCK=/.test(text(name)))

describe('a script', () => {
  it('is one of those that this test knows', () => {
    expect(tasks).toEqual(
      expect.arrayContaining(['update.sh', 'backup.sh', 'certs.sh', 'wrapper.sh', 'snapshot-prune.sh']),
    )
    expect(COMMON).toEqual(expect.arrayContaining(['flock', 'stat', 'sync']))
  })

  it.each(tasks)('names every program that it runs: %s', (name) => {
    const files = [name, ...sourcesOf(name), ...sourcesOf(name).flatMap(sourcesOf)]
    const named = new Set([...COMMON, ...files.flatMap(needsOf), ...ASKED])
    // lib.sh has it for those that call tar_create.
    if (!files.some((file) => /\btar_create\b/.test(text(file)))) named.add('tar')
    const called = programsOf(LIB.concat(files).map(text))
    expect([...called].filter((program) => !named.has(program))).toEqual([])
    if (files.some((file) => /\b(?:edge_admin|swap_in)\b/.test(text(file)))) expect(named).toContain('node')
  })
})

const canHide = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0

/** Runs `run` of a task where these programs are not to be found. */
async function without(programs: string[], box: Appliance, kind: string, env: Record<string, string> = {}) {
  const args = { backup: ['START'], wrapper: ['token'], 'disk-wipe': ['disk-one', 'one'] }[kind] ?? []
  const id = box.create(kind, args)
  const hide = programs
    .flatMap((program) => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((path) => join(path, program)))
    .filter((path) => existsSync(path))
    .map((path) => `mount --bind /dev/null ${path}`)
  const script = join(installation(), 'scripts', `${kind}.sh`)
  const argv = [
    '-m',
    'sh',
    '-c',
    `${hide.join(' && ')} && exec "$@"`,
    'sh',
    ...box.shell.command,
    script,
    'run',
    box.task(id),
  ]
  const child = spawn('unshare', argv.concat(args), {
    cwd: '/',
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      ...{ EDGE_ROOT: box.root, EDGE_SYSCONFDIR: join(box.folder, 'sysconf') },
      ...{ EDGE_DATADIR: box.data, EDGE_STATEDIR: box.state, ...env },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const status = await ended(child)
  await closed
  return { status, said, state: box.status(id).status, id }
}

describe('a program that is missing', () => {
  const dash = shells()[0]!
  // Without these two no script finds lib.sh.
  const common = COMMON.filter((program) => !['dirname', 'id'].includes(program))
  const rows = tasks
    .map((name) => ({ kind: name.replace(/\.sh$/, ''), programs: needsOf(name).filter((one) => one !== 'node') }))
    .filter(({ programs }) => programs.length > 0)
    .concat({ kind: 'update', programs: common })

  it.for(rows)('is named, and nothing is begun: $kind without $programs', async ({ kind, programs }, { skip }) => {
    if (!canHide) skip('it takes root to hide a program')
    const box = new Appliance(dash)
    const { status, said, state } = await without(programs, box, kind)
    const last = `missing on this system: ${programs.join(' ')}`
    expect([status, said.trim().split('\n').at(-1), state]).toEqual([69, last, 'pending'])
    expect(readdirSync(join(box.root, 'log'))).toEqual([])
  })
})

describe.each(shells())('without flock, under $name', (shell) => {
  const it = inTurn(shell.name)
  // What busybox has in itself cannot be hidden from its shell.
  const inside =
    shell.command.includes('busybox') &&
    spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout.split('\n').includes('flock')

  it.both('a task says that flock is missing, not that another one runs', async ({ skip }) => {
    if (!canHide || inside) skip('it takes root to hide a program, and a shell that has none of its own')
    const { status, said, state } = await without(['flock'], new Appliance(shell), 'update')
    expect([status, said, state]).toEqual([69, 'missing on this system: flock\n', 'pending'])
  })

  it('one that does not work is told from one that finds the lock taken', async () => {
    const box = new Appliance(shell)
    const fake = join(box.folder, 'fake')
    mkdirSync(fake)
    for (const [code, status] of [
      [127, 69],
      [71, 69],
    ] as const) {
      writeFileSync(join(fake, 'flock'), `#!/bin/sh\nexit ${code}\n`)
      chmodSync(join(fake, 'flock'), 0o755)
      if (inside) continue
      const { exit, log, task } = await box.run('logs', [], { EDGE_PATH: `${fake}:${shell.path ?? ''}` })
      expect([exit, task.status]).toEqual([status, 'pending'])
      expect(log.trim().split('\n').at(-1)).toBe(`the lock logs cannot be taken: flock ended with exit status ${code}`)
    }
  })

  it('another task that runs is still called that', async () => {
    const box = new Appliance(shell)
    const lock = join(box.state, 'locks/logs.lock')
    const holder = spawn('flock', [lock, 'sleep', '600'], { stdio: 'ignore', detached: true })
    try {
      await until('it is held', () => existsSync(lock) && !box.lockIsFree('logs'))
      const { exit, task } = await box.run('logs')
      expect([exit, task.error]).toEqual([75, { code: 'BUSY', message: 'already running' }])
    } finally {
      if (holder.pid) process.kill(-holder.pid, 'SIGKILL')
    }
  })

  it('a lock that cannot be made is said with its name', async () => {
    const box = new Appliance(shell)
    mkdirSync(join(box.state, 'locks/logs.lock'))
    const { exit, log, task } = await box.run('logs')
    expect(exit).not.toBe(0)
    expect(task.status).toBe('pending')
    expect(log.trim().split('\n').at(-1)).toMatch(/locks\/logs\.lock/)
  })
})
