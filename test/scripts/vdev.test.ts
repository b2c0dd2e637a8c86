// The scripts that change a pool's devices, in both shells: to their end, after a death, cancelled. What ZFS goes on
// doing is followed by what it says.
import { execFileSync } from 'node:child_process'
import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { checkpoints } from './harness.ts'
import { Sandbox, SHELLS } from './sandbox.ts'

const LOCK = 'vdev-0123456789abcdef'

it('have these checkpoints, which the tests below go through', () => {
  expect(checkpoints('scripts/vdev.sh', 'scripts/vdev-work.sh').sort()).toEqual(
    [
      ...['vdev-started', 'vdev-begun', 'vdev-set', 'vdev-changed', 'vdev-done'],
      ...['vdev-kept', 'vdev-put-back'],
    ].sort(),
  )
})

interface Vdev {
  name: string
  guid: string
  state?: string
  children?: Vdev[]
}

describe.each(SHELLS)('a change of a pool’s devices in %s', (shell) => {
  // Each takes seconds: the second shell gets those that use most of the language.
  const one = shell === SHELLS[0] ? it : undefined
  let sandbox: Sandbox
  let fakes: Fakes
  beforeEach(() => {
    sandbox = new Sandbox(shell)
    fakes = installFakes(join(sandbox.folder, 'storage'))
    fakes.change((model) => {
      for (let n = 1; n <= 9; n++) model.disks[`/dev/fake${n}`] = { size: n === 9 ? 2 ** 29 : 2 ** 30 }
      model.scrubStep = 30
    })
    const create = (options: string, vdevs: string) =>
      sandbox.run('pool-create', { inputs: { name: 'tank\n', options, vdevs }, args: ['pool-tank'], env: env() })
    create('-o\ncomment=x\n', 'mirror\n/dev/fake1\n/dev/fake2\n')
  })
  afterEach(() => sandbox.remove())
  const env = () => ({ EDGE_PATH: `${fakes.programs}:${sandbox.fake}` })
  const pool = () => fakes.model().pools['tank'] as { guid: string; vdevs: Vdev[]; scan?: { percent: number } }
  const all = (vdevs: Vdev[]): Vdev[] => vdevs.flatMap((vdev) => [vdev, ...all(vdev.children ?? [])])
  const guidOf = (name: string) => all(pool().vdevs).find((vdev) => vdev.name === name)?.guid ?? '0'
  const shape = (vdevs: Vdev[] = pool().vdevs): unknown =>
    vdevs.map(({ name, children }) => (children ? [name, shape(children)] : name))
  const inputs = (device: string | undefined, operands: string[], more: Record<string, string> = {}) => ({
    name: 'tank\n',
    guid: `${pool().guid}\n`,
    options: '',
    operands: operands.map((word) => `${word}\n`).join(''),
    ...(device !== undefined && { device: `${guidOf(device)}\n`, label: `${device}\n` }),
    ...more,
  })
  const run = (kind: string, given: Record<string, string>, fault?: string) =>
    sandbox.run(kind, { inputs: given, args: [LOCK, 'tank'], env: env(), ...(fault && { fault }) })
  const again = (kind: string, task: string) => sandbox.recover(kind, task, [LOCK, 'tank'], env())
  const replace = (fault?: string) => run('pool-replace', inputs('fake1', [guidOf('fake1'), '/dev/fake3']), fault)
  const hold = (percent = 0) =>
    fakes.change((model) => {
      model.scrubStep = percent
    })

  it('replaces a disk, follows the resilver, and ends when the old disk is gone', () => {
    const { status, log } = replace()
    expect([status, log]).toEqual([
      expect.objectContaining({
        status: 'completed',
        progress: 100,
        message: expect.stringMatching(/^resilvered 1M in/),
      }),
      expect.stringMatching(/60% resilvering: .*60\.00% done/),
    ])
    expect(shape()).toEqual([['mirror-0', ['fake3', 'fake2']]])
  })

  one?.('resilvers by groups if that is asked for', () => {
    const { status } = run('pool-replace', { ...inputs('fake1', [guidOf('fake1'), '/dev/fake3']), options: '-s\n' })
    expect(status).toMatchObject({ status: 'completed', message: expect.stringContaining('resilvered (mirror-0)') })
    expect(shape()).toEqual([['mirror-0', ['fake3', 'fake2']]])
  })

  one?.each(['vdev-started', 'vdev-begun'])('that dies at %s has changed nothing, and is interrupted', (step) => {
    const { task } = replace(`${step}=kill`)
    expect(again('pool-replace', task).status.status).toBe('interrupted')
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2']]])
    expect(replace().status.status).toBe('completed')
  })

  it.each(['vdev-changed', 'vdev-done'])('that dies at %s is followed to its end', (step) => {
    const { task } = replace(`${step}=kill`)
    const { status } = again('pool-replace', task)
    expect(status).toMatchObject({ status: 'completed', progress: 100 })
    expect(shape()).toEqual([['mirror-0', ['fake3', 'fake2']]])
  })

  one?.('whose resilver ended while nobody followed is completed', () => {
    hold()
    const { task } = replace('vdev-changed=kill')
    hold(100)
    expect(again('pool-replace', task).status.status).toBe('completed')
  })

  one?.('whose pool is not imported after a power cut is interrupted', () => {
    hold()
    const { task } = replace('vdev-changed=kill')
    fakes.change((model) => {
      model.exported['1'] = { ...model.pools['tank'], datasets: {} }
      model.pools = {}
    })
    expect(again('pool-replace', task).status.status).toBe('interrupted')
  })

  one?.('says what zpool says, with the name of the disk, and never forces a disk', () => {
    const small = run('pool-replace', inputs('fake1', [guidOf('fake1'), '/dev/fake9'])).status
    expect(small.error).toEqual({
      code: 'INVALID',
      message: 'cannot replace fake1 with /dev/fake9: device is too small',
    })
    fakes.change((model) => {
      model.disks['/dev/fake3']!.fstype = 'ext4'
    })
    const used = run(
      'pool-replace',
      inputs('fake1', [guidOf('fake1'), '/dev/fake3'], { allow: 'layout-mismatch\n' }),
    ).status
    expect(used.error).toEqual({ code: 'CONFLICT', message: "/dev/fake3 contains a filesystem of type 'ext4'" })
    run('pool-offline', inputs('fake1', [guidOf('fake1')]))
    expect(run('pool-offline', inputs('fake2', [guidOf('fake2')])).status.error).toEqual({
      code: 'CONFLICT',
      message: 'cannot offline fake2: no valid replicas',
    })
    expect(fakes.calls().some(({ args }) => args.includes('-f'))).toBe(false)
    expect(run('pool-online', inputs('fake1', [guidOf('fake1')])).status.status).toBe('completed')
  })

  one?.('forces a mismatch of the layout if the request agrees to it, and only for that', () => {
    const words = ['/dev/fake4']
    const message = 'mismatched replication level: pool uses mirror and new vdev is disk'
    expect(run('pool-add', inputs(undefined, words)).status.error).toEqual({ code: 'INVALID', message })
    expect(run('pool-add', inputs(undefined, words, { allow: 'layout-mismatch\n' })).status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2']], 'fake4'])
    fakes.change((model) => {
      model.disks['/dev/fake5']!.fstype = 'ext4'
    })
    const before = fakes.calls().length
    const used = run('pool-add', inputs(undefined, ['/dev/fake5'], { allow: 'layout-mismatch\n' })).status
    expect(used.error?.code).toBe('CONFLICT')
    expect(
      fakes
        .calls()
        .slice(before)
        .some(({ args }) => args.includes('-f')),
    ).toBe(false)
  })

  one?.('evacuates a vdev, and stops that when it is cancelled', () => {
    run('pool-add', inputs(undefined, ['mirror', '/dev/fake4', '/dev/fake5']))
    const given = () => inputs('mirror-1', [guidOf('mirror-1')], { data: 'yes\n' })
    hold()
    const { task } = run('pool-remove', given(), 'vdev-changed=kill')
    const ended = sandbox.cancel('pool-remove', task, [LOCK, 'tank'], env())
    expect(ended.status.status).toBe('cancelled')
    expect((fakes.model().pools['tank'] as { removal: object }).removal).toMatchObject({ state: 'cancelled' })
    hold(30)
    const { status, log } = run('pool-remove', given())
    expect([status.status, log]).toEqual(['completed', expect.stringMatching(/60% evacuating: .*copied out of/)])
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2']]])
  })

  it('takes the new disk out again when a replacement is cancelled', () => {
    hold()
    const { task } = replace('vdev-changed=kill')
    expect(sandbox.cancel('pool-replace', task, [LOCK, 'tank'], env()).status.status).toBe('cancelled')
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2']]])
  })

  it('takes its own disk out again, not that of another replacement', () => {
    hold()
    const { task } = run('pool-replace', inputs('fake2', [guidOf('fake2'), '/dev/fake3']), 'vdev-changed=kill')
    run('pool-replace', inputs('fake1', [guidOf('fake1'), '/dev/fake4']), 'vdev-changed=kill')
    expect(sandbox.cancel('pool-replace', task, [LOCK, 'tank'], env()).status.status).toBe('cancelled')
    expect(shape()).toEqual([['mirror-0', [['replacing-0', ['fake1', 'fake4']], 'fake2']]])
  })

  one?.('takes no disk for its own that it did not ask for', () => {
    // Killed before zpool was called; somebody else adds and attaches disks meanwhile.
    const added = run('pool-add', inputs(undefined, ['mirror', '/dev/fake4', '/dev/fake5']), 'vdev-begun=kill')
    const attached = run('pool-attach', inputs('fake1', [guidOf('fake1'), '/dev/fake3']), 'vdev-begun=kill')
    expect(run('pool-add', inputs(undefined, ['mirror', '/dev/fake6', '/dev/fake7'])).status.status).toBe('completed')
    expect(run('pool-attach', inputs('fake2', [guidOf('fake2'), '/dev/fake8'])).status.status).toBe('completed')
    expect(again('pool-add', added.task).status.status).toBe('interrupted')
    expect(again('pool-attach', attached.task).status.status).toBe('interrupted')
  })

  one?.('tells two disks apart that are attached to one mirror', () => {
    hold()
    const { task } = run('pool-attach', inputs('fake1', [guidOf('fake1'), '/dev/fake3']), 'vdev-changed=kill')
    run('pool-attach', inputs('fake2', [guidOf('fake2'), '/dev/fake4']), 'vdev-changed=kill')
    // In the other order as well.
    fakes.change((model) => {
      const [mirror] = model.pools['tank']!['vdevs'] as Vdev[]
      mirror!.children!.reverse()
    })
    expect(sandbox.cancel('pool-attach', task, [LOCK, 'tank'], env()).status.status).toBe('cancelled')
    expect(shape()).toEqual([['mirror-0', ['fake4', 'fake2', 'fake1']]])
  })

  one?.('does not call an attached disk a copy whose resilver was never seen', () => {
    hold()
    const { task } = run('pool-attach', inputs('fake2', [guidOf('fake2'), '/dev/fake3']), 'vdev-changed=kill')
    fakes.change((model) => {
      delete (model.pools['tank'] as { scan?: object }).scan
    })
    expect(again('pool-attach', task).status.error).toEqual({
      code: 'CONFLICT',
      message: 'The new disk is in the pool, and no resilver was seen: look at the pool, and scrub it',
    })
  })

  describe('of several properties', () => {
    const OLD = 'off x wait'
    const NEW = 'on new panic'
    const set = (fault?: string) =>
      run('pool-set', { ...inputs(undefined, []), options: 'autotrim=on\ncomment=new\nfailmode=panic\n' }, fault)
    /** As the server does once the pool is there. */
    const settle = (fault?: string, name = 'tank') =>
      run('pool-set', { name: `${name}\n`, guid: `${guidIn(name)}\n`, options: '', operands: '' }, fault)
    const guidIn = (name: string) => fakes.model().pools[name]!['guid']
    const zpool = (...args: string[]) => execFileSync(join(fakes.programs, 'zpool'), args, { encoding: 'utf8' })
    const now = (name = 'tank') =>
      zpool('get', '-H', '-o', 'value', 'autotrim,comment,failmode', name).trim().split('\n').join(' ')
    const notes = () => readdirSync(sandbox.state).filter((name) => name.startsWith('pool-set-'))

    it('sets all, or none where zpool refuses one', () => {
      expect(now()).toBe(OLD)
      fakes.faults({ program: 'zpool', match: '^set failmode', stderr: "cannot set property for 'tank': no" })
      expect([set().status.status, now(), notes()]).toEqual(['failed', OLD, []])
      fakes.faults()
      expect([set().status.status, now(), notes()]).toEqual(['completed', NEW, []])
    })

    const steps = ['vdev-started', 'vdev-begun', 'vdev-set', 'vdev-changed', 'vdev-done', 'vdev-kept']
    const rows = steps.flatMap((step) => ['kill', 'error'].map((fault) => [step, fault] as const))
    one?.each(rows)('sets all or none when it ends at %s by %s', (step, fault) => {
      const { task, status } = set(`${step}=${fault}`)
      const end = fault === 'kill' ? again('pool-set', task).status.status : status.status
      const undone = fault === 'kill' ? 'interrupted' : 'failed'
      expect([end, now(), notes()]).toEqual(step === 'vdev-kept' ? ['completed', NEW, []] : [undone, OLD, []])
      expect([set().status.status, now()]).toEqual(['completed', NEW])
    })

    one?.each(steps)('sets all or none, once the pool is back that was away after a death at %s', (step) => {
      const { task } = set(`${step}=kill`)
      zpool('export', 'tank')
      const end = again('pool-set', task).status.status
      // Another pool has taken the name.
      zpool('create', 'tank', '/dev/fake8')
      zpool('set', 'comment=other', 'tank')
      expect([settle().status.status, now()]).toEqual(['completed', 'off other wait'])
      zpool('import', 'tank', 'old')
      expect(settle(undefined, 'old').status.status).toBe('completed')
      expect([end, now('old'), now(), notes()]).toEqual([
        step === 'vdev-kept' ? 'completed' : 'interrupted',
        step === 'vdev-kept' ? NEW : OLD,
        'off other wait',
        [],
      ])
    })

    one?.('puts none back in another pool that has taken the name, where its own is there under another', () => {
      const { task } = set('vdev-set=kill')
      zpool('export', 'tank')
      zpool('import', 'tank', 'old')
      zpool('create', 'tank', '/dev/fake8')
      zpool('set', 'comment=other', 'tank')
      expect([again('pool-set', task).status.status, now('old'), now()]).toEqual(['interrupted', OLD, 'off other wait'])
    })

    it('puts them back also where that dies', () => {
      const { task } = set('vdev-changed=kill')
      zpool('export', 'tank')
      again('pool-set', task)
      zpool('import', 'tank')
      const cut = settle('vdev-put-back=kill').task
      expect([now(), notes().length]).toEqual([OLD, 1])
      expect([again('pool-set', cut).status.status, now(), notes()]).toEqual(['interrupted', OLD, []])
      const half = set('vdev-set=kill').task
      expect(
        sandbox.recover('pool-set', half, [LOCK, 'tank'], { ...env(), EDGE_FAULT: 'vdev-put-back=kill' }).signal,
      ).toBe('SIGKILL')
      expect([again('pool-set', half).status.status, now(), notes()]).toEqual(['interrupted', OLD, []])
    })
  })

  one?.('fails where the new disk failed, although its resilver ended without errors', () => {
    hold()
    const { task } = run('pool-attach', inputs('fake2', [guidOf('fake2'), '/dev/fake3']), 'vdev-changed=kill')
    fakes.change((model) => {
      const disk = all(model.pools['tank']!['vdevs'] as Vdev[]).find(({ name }) => name === 'fake3')
      disk!.state = 'FAULTED'
    })
    hold(100)
    expect(again('pool-attach', task).status.error).toEqual({
      code: 'CONFLICT',
      message: 'The new disk is FAULTED: replace it',
    })
  })

  it('attaches, expands a RAID-Z, detaches', () => {
    const { status } = run('pool-attach', inputs('fake2', [guidOf('fake2'), '/dev/fake3']))
    expect(status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2', 'fake3']]])
    expect(run('pool-detach', inputs('fake1', [guidOf('fake1')])).status.status).toBe('completed')
    run('pool-add', inputs(undefined, ['raidz', '/dev/fake4', '/dev/fake5'], { allow: 'layout-mismatch\n' }))
    const wider = run('pool-attach', inputs('raidz1-1', ['raidz1-1', '/dev/fake6'], { expand: 'yes\n' }))
    expect([wider.status, wider.log]).toEqual([
      expect.objectContaining({ status: 'completed', message: expect.stringContaining('expanded raidz1-1 copied') }),
      expect.stringMatching(/expanding: .*60\.00% done/),
    ])
    expect(shape()).toEqual([
      ['mirror-0', ['fake2', 'fake3']],
      ['raidz1-1', ['fake4', 'fake5', 'fake6']],
    ])
  })

  one?.('puts a spare to use and gives it back', () => {
    run('pool-add', inputs(undefined, ['spare', '/dev/fake4']))
    const spare = guidOf('fake4')
    const { status } = run('pool-replace', inputs('fake1', [guidOf('fake1'), '/dev/fake4'], { fresh: `${spare}\n` }))
    expect(status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', [['spare-0', ['fake1', 'fake4']], 'fake2']], 'fake4'])
    const back = run('pool-detach', { ...inputs('fake4', [spare]), device: `${spare}\n` })
    expect(back.status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', ['fake1', 'fake2']], 'fake4'])
  })

  it('trims, with the progress of all disks together', () => {
    const { status, log } = run('pool-trim', inputs(undefined, []))
    expect([status, log]).toEqual([
      expect.objectContaining({ status: 'completed', message: 'trimmed' }),
      expect.stringContaining('60% trimming'),
    ])
  })

  one?.('sets properties and enables features', () => {
    expect(run('pool-set', { ...inputs(undefined, []), options: 'autotrim=on\ncomment=a b\n' }).status.status).toBe(
      'completed',
    )
    expect((fakes.model().pools['tank'] as { properties: object }).properties).toEqual({
      autotrim: 'on',
      comment: 'a b',
    })
    fakes.change((model) => {
      model.pools['tank']!['disabled'] = ['raidz_expansion']
    })
    expect(run('pool-upgrade', inputs(undefined, [])).status.status).toBe('completed')
    expect(fakes.model().pools['tank']).not.toHaveProperty('disabled')
  })

  it('works on files with blanks in their names', () => {
    const path = (name: string) => join(sandbox.folder, 'my files', `${name}  of tank ONLINE.img`)
    for (const name of ['a', 'b', 'c', 'd']) {
      sandbox.write(path(name).slice(sandbox.folder.length + 1), '')
      truncateSync(path(name), 2 ** 30)
    }
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(path) as [string, string, string, string]
    execFileSync(join(fakes.programs, 'zpool'), ['destroy', 'tank'])
    const created = sandbox.run('pool-create', {
      inputs: { name: 'tank\n', options: '-o\ncomment=x\n', vdevs: `mirror\n${a}\n${b}\n` },
      args: ['pool-tank'],
      env: env(),
    })
    expect(created.status.status).toBe('completed')
    // Each is found again by its name, beside another newcomer.
    hold()
    const attached = run('pool-attach', inputs(a, [guidOf(a), c]), 'vdev-changed=kill').task
    expect(run('pool-attach', inputs(b, [guidOf(b), d]), 'vdev-changed=kill').status.status).toBe('running')
    hold(30)
    expect(again('pool-attach', attached).status.status).toBe('completed')
    expect(run('pool-detach', inputs(b, [guidOf(b)])).status.status).toBe('completed')
    const replaced = run('pool-replace', inputs(c, [guidOf(c), b]), 'vdev-changed=kill').task
    expect(again('pool-replace', replaced).status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', [a, b, d]]])
    // The others stay untrimmed.
    expect(run('pool-trim', inputs(undefined, [a])).status).toMatchObject({ status: 'completed', message: 'trimmed' })
    const scrub = sandbox.run('pool-scrub', { inputs: { name: 'tank\n' }, args: ['pool-tank'], env: env() })
    expect(scrub.status.status).toBe('completed')
    const added = run('pool-add', inputs(undefined, [c], { allow: 'layout-mismatch\n' }), 'vdev-changed=kill').task
    expect(again('pool-add', added).status.status).toBe('completed')
    expect(run('pool-remove', inputs(c, [guidOf(c)], { data: 'yes\n' })).status.status).toBe('completed')
    expect(shape()).toEqual([['mirror-0', [a, b, d]]])
  })

  one?.each(['-f', '-o', 'x'])('takes no option that is none of its own: %j', (option) => {
    const before = fakes.calls().length
    const { status } = run('pool-replace', { ...inputs('fake1', ['1', '2']), options: `${option}\n` })
    expect(status.error?.code).toBe('INVALID')
    expect(
      fakes
        .calls()
        .slice(before)
        .map(({ args }) => args[0]),
    ).not.toContain('replace')
  })
})
