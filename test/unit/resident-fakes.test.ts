// The fake programs of one process (test/fakes/resident.mjs): they say and end as those that are a process each, many at a time, and
// whatever becomes of who called them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-resident-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function world(name: string, kind: 'resident' | 'alone'): Fakes {
  const fakes = installFakes(join(folder, name), kind)
  fakes.change((model) => {
    for (const disk of ['/dev/fake1', '/dev/fake2']) model.disks[disk] = { size: 1e12 }
  })
  return fakes
}
const start = (fakes: Fakes, program: string, ...args: string[]) => spawn(join(fakes.programs, program), args)
const isHanging = ({ pid }: ChildProcess) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\x00600')
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

it('says and ends as a process for each call does', () => {
  const calls: [string, string[], string?][] = [
    ['zpool', ['create', 'tank', 'mirror', '/dev/fake1', '/dev/fake2']],
    ['zfs', ['create', '-o', "edge:note=it's \\n 100% \u00e9\u{1f600}\n$HOME `x`", 'tank/a b']],
    ['zfs', ['get', '-H', '-o', 'value', 'edge:note', 'tank/a b']],
    ['zfs', ['list', 'tank/none', 'tank/a b', '@']],
    ['zfs', ['create', 'tank/none/below']],
    ['zfs', []],
    ['lsblk', ['-J', '/dev/fake1', '/dev/none']],
    ['lio', ['apply'], "mkdir\tcore/it's\n"],
    ['lio', ['read']],
    ['exportfs', ['-ra']],
    ['smbcontrol', ['smbd', 'ping']],
    ['net', ['conf', 'showshare', 'none']],
    ['testparm', ['-s']],
  ]
  const faults = [
    { program: 'zfs', stdout: 'half a li', stderr: 'broken', status: 7 },
    { program: 'zfs', kill: 'self' as const, stdout: 'a word' },
    { program: 'zfs', when: 'after' as const, status: 3 },
  ]
  const answers = (['alone', 'resident'] as const).map((kind) => {
    const fakes = world(kind, kind)
    const run = (program: string, args: string[], input = '') => {
      const { status, signal, stdout, stderr } = spawnSync(join(fakes.programs, program), args, {
        input,
        encoding: 'utf8',
        // sh alone finds its programs then.
        env: {},
      })
      return { program, args, status, signal, stdout, stderr }
    }
    const said = calls.map(([program, args, input]) => run(program, args, input))
    const struck = faults.map((fault) => {
      fakes.faults(fault)
      return run('zfs', ['list', '-H', '-o', 'name'])
    })
    return { said, struck, calls: fakes.calls() }
  })
  expect(answers[1]).toEqual(answers[0])
  expect(answers[1]?.struck.map(({ status, signal }) => status ?? signal)).toEqual([7, 'SIGKILL', 3])
})

it('answers many calls at the same time, each its own', async () => {
  const fakes = world('many', 'resident')
  spawnSync(join(fakes.programs, 'zpool'), ['create', 'tank', '/dev/fake1'])
  const names = Array.from({ length: 20 }, (_, i) => `tank/${i}`)
  const ended = names.map((name) => once(start(fakes, 'zfs', 'create', name), 'exit'))
  expect(await Promise.all(ended)).toEqual(names.map(() => [0, null]))
  expect(Object.keys(fakes.model().datasets).sort()).toEqual(['tank', ...names].sort())
})

it('goes on when a program hangs or is killed', async () => {
  const fakes = world('killed', 'resident')
  fakes.faults({ program: 'zpool', match: '^create', hang: true })
  const hung = start(fakes, 'zpool', 'create', 'tank', '/dev/fake1')
  await until(() => isHanging(hung))
  const other = () => spawnSync(join(fakes.programs, 'zpool'), ['list', '-H'], { encoding: 'utf8', timeout: 20_000 })
  expect(other()).toMatchObject({ status: 0, signal: null })
  hung.kill('SIGKILL')
  expect(await once(hung, 'exit')).toEqual([null, 'SIGKILL'])
  expect(other()).toMatchObject({ status: 0, signal: null })
  expect(fakes.model().pools).toEqual({})
})

it('kills who called, when a fault says so', async () => {
  const fakes = world('parent', 'resident')
  fakes.faults({ program: 'zpool', kill: 'parent' })
  const mark = join(folder, 'went on')
  const parent = spawn('sh', ['-c', `'${join(fakes.programs, 'zpool')}' list; : >'${mark}'`])
  expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL'])
  expect(existsSync(mark)).toBe(false)
})
