// dataset-permissions.sh under both shells: a whole run, one that is killed in the middle and says how far it came, one
// that is cancelled, and what it refuses.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { installFakes } from '../fakes/install.ts'
import { Appliance, ended, removeTemporary, shells, until } from './harness.ts'
import { inTurn } from './pairwise.ts'

afterAll(removeTemporary)

const LIST = { user: 7, group: 7, other: 0, named: [] }
const PLAN = { rights: { special: 2, access: LIST, default: LIST, lists: true } }
const FILES = 450

describe.each(shells())('a recursive change of permissions under $name', (shell) => {
  const it = inTurn(shell.name)
  function prepare() {
    const box = new Appliance(shell)
    const fakes = installFakes(box.folder)
    const top = join(box.folder, 'mnt')
    mkdirSync(top)
    for (let i = 0; i < FILES; i++) writeFileSync(join(top, `f\n${i}`), '', { mode: 0o600 })
    fakes.change((model) => {
      model.disks['/dev/fake1'] = { size: 512 * 1024 ** 2 }
    })
    const program = (name: string, ...args: string[]) => execFileSync(join(fakes.programs, name), args)
    program('zpool', 'create', '-O', `mountpoint=${top}`, 'tank', '/dev/fake1')
    const env = { EDGE_PATH: `${fakes.programs}${shell.path ? `:${shell.path}` : ''}` }
    const create = (plan: unknown = PLAN, name = 'tank') =>
      box.create('dataset-permissions', [name], { permissions: Buffer.from(JSON.stringify(plan)) })
    const done = () => {
      let count = 0
      for (let i = 0; i < FILES; i++) if ((lstatSync(join(top, `f\n${i}`)).mode & 0o777) === 0o660) count += 1
      return count
    }
    return { box, top, env, create, done, program }
  }

  it('changes everything, and says how much that was', async () => {
    const { box, top, env, create, done } = prepare()
    const id = create()
    expect(await box.act(id, 'run', env)).toBe(0)
    expect(box.status(id)).toMatchObject({ status: 'completed', message: `${FILES + 1} files and folders done` })
    expect(done()).toBe(FILES)
    expect((lstatSync(top).mode & 0o7777).toString(8)).toBe('2770')
    // And the same again.
    const again = create()
    await box.act(again, 'run', env)
    expect(box.status(again)).toMatchObject({ status: 'completed', message: `${FILES + 1} files and folders done` })
  })

  it('that is killed in the middle says how far it came, and can be asked for again', async () => {
    const { box, env, create, done } = prepare()
    const id = create()
    expect(await box.act(id, 'run', { ...env, EDGE_FAULT: 'permissions-part=kill' })).toBe('SIGKILL')
    expect(await box.act(id, 'recover', env)).toBe(0)
    const { status, message, error } = box.status(id)
    expect([status, error?.message]).toEqual(['interrupted', message])
    expect(message).toMatch(
      /^Interrupted after (\d+) files and folders, the last of them f\\x0a\d+\. They keep what was set; ask again for the rest$/,
    )
    const count = Number(/after (\d+)/.exec(message)?.[1])
    // The folder itself is one of them.
    expect([count, done()]).toEqual([200, 199])
    expect(existsSync(box.task(id, 'in-part'))).toBe(true)
    const again = create()
    expect(await box.act(again, 'run', env)).toBe(0)
    expect(done()).toBe(FILES)
  })

  it('that is cancelled says how far it came, and leaves no process behind', async () => {
    const { box, env, create, done } = prepare()
    const id = create()
    const run = box.start(id, 'run', { ...env, EDGE_FAULT: 'permissions-part=hang' })
    const end = ended(run)
    await until('it has begun', () => existsSync(box.task(id, 'reached')))
    expect(await box.act(id, 'cancel', env)).toBe(0)
    await end
    expect(box.status(id)).toMatchObject({
      status: 'cancelled',
      message: expect.stringMatching(/^Cancelled after 200 files and folders, the last of them /),
    })
    expect(done()).toBe(199)
  })

  it('is refused for what is not mounted, is not there, or is no dataset', async () => {
    const { box, env, create, done, program } = prepare()
    program('zfs', 'unmount', 'tank')
    for (const [name, code, message] of [
      ['tank', 'CONFLICT', 'The dataset is not mounted'],
      ['tank/absent', 'NOT_FOUND', "cannot open 'tank/absent': dataset does not exist"],
      ['-r', 'INVALID', 'Not a dataset name'],
      ['tank;reboot', 'INVALID', 'Not a dataset name'],
    ] as const) {
      const id = create(PLAN, name)
      await box.act(id, 'run', env)
      expect([name, box.status(id).error]).toEqual([name, { code, message }])
      expect(existsSync(box.task(id, 'in-part'))).toBe(false)
    }
    expect(done()).toBe(0)
  })

  it('changes nothing for an input that it cannot read', async () => {
    const { box, env, create, done } = prepare()
    const id = create({ uid: -1 })
    await box.act(id, 'run', env)
    expect(box.status(id)).toMatchObject({ status: 'failed', error: { code: 'E1000' } })
    expect(readFileSync(box.task(id, 'log'), 'utf8')).toContain('edge-admin permit: ')
    expect(done()).toBe(0)
  })
})
