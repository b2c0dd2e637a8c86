// The scripts of pools in both shells: to their end, and after a death. The fakes are Node programs, which a busybox
// before them on the path must not hide.
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { checkpoints } from './harness.ts'
import { inTurn } from './pairwise.ts'
import { Sandbox, SHELLS } from './sandbox.ts'

const LOCK = 'pool-tank'
const CREATE = {
  options: '-o\ncomment=a pool of two\n-O\ncompression=lz4\n',
  vdevs: 'mirror\n/dev/fake1\n/dev/fake2\n',
  name: 'tank\n',
}

it('have these checkpoints, which test/api/storage-pools-faults.test.ts goes through', () => {
  expect(checkpoints('scripts/pool.sh', 'scripts/pool-scrub.sh').sort()).toEqual(
    ['pool-started', 'pool-begun', 'pool-looking', 'pool-done', 'scrub-started', 'scrub-begun', 'scrub-running'].sort(),
  )
})

describe.each(SHELLS)('a pool’s script in %s', (shell) => {
  const it = inTurn(shell)
  let sandbox: Sandbox
  let fakes: Fakes
  beforeEach(() => {
    sandbox = new Sandbox(shell)
    fakes = installFakes(join(sandbox.folder, 'storage'))
    fakes.change((model) => {
      for (const n of [1, 2]) model.disks[`/dev/fake${n}`] = { size: 2 ** 30 }
    })
  })
  afterEach(() => sandbox.remove())
  const env = () => ({ EDGE_PATH: `${fakes.programs}:${sandbox.fake}` })
  const create = (fault?: string) =>
    sandbox.run('pool-create', { inputs: CREATE, args: [LOCK], env: env(), ...(fault && { fault }) })
  const pool = () => fakes.model().pools['tank'] as Record<string, unknown> | undefined
  const planned = () => `${fakes.model().datasets['tank']?.['guid']}\ttank\n`

  it('makes a pool, scrubs it, exports it, imports it and destroys it', () => {
    expect(create().status).toMatchObject({ status: 'completed', progress: 100 })
    expect(pool()?.['properties']).toEqual({ comment: 'a pool of two' })
    expect(fakes.model().datasets['tank']?.['properties']).toEqual({ compression: 'lz4' })
    const inputs = { name: 'tank\n', guid: `${pool()?.['guid']}\n`, planned: planned() }
    for (const [kind, words] of [
      ['pool-scrub', 'scrub repaired 0B'],
      ['pool-export', 'pool: export'],
      ['pool-import', 'pool: import'],
      ['pool-destroy', 'pool: destroy'],
    ] as const) {
      const { status, log } = sandbox.run(kind, { inputs, args: [LOCK], env: env() })
      expect([kind, status, log]).toEqual([kind, expect.objectContaining({ status: 'completed' }), expect.any(String)])
      expect(status.message).toContain(words)
    }
    expect(fakes.model().pools).toEqual({})
  })

  it('follows its scrub alone: how a rebuild beside it goes says nothing of the scrub', () => {
    create()
    const start = 1_700_000_000
    fakes.change((model) => {
      const found = model.pools['tank'] as Record<string, unknown>
      found['scan'] = { kind: 'scrub', state: 'finished', start, end: start + 5, percent: 100, repaired: 0 }
      found['rebuilds'] = [{ vdev: 'mirror-0', state: 'active', start, percent: 43, total: 1 << 30, rebuilt: 1 << 20 }]
    })
    const inputs = { name: 'tank\n', guid: `${pool()?.['guid']}\n` }
    // Killed before its scrub began; by now the rebuild is further.
    const { task } = sandbox.run('pool-scrub', { inputs, args: [LOCK], env: env(), fault: 'scrub-begun=kill' })
    fakes.change((model) => {
      const found = model.pools['tank'] as Record<string, { percent: number }[]>
      found['rebuilds']![0]!.percent = 44
    })
    expect(sandbox.recover('pool-scrub', task, [LOCK], env()).status.status).not.toBe('completed')
  })

  it('ends with zpool’s own words when it refuses, and without its advice to use force', () => {
    create()
    const { code, status } = create()
    expect([code, status]).toEqual([
      1,
      expect.objectContaining({
        status: 'failed',
        error: { code: 'CONFLICT', message: '/dev/fake1 is in use and contains a unknown filesystem.' },
      }),
    ])
    const mixed = sandbox.run('pool-create', { inputs: { ...CREATE, vdevs: '/dev/none\n' }, args: [LOCK], env: env() })
    expect(mixed.status.error).toEqual({ code: 'INVALID', message: "cannot resolve path '/dev/none'" })
    fakes.faults({ program: 'zpool', status: 127 })
    expect(create().status.error).toEqual({ code: 'UNAVAILABLE', message: 'zpool is not installed' })
  })

  it('gives what is no option to zpool behind a mark that ends the options', () => {
    sandbox.run('pool-create', { inputs: { ...CREATE, vdevs: '-f\n/dev/fake1\n' }, args: [LOCK], env: env() })
    const [argv] = fakes.calls().filter(({ args }) => args[0] === 'create')
    expect(argv?.args.slice(argv.args.indexOf('--'))).toEqual(['--', 'tank', '-f', '/dev/fake1'])
  })

  it('tries again while udev is not done with the disks, and not for ever', () => {
    const words = "cannot create 'tank': one or more devices is currently unavailable"
    fakes.faults(
      { program: 'zpool', match: '^create', nth: 1, stderr: words },
      { program: 'zpool', match: '^create', nth: 2, stderr: "cannot create 'tank': no such pool or dataset" },
    )
    expect(create().status.status).toBe('completed')
    fakes.faults({ program: 'zpool', match: '^create', stderr: words })
    const before = fakes.calls().length
    expect(create().status.error).toEqual({ code: 'CONFLICT', message: words })
    expect(
      fakes
        .calls()
        .slice(before)
        .filter(({ args }) => args[0] === 'create'),
    ).toHaveLength(6)
  })

  it.each([
    "cannot create 'tank': one or more vdevs refer to the same device, or one of",
    "the kernel failed to rescan the partition table: 16\ncannot label 'fake1': try using parted(8)",
    "cannot open '/dev/disk/by-id/fake1-part1': No such file or directory",
    "cannot open '/dev/fake1': Device or resource busy",
    'missing link: fake1 was partitioned but /dev/disk/by-id/fake1-part1 is missing',
  ])('tries again when zpool says: %s', (stderr) => {
    fakes.faults({ program: 'zpool', match: '^create', nth: 1, stderr })
    expect(create().status.status).toBe('completed')
  })

  const on = (kind: string, fault?: string) =>
    sandbox.run(kind, {
      inputs: { name: 'tank\n', guid: `${pool()?.['guid']}\n`, planned: planned() },
      args: [LOCK],
      env: env(),
      ...(fault && { fault }),
    })

  it.each(['pool-export', 'pool-destroy'])('tries %s again while udev looks at a volume that is new', (kind) => {
    create()
    fakes.faults({ program: 'zpool', match: '^(export|destroy)', nth: 1, stderr: "cannot export 'tank': pool is busy" })
    expect(on(kind).status.status).toBe('completed')
    expect(fakes.model().pools).toEqual({})
  })

  it('imports a pool that is busy while it is looked at, and leaves none half imported', () => {
    create()
    const guid = `${pool()?.['guid']}\n`
    expect(on('pool-export').status.status).toBe('completed')
    const busy = { program: 'zpool', match: '^export', nth: 1, stderr: "cannot export 'tank': pool is busy" }
    const importing = { inputs: { name: 'tank\n', guid }, args: [LOCK], env: env() }
    fakes.faults(busy)
    const { task } = sandbox.run('pool-import', { ...importing, fault: 'pool-looking=kill' })
    expect(pool()).toBeDefined()
    expect(sandbox.recover('pool-import', task, [LOCK], env()).status.status).toBe('interrupted')
    expect(pool()).toBeUndefined()
    fakes.faults(busy)
    expect(sandbox.run('pool-import', importing).status.status).toBe('completed')
    expect(pool()).toBeDefined()
  })

  it('leaves a pool alone that somebody else has imported while it was looked at', () => {
    create()
    const guid = `${pool()?.['guid']}\n`
    on('pool-export')
    // It is asked to wait before each try, and the first one fails.
    const seen = join(sandbox.folder, 'seen')
    sandbox.program(
      join(fakes.programs, 'udevadm'),
      `[ ! -e '${seen}' ] || '${fakes.programs}/zpool' import tank\n: >'${seen}'`,
    )
    fakes.faults({ program: 'zpool', match: '^import -N', stderr: "cannot import 'tank': no such pool available" })
    const { status } = sandbox.run('pool-import', { inputs: { name: 'tank\n', guid }, args: [LOCK], env: env() })
    expect([status.status, pool()?.['guid']]).toEqual(['failed', guid.trim()])
  })

  it('destroys nothing that was made between two tries', () => {
    create()
    fakes.faults({ program: 'zpool', match: '^destroy', stderr: "cannot destroy 'tank': pool is busy" })
    // It is asked to wait before each of them.
    const seen = join(sandbox.folder, 'seen')
    sandbox.program(
      join(fakes.programs, 'udevadm'),
      `[ ! -e '${seen}' ] || '${fakes.programs}/zfs' create tank/new-$$\n: >'${seen}'`,
    )
    expect(on('pool-destroy').status.error).toEqual({
      code: 'CONFLICT',
      message: expect.stringContaining('tank/new-'),
    })
    expect(fakes.calls().filter(({ args }) => args[0] === 'destroy')).toHaveLength(1)
  })

  it.for(['../x', '-f', 'a,b', ''])('refuses an invalid pool name: %j', (name) => {
    const { status } = sandbox.run('pool-destroy', {
      inputs: { name: `${name}\n`, guid: '1\n' },
      args: [LOCK],
      env: env(),
    })
    expect(status.error?.code).toBe('INVALID')
    expect(fakes.calls()).toEqual([])
  })

  it('takes no lock that is none', () => {
    for (const lock of ['', 'update', 'pool-', 'pool-a/../b']) {
      const { code, status } = sandbox.run('pool-create', { inputs: CREATE, args: [lock], env: env() })
      expect([lock, code === 0, status.status]).toEqual([lock, false, 'pending'])
    }
  })

  it('that died is ended by recover once, as the pool is', () => {
    const { task } = create('pool-begun=kill')
    expect(sandbox.recover('pool-create', task, [LOCK], env()).status.status).toBe('interrupted')
    const whole = create('pool-done=kill')
    for (let i = 0; i < 2; i++)
      expect(sandbox.recover('pool-create', whole.task, [LOCK], env()).status.status).toBe('completed')
    expect(fakes.model().datasets['tank']?.['properties']).toEqual({ compression: 'lz4' })
  })

  it('finds the pool that a power cut left on its devices, unknown to the system', () => {
    const { task } = create('pool-done=kill')
    // After the boot: another boot id, and nobody has imported it.
    sandbox.write(`${task.slice(sandbox.folder.length + 1)}/pid`, '1 1 another-boot\n')
    fakes.change((model) => {
      const { tank } = model.pools
      const { tank: root, ...datasets } = model.datasets
      model.exported['1'] = { ...tank, datasets: { tank: root } }
      model.datasets = datasets
      model.pools = {}
    })
    expect(sandbox.recover('pool-create', task, [LOCK], env()).status.status).toBe('completed')
    expect(pool()).toMatchObject({ name: 'tank' })
  })

  it('gives back a pool of that name which is another one', () => {
    create()
    fakes.change((model) => {
      model.exported['1'] = { ...model.pools['tank'], datasets: { tank: model.datasets['tank'] } }
      model.pools = {}
      model.datasets = {}
    })
    const { task } = create('pool-begun=kill')
    sandbox.write(`${task.slice(sandbox.folder.length + 1)}/pid`, '1 1 another-boot\n')
    expect(sandbox.recover('pool-create', task, [LOCK], env()).status.status).toBe('interrupted')
    expect([fakes.model().pools, Object.keys(fakes.model().exported)]).toEqual([{}, [expect.any(String)]])
  })
})
