// Hooks that hang, in every way that one can, and tasks that are ended in every way that there is: nothing of the hook
// stays alive, the lock is free, and the old settings are back. Where a moment hits depends on the machine, so no end
// is expected, only that it is a legal one.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Tasks } from '../../src/tasks/tasks.ts'
import { FUZZ, runs } from '../harness/fuzz.ts'
import { Appliance, ended, installation, isAlive, removeTemporary, type Shell, shells, until } from './harness.ts'
import { inTurn } from './pairwise.ts'
import { WORKS } from './works.ts'

afterAll(removeTemporary)

/** What a hook does instead of coming to its end. `$0` is the hook. */
const HANGS: Record<string, string> = {
  sleeps: 'sleep 500',
  'waits for a child': 'sleep 500 & wait',
  'waits for a crowd': 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 500 & sleep 500 & done; wait',
  'sleeps in a session of its own': 'setsid sleep 500',
  'waits in sessions of their own': 'setsid sh -c "setsid sleep 500; :"; :',
  'ignores the signals that can be ignored': "trap '' TERM INT HUP; sleep 500; sleep 500",
  'is stopped': 'sleep 500 & kill -STOP $!; kill -STOP $$',
  'leaves a child to init': '(sleep 500 &); sleep 500',
  'starts others for ever': 'while :; do sleep 500 & sleep 0.02; done',
  'hands on to another for ever': '[ "$1" = relay ] || { "$0" relay & sleep 500; }; sleep 0.05; "$0" relay &',
}
const mark = () => randomBytes(8).toString('hex')

/** The numbers of the processes that have this in their environment: the script, its hook, and what they started. */
const alive = (marked: string) =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && has(pid, marked) && isAlive(pid))
function has(pid: string, marked: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HUNG=${marked}\0`)
  } catch {
    return false
  }
}

/** A network.sh that hangs for the new settings, and for the old ones as well when it is to hang `always`. */
function hang(box: Appliance, how: string, always: boolean): void {
  const hook = join(box.root, 'bin/network.sh')
  const hangs = always ? '' : `grep -q new "$EDGE_ROOT/etc/app.json" || exit 0\n`
  writeFileSync(hook, `#!/bin/sh\n${hangs}[ "$1" = relay ] || : >"$EDGE_ROOT/hangs"\n${HANGS[how]}\n`)
  chmodSync(hook, 0o755)
}
function appliance(shell: Shell, how: string, always = false): Appliance {
  const box = new Appliance(shell)
  WORKS['settings']?.lay(box)
  hang(box, how, always)
  return box
}
function hung(shell: Shell, how: string, always = false): { box: Appliance; id: string } {
  const box = appliance(shell, how, always)
  return { box, id: box.create('settings', ['dhcp'], WORKS['settings']?.inputs?.()) }
}
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const app = (box: Appliance) => box.read(box.etc('app.json'))
const OLD = '{"name":"old"}\n'

const ways = fc.record({
  how: fc.constantFrom(...Object.keys(HANGS)),
  always: fc.boolean(),
  way: fc.constantFrom('cancel', 'killed', 'killed with its group', 'too long', 'cancelled twice'),
  /** Milliseconds after the hook began to hang; less than zero: after the task was started. */
  moment: fc.integer({ min: -200, max: 100 }),
})
type Way = typeof ways extends fc.Arbitrary<infer T> ? T : never

