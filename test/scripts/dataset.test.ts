// The script that destroys a dataset, in both shells, while udev looks at a volume. What else it does is shown in test/api/storage-datasets.test.ts.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { inTurn } from './pairwise.ts'
import { Sandbox, SHELLS } from './sandbox.ts'

const words = "cannot destroy 'tank/v': dataset is busy"
const BUSY = { program: 'zfs', match: '^destroy', stderr: words }

describe.each(SHELLS)('the destruction of a volume in %s', (shell) => {
  const it = inTurn(shell)
  let sandbox: Sandbox
  let fakes: Fakes
  beforeEach(() => {
    sandbox = new Sandbox(shell)
    fakes = installFakes(join(sandbox.folder, 'storage'))
    fakes.change((model) => {
      model.disks['/dev/fake1'] = { size: 2 ** 30 }
    })
    execFileSync(join(fakes.programs, 'zpool'), ['create', 'tank', '/dev/fake1'])
    execFileSync(join(fakes.programs, 'zfs'), ['create', '-V', '16M', 'tank/v'])
  })
  afterEach(() => sandbox.remove())
  const destroy = () =>
    sandbox.run('dataset-destroy', {
      inputs: { planned: `${fakes.model().datasets['tank/v']?.['guid']}\ttank/v\n` },
      args: ['tank/v', 'recursive'],
      env: { EDGE_PATH: `${fakes.programs}:${sandbox.fake}` },
    }).status
  const tries = () => fakes.calls().filter(({ args }) => args[0] === 'destroy').length
  const isThere = () => 'tank/v' in fakes.model().datasets

  it('is tried again, and not for ever', () => {
    fakes.faults(BUSY)
    expect(destroy().error).toEqual({ code: 'CONFLICT', message: words })
    expect([tries(), isThere()]).toEqual([6, true])
    fakes.faults({ ...BUSY, nth: 1 })
    expect(destroy()).toMatchObject({ status: 'completed', message: 'tank/v is destroyed' })
    expect(isThere()).toBe(false)
  })

  it.each([
    ['a snapshot', 'snapshot tank/v@new', 'tank/v@new was made meanwhile: ask again'],
    [
      'a volume of its name',
      'destroy tank/v && zfs create -V 16M tank/v',
      'tank/v may be destroyed in part: tank/v was made meanwhile: ask again',
    ],
  ])('does not take %s along that was made between two tries', (_what, words, message) => {
    fakes.faults({ ...BUSY, nth: 1 })
    // It is asked to wait before each of them.
    const seen = join(sandbox.folder, 'seen')
    sandbox.program(
      join(fakes.programs, 'udevadm'),
      `PATH='${fakes.programs}':$PATH\n[ ! -e '${seen}' ] || zfs ${words}\n: >'${seen}'`,
    )
    expect(destroy().error).toEqual({ code: 'CONFLICT', message })
    expect(isThere()).toBe(true)
  })
})

describe.each(SHELLS)('a rollback in %s', (shell) => {
  const it = inTurn(shell)
  let sandbox: Sandbox
  let fakes: Fakes
  beforeEach(() => {
    sandbox = new Sandbox(shell)
    fakes = installFakes(join(sandbox.folder, 'storage'))
    fakes.change((model) => {
      model.disks['/dev/fake1'] = { size: 2 ** 30 }
    })
    execFileSync(join(fakes.programs, 'zpool'), ['create', 'tank', '/dev/fake1'])
    zfs('create', 'tank/d')
    for (const label of ['first', 'daily-10', 'daily-1']) zfs('snapshot', `tank/d@${label}`)
  })
  afterEach(() => sandbox.remove())
  const zfs = (...args: string[]) => execFileSync(join(fakes.programs, 'zfs'), args).toString()
  const guid = () => zfs('get', '-Hp', '-o', 'value', 'guid', 'tank/d@first')
  const there = () => zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-r', 'tank/d')
  let task = ''
  function rollback(newer: string, target: string) {
    const ended = sandbox.run('snapshot-rollback', {
      inputs: { newer, guid: target },
      args: ['tank/d', 'tank/d@first'],
      env: { EDGE_PATH: `${fakes.programs}:${sandbox.fake}` },
    })
    task = ended.task
    return ended.status
  }
  const both = 'tank/d@daily-10\ntank/d@daily-1\n'

  it('takes no snapshot along whose name is only a part of a planned one', () => {
    const before = there()
    expect(rollback('tank/d@daily-10\n', guid()).error).toEqual({
      code: 'CONFLICT',
      message: 'tank/d@daily-1 was made meanwhile: ask again',
    })
    expect(there()).toBe(before)
    expect(rollback(both, guid()).status).toBe('completed')
    expect(there()).toBe('tank/d@first\n')
  })

  const GONE = 'tank/d@first was destroyed or made again meanwhile: ask again'

  it.each([
    ['is gone', both, () => {}],
    ['is another of its name', `${both}tank/d@first\n`, () => zfs('snapshot', 'tank/d@first')],
  ])('destroys nothing when its target %s', (_what, newer, change) => {
    const target = guid()
    zfs('destroy', 'tank/d@first')
    change()
    const before = there()
    expect(before).toContain('tank/d@daily-10\ntank/d@daily-1\n')
    expect(rollback(newer, target).error).toEqual({ code: 'CONFLICT', message: GONE })
    expect(readdirSync(task)).not.toContain('in-part')
    expect(there()).toBe(before)
    expect(fakes.calls().filter(({ args }) => args[0] === 'rollback')).toEqual([])
  })

  it('does not go back to another of the name that was made after the others went', () => {
    const target = guid()
    // The first look is that before the destruction, the second that before the rollback.
    fakes.faults({ program: 'zfs', match: '^get .*guid tank/d@first', nth: 2, stdout: '1\n', status: 0 })
    expect(rollback(both, target).error).toEqual({
      code: 'CONFLICT',
      message: `Nothing was rolled back, but what is newer than tank/d@first may be gone: ${GONE}`,
    })
    expect(readdirSync(task)).toContain('in-part')
    expect(fakes.calls().filter(({ args }) => args[0] === 'rollback')).toEqual([])
  })

  it('destroys nothing when zfs does not say which snapshot its target is', () => {
    const before = there()
    const target = guid()
    fakes.faults({ program: 'zfs', match: '^get .*guid tank/d@first', stderr: 'internal error: out of memory' })
    expect(rollback(both, target).error).toEqual({ code: 'E1000', message: 'internal error: out of memory' })
    expect(there()).toBe(before)
    fakes.faults()
    expect(rollback(both, '').error).toEqual({ code: 'CONFLICT', message: GONE })
    expect(there()).toBe(before)
  })
})
