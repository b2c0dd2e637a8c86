// services.sh: what init scripts say, asked for the server by root. They are anybody's programs, and may hang, print
// for ever, or leave something behind that holds the pipe.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { inTurn } from './pairwise.ts'
import { isRoot, Sandbox, SHELLS } from './sandbox.ts'

const open: Sandbox[] = []
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

describe.each(SHELLS)('services.sh under %s', (shell) => {
  const test = inTurn(shell)
  const ask = (scripts: Record<string, string>, names = Object.keys(scripts), verb = 'status', seconds?: number) => {
    const made = new Sandbox(shell)
    open.push(made)
    if (seconds) made.program(join(made.fake, 'timeout'), `shift 3; exec /usr/bin/timeout -s KILL ${seconds} "$@"`)
    for (const [name, body] of Object.entries(scripts)) made.program(join(made.sysconf, 'init.d', name), body)
    const [program, ...rest] = shell.split(' ')
    const argv = [...rest, join(made.scripts, 'services.sh'), verb, ...names]
    const { status, stdout } = spawnSync(program!, argv, {
      env: made.environment(),
      encoding: 'utf8',
      timeout: 120_000,
    })
    return { status, names: stdout.split('\n').filter(Boolean).sort() }
  }

  test('names those that say that they run, whatever their exit status', () => {
    const told = ask({
      a: 'echo "$1: a is running"; exit 3',
      b: 'echo "b is not running"',
      c: 'echo "status: online"',
      d: 'echo "d is runningish"',
      e: 'echo "e is running" >&2',
      f: 'cat; echo "f is running"',
      'g@1.x': 'head -c 100000 /dev/zero | tr "\\0" "x"; echo " is running"',
    })
    expect(told).toEqual({ status: 0, names: ['a', 'c', 'f'] })
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i + 10}`, 'echo is running']))
    expect(ask(many).names).toEqual(Object.keys(many))
  })

  test.both('does not wait for one that hangs, or for what one left behind', ({ skip }) => {
    if (shell !== 'dash') skip('busybox would take its own timeout instead of the fake')
    const told = ask({
      hangs: 'sleep 60',
      leaves: 'sleep 8 & echo "leaves is running"',
      fine: 'echo "fine is running"',
    })
    expect(told.names).toEqual(['fine', 'leaves'])
  })

  test.each([['start'], ['status', '../a'], ['status', 'a b'], ['status', '-a'], ['status', '']])(
    'refuses to be called otherwise: %s %s',
    (verb, name = 'a') => {
      expect(ask({ a: 'echo is running' }, [name], verb)).toEqual({ status: 64, names: [] })
    },
  )

  test.both('says what is missing, and does not answer as if nothing ran', ({ skip }) => {
    if (shell !== 'dash') skip('busybox has it in itself')
    if (!isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0) skip('only root hides a program, by a mount')
    const made = new Sandbox(shell)
    open.push(made)
    made.program(join(made.sysconf, 'init.d/a'), 'echo "a is running"')
    const found = ['/usr/bin', '/usr/local/bin']
      .map((folder) => join(folder, 'timeout'))
      .filter((file) => existsSync(file))
    const hide = found.map((file) => `mount --bind /dev/null ${file}`).join(' && ')
    const asked = [shell, join(made.scripts, 'services.sh'), 'status', 'a']
    const argv = ['-m', 'sh', '-c', `${hide} && exec "$@"`, 'sh', ...asked]
    const { status, stdout, stderr } = spawnSync('unshare', argv, { env: made.environment(), encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 69, stdout: '', stderr: 'missing on this system: timeout\n' })
  })
})