describe.each(shells())('a task under $name whose hook hangs', (shell) => {
  const it = inTurn(shell.name)
  async function endIt({ how, always, way, moment }: Way): Promise<void> {
    const { box, id } = hung(shell, how, always)
    const marked = mark()
    const env = { HUNG: marked, EDGE_HOOK_SECONDS: always || way === 'too long' ? '1' : '100' }
    const child = box.start(id, 'run', env)
    const end = ended(child)
    if (moment < 0) await pause(moment + 200)
    else {
      await until('the hook hangs', () => existsSync(join(box.root, 'hangs')))
      await pause(moment)
    }
    const kill = (pid: number) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGKILL')
    }
    if (way === 'too long') await end
    else if (way === 'killed') kill(child.pid!)
    else if (way === 'killed with its group' && !HANGS[how]?.includes('setsid')) kill(-child.pid!)
    else if (way === 'killed with its group') kill(child.pid!)
    else if (way === 'cancelled twice') {
      const first = box.start(id, 'cancel', env)
      const gone = ended(first)
      await pause(moment + 200)
      if (first.exitCode === null) first.kill('SIGKILL')
      await gone
    }
    if (way.startsWith('killed')) {
      await end
      // Before the hook a step of ours may still be at work, and keeps it.
      const isFree = () => box.lockIsFree('settings')
      if (moment < 0) await until('the lock is free', isFree)
      else expect(isFree(), 'the lock, once the script is gone').toBe(true)
    }
    const action = way.startsWith('cancel') ? 'cancel' : 'recover'
    expect(await box.act(id, action, env)).toBe(0)
    await end
    // What we run beside a hook looks once a second whether it still has to, where busybox is the system.
    await until(`nothing is left of ${JSON.stringify({ how, always, way, moment })}`, () => alive(marked).length === 0)
    expect(box.status(id).status).toMatch(/^(cancelled|interrupted|failed)$/)
    expect([app(box), box.lockIsFree('settings')]).toEqual([OLD, true])
    rmSync(box.folder, { recursive: true })
  }

  it('leaves no process behind, however it is ended', { timeout: 120_000 * FUZZ }, async () => {
    const examples: [Way][] = [
      [{ how: 'sleeps in a session of its own', always: true, way: 'cancel', moment: 0 }],
      [{ how: 'sleeps', always: true, way: 'too long', moment: 0 }],
      [{ how: 'hands on to another for ever', always: false, way: 'killed', moment: 50 }],
    ]
    await fc.assert(fc.asyncProperty(ways, endIt), { numRuns: runs(6), endOnFailure: true, examples })
  })

  it('is ended with its task where it is to decide about a license', async () => {
    const box = new Appliance(shell)
    const hook = join(box.root, 'bin/license.sh')
    mkdirSync(join(box.root, 'bin'))
    writeFileSync(hook, '#!/bin/sh\necho $$ >"$EDGE_ROOT/hangs"\nsleep 500\n', { mode: 0o755 })
    const id = box.create('license', [], { 'license.asc': Buffer.from('{}\n') })
    const child = box.start(id, 'run')
    const end = ended(child)
    const asked = () => box.read(join(box.root, 'hangs')) ?? ''
    await until('the hook hangs', () => asked().endsWith('\n'))
    // Whoever asked it is gone at the same moment.
    process.kill(-child.pid!, 'SIGKILL')
    await end
    expect(await box.act(id, 'recover')).toBe(0)
    await until('the hook is gone', () => !isAlive(asked().trim()))
    expect([box.status(id).status, box.read(box.etc('license.asc'))]).toEqual(['interrupted', undefined])
  })

  it('is ended by its limit, and says so', async () => {
    const { box, id } = hung(shell, 'waits for a crowd')
    const marked = mark()
    expect(await box.act(id, 'run', { HUNG: marked, EDGE_HOOK_SECONDS: '1' })).toBe(1)
    expect(box.status(id)).toMatchObject({
      status: 'failed',
      message: 'The network could not be applied: network.sh took longer than 1 seconds, and was ended',
    })
    await until('nothing is left', () => alive(marked).length === 0)
    expect(app(box)).toBe(OLD)
  })

  it('ends what a cancel left of it that was killed as well', async () => {
    const { box, id } = hung(shell, 'sleeps', true)
    const marked = mark()
    const hangs = () => existsSync(join(box.root, 'hangs'))
    const patient = { HUNG: marked, EDGE_HOOK_SECONDS: '100' }
    const end = ended(box.start(id, 'run', patient))
    await until('the hook hangs', hangs)
    rmSync(join(box.root, 'hangs'))
    const first = box.start(id, 'cancel', patient)
    const gone = ended(first)
    await until('the hook hangs for the old settings', hangs)
    first.kill('SIGKILL')
    await Promise.all([end, gone])
    // In a session that the record of the run does not name.
    expect(await box.act(id, 'cancel', { HUNG: marked, EDGE_HOOK_SECONDS: '1' })).toBe(0)
    await until('nothing is left', () => alive(marked).length === 0)
    expect([app(box), box.status(id).status, box.lockIsFree('settings')]).toEqual([OLD, 'cancelled', true])
  })

  it('keeps a service that the hook left running', async () => {
    const { box, id } = hung(shell, 'sleeps')
    const marked = mark()
    const hook = join(box.root, 'bin/network.sh')
    // As daemon(3) does it: a session of its own, and no parent.
    const service = `(setsid sh -c 'echo $$ >"$EDGE_ROOT/service"; exec sleep 500' >/dev/null 2>&1 &)\n`
    const started = 'until [ -s "$EDGE_ROOT/service" ]; do sleep 0.02; done\n'
    writeFileSync(hook, `#!/bin/sh\ngrep -q new "$EDGE_ROOT/etc/app.json" || exit 0\n${service}${started}sleep 500\n`)
    const child = box.start(id, 'run', { HUNG: marked })
    const end = ended(child)
    const file = join(box.root, 'service')
    await until('the service runs', () => (box.read(file) ?? '').endsWith('\n'))
    expect(await box.act(id, 'cancel', { HUNG: marked })).toBe(0)
    await end
    await until('the service alone is left', () => alive(marked).length === 1)
    expect(alive(marked)).toEqual([box.read(file)?.trim()])
    process.kill(Number(box.read(file)), 'SIGKILL')
  })

  it.each(['recover', 'cancel'] as const)(
    'leaves to a task that ended by itself what its hook started: %s',
    async (action) => {
      const { box, id } = hung(shell, 'sleeps')
      const marked = mark()
      // Still of the task's session.
      const hook = '#!/bin/sh\nsleep 500 >/dev/null 2>&1 &\necho $! >"$EDGE_ROOT/service"\n'
      writeFileSync(join(box.root, 'bin/network.sh'), hook)
      expect(await box.act(id, 'run', { HUNG: marked })).toBe(0)
      const before = box.status(id)
      expect(before.status).toBe('completed')
      expect(await box.act(id, action, { HUNG: marked })).toBe(0)
      const service = box.read(join(box.root, 'service'))?.trim()
      // What we run beside a hook looks once a second whether it still has to, where busybox is the system.
      await until('no more than the service is left', () => alive(marked).length <= 1)
      expect([alive(marked), box.status(id)]).toEqual([[service], before])
      process.kill(Number(service), 'SIGKILL')
    },
  )
})

describe('the server, over a task whose hook hangs', () => {
  const [shell] = shells()
  const by = { name: 'test', address: '127.0.0.1' }
  const inputs = Object.fromEntries(
    Object.entries(WORKS['settings']?.inputs?.() ?? {}).map(([name, bytes]) => [
      name,
      { text: Buffer.from(bytes).toString() },
    ]),
  )
  function server(box: Appliance, longest: number, marked: string): Tasks {
    return new Tasks({
      folders: { root: box.root, sysconf: join(box.folder, 'sysconf'), data: box.data, state: box.state },
      scripts: join(installation(), 'scripts'),
      privilege: 'none',
      environment: { HUNG: marked },
      longest,
      onEnd() {},
      warn() {},
    })
  }

  it('ends all of it when the task takes too long', async () => {
    const box = appliance(shell!, 'waits in sessions of their own')
    const marked = mark()
    const tasks = server(box, 0.5, marked)
    const task = (await tasks.start('settings', { args: ['dhcp'], inputs, by }))!
    expect(await tasks.wait(task.id)).toMatchObject({ status: 'cancelled' })
    await until('nothing is left', () => alive(marked).length === 0)
    expect(app(box)).toBe(OLD)
    tasks.close()
  })

  it('ends all of it after a restart, when somebody cancels the task', async () => {
    const { box, id } = hung(shell!, 'leaves a child to init')
    const marked = mark()
    // By a server that is gone.
    const end = ended(box.start(id, 'run', { HUNG: marked }))
    await until('the hook hangs', () => existsSync(join(box.root, 'hangs')))
    const after = server(box, 100, marked)
    await after.sweep()
    expect(after.get(id)).toMatchObject({ status: 'running' })
    expect(await after.cancel(id)).toMatchObject({ status: 'cancelled' })
    await end
    await until('nothing is left', () => alive(marked).length === 0)
    expect(app(box)).toBe(OLD)
    after.close()
  })
})
