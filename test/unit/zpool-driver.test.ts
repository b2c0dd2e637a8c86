// Which form `zpool status` is asked for: JSON where the program has it, text where not. On the fakes, which answer as 2.3 or as 2.1, and say the same
// both ways.
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTool, type Tool } from '../../src/drivers/programs.ts'
import { CommandError } from '../../src/drivers/run.ts'
import { createZpool, HEALTH } from '../../src/drivers/zpool.ts'
import type { Vdev } from '../../src/drivers/zpool-status.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'

let folder: string
let fakes: Fakes
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-zpool-'))
  fakes = installFakes(folder)
  fakes.change((model) => {
    for (const name of ['a', 'b', 'c', 'd']) model.disks[`/dev/${name}`] = { size: 1 << 30 }
    model.scrubStep = 0
  })
  const words = ['create', 'tank', 'mirror', '/dev/a', '/dev/b', 'log', '/dev/c', 'spare', '/dev/d']
  await createTool(fakes.programs)('zpool', words)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const asked = () =>
  fakes
    .calls()
    .filter(({ args }) => args[0] === 'status')
    .map(({ args }) => args.slice(1).join(' '))
const JSON_ = '-jp --json-int tank'
const TEXT = '-p tank'

describe('zpool status', () => {
  it('is asked for as JSON where the program has it', async () => {
    const zpool = createZpool(createTool(fakes.programs))
    expect(await zpool.status('tank')).toMatchObject({ name: 'tank', state: 'ONLINE', scans: [] })
    expect(await zpool.status('tank')).toBeDefined()
    expect(asked()).toEqual([JSON_, JSON_])
    expect(await zpool.status('nopool')).toBeUndefined()
  })

  it('is asked for as text of one that refuses the option, which is found out once', async () => {
    fakes.change((model) => {
      model['zfs'] = '2.1'
    })
    const zpool = createZpool(createTool(fakes.programs))
    for (let i = 0; i < 3; i++) expect(await zpool.status('tank')).toMatchObject({ name: 'tank', state: 'ONLINE' })
    expect(asked()).toEqual([JSON_, TEXT, TEXT, TEXT])
    expect(await zpool.status('nopool')).toBeUndefined()
  })

  it('is asked anew once another program is installed, in either direction', async () => {
    const change = (version: string) =>
      fakes.change((model) => {
        model['zfs'] = version
      })
    change('2.1')
    const zpool = createZpool(createTool(fakes.programs))
    await zpool.status('tank')
    change('2.3')
    utimesSync(join(fakes.programs, 'zpool'), new Date(0), new Date(0))
    await zpool.status('tank')
    // The other way the refusal itself decides.
    change('2.1')
    await zpool.status('tank')
    expect(asked()).toEqual([JSON_, TEXT, JSON_, JSON_, TEXT])
  })

  it('says the same both ways: scrubs, rebuilds and all', async () => {
    const start = Math.floor(Date.now() / 1000) - 100
    const rebuild = { vdev: 'mirror-0', start, total: 1 << 30, rebuilt: 1 << 28, errors: 0 }
    const scrub = { kind: 'scrub', start, errors: 3, repaired: 1 << 20 }
    const cases = [
      { rebuilds: [{ ...rebuild, state: 'active', percent: 43 }] },
      { rebuilds: [{ ...rebuild, state: 'finished', percent: 100, end: start + 50, errors: 2 }] },
      { rebuilds: [{ ...rebuild, state: 'canceled', percent: 43, end: start + 50 }] },
      { scan: { ...scrub, state: 'finished', percent: 100, end: start + 50 } },
      { scan: { ...scrub, state: 'scanning', percent: 40 } },
      { scan: { ...scrub, state: 'scanning', percent: 40, paused: start + 10 } },
      {
        scan: { ...scrub, state: 'finished', percent: 100, end: start + 5 },
        rebuilds: [{ ...rebuild, state: 'active', percent: 43 }],
      },
    ]
    for (const one of cases) {
      const found = []
      for (const version of ['2.3', '2.1']) {
        fakes.change((model) => {
          model['zfs'] = version
          delete model.pools['tank']?.['scan']
          delete model.pools['tank']?.['rebuilds']
          Object.assign(model.pools['tank'] ?? {}, one)
        })
        const { scans, vdevs, ...pool } = (await createZpool(createTool(fakes.programs)).layout('tank'))!
        // Only the JSON says how large a disk has to be, and where it is.
        const bare = ({ needs, port, ...vdev }: Vdev): Vdev => ({ ...vdev, children: vdev.children.map(bare) })
        expect(JSON.stringify(vdevs).match(/"guid":"[0-9]+"/g)?.length).toBeGreaterThan(3)
        found.push({
          name: pool.name,
          state: pool.state,
          problem: pool.problem,
          errors: pool.errors,
          vdevs: vdevs.map(bare),
          scans: scans.map(({ kind, vdev, state, percent, errors, ended }) => [
            ...[kind, vdev, state, errors, ended],
            state === 'cancelled' ? undefined : Math.round(percent),
          ]),
        })
      }
      // Of one that was cancelled the text says no errors.
      const cancelled = JSON.stringify(one).includes('canceled')
      expect(cancelled ? { ...found[0], scans: 1 } : found[0]).toEqual(cancelled ? { ...found[1], scans: 1 } : found[1])
    }
  })

  it('that is cut off or of another shape is asked for again as text, and next time as JSON', async () => {
    const calls: string[] = []
    let answer = '{"pools":{"tank":{"name":"tank"'
    const real = createTool(fakes.programs)
    const tool: Tool = async (name, args, options) => {
      calls.push(args.slice(1).join(' '))
      return args.includes('-jp') ? { stdout: answer, stderr: '', status: 0 } : real(name, args, options)
    }
    const zpool = createZpool(tool)
    expect(await zpool.status('tank')).toMatchObject({ state: 'ONLINE' })
    answer = '{"pools":{"tank":{"name":"tank","state":"ONLINE","vdevs":{"tank":{"name":"tank","vdevs":{}}}}}}'
    expect(await zpool.status('tank')).toMatchObject({ state: 'ONLINE', vdevs: [] })
    expect(calls).toEqual([JSON_, TEXT, JSON_])
  })

  it('that fails for another reason is a failure, not a reason for text', async () => {
    const calls: string[][] = []
    const tool: Tool = async (name, args) => {
      calls.push(args)
      throw new CommandError([name, ...args], 'status', 'internal error: pool I/O is currently suspended', 1)
    }
    await expect(createZpool(tool).status('tank')).rejects.toMatchObject({ reason: 'status' })
    expect(calls).toHaveLength(1)
  })
})

describe('zpool', () => {
  /** It answers this, or refuses with these words. */
  const saying = (stdout: string, refusal?: string) => {
    const calls: { args: string[]; accept: number[] | undefined }[] = []
    const tool: Tool = async (name, args, options) => {
      calls.push({ args, accept: options?.accept })
      if (refusal !== undefined) throw new CommandError([name, ...args], 'status', refusal, 1)
      return { stdout, stderr: '', status: 0 }
    }
    return { zpool: createZpool(tool), calls }
  }
  const row = 'tank\t100\t40\t60\tONLINE\t12345678901234567890\n'

  it('lists pools with their numbers, and those that cannot be opened without', async () => {
    const { zpool, calls } = saying(`${row}gone\t-\t-\t-\tUNAVAIL\t77\n`)
    const guid = '12345678901234567890'
    expect(await zpool.list()).toEqual([
      { name: 'tank', size: 100, allocated: 40, free: 60, health: 'ONLINE', guid },
      { name: 'gone', size: 0, allocated: 0, free: 0, health: 'UNAVAIL', guid: '77' },
    ])
    expect((await zpool.find('tank'))?.guid).toBe(guid)
    const columns = ['list', '-Hp', '-o', 'name,size,allocated,free,health,guid']
    expect(calls.map(({ args }) => args)).toEqual([columns, [...columns, 'tank']])
    for (const health of HEALTH)
      expect((await saying(row.replace('ONLINE', health)).zpool.list())[0]?.health).toBe(health)
    expect(await saying('', "cannot open 'x': no such pool").zpool.find('x')).toBeUndefined()
    await expect(saying('', 'permission denied').zpool.find('x')).rejects.toMatchObject({ reason: 'status' })
  })

  it.each([
    'garbage\n',
    row.replace('ONLINE', 'DREAMING'),
    row.replace('12345678901234567890', 'x'),
    row.replace('\t12345678901234567890', ''),
    row.replace('40', '4.0K'),
    row.replace('60', '-6'),
  ])('fails where a line is none: %j', async (text) => {
    await expect(saying(text).zpool.list()).rejects.toMatchObject({ reason: 'output' })
  })

  it('shows the properties that were set by hand', async () => {
    const lines = 'comment\tx y\tlocal\nsize\t1\t-\nashift\t12\tdefault\nfeature@x\tactive\tlocal\n'
    const { zpool, calls } = saying(lines)
    expect(await zpool.properties('tank')).toEqual([{ name: 'comment', value: 'x y', source: 'local' }])
    expect(calls[0]?.args).toEqual(['get', '-Hp', '-o', 'property,value,source', 'all', 'tank'])
    for (const text of ['garbage\n', 'comment\tx\n'])
      await expect(saying(text).zpool.properties('tank')).rejects.toMatchObject({ reason: 'output' })
    expect(await saying('', 'no such pool').zpool.properties('x')).toEqual([])
  })

  it('says what could be imported, from disks or from a folder; nothing is no failure', async () => {
    const { zpool, calls } = saying('')
    expect([await zpool.importable(), await zpool.importable('/files')]).toEqual([[], []])
    expect(calls).toEqual([
      { args: ['import'], accept: [1] },
      { args: ['import', '-d', '/files'], accept: [1] },
    ])
    expect(await saying('', 'no such pool available').zpool.importable()).toEqual([])
    await expect(saying('garbage\n').zpool.importable()).rejects.toMatchObject({ reason: 'output' })
  })

  it('whose time is up is not asked again as text', async () => {
    const calls: string[][] = []
    const tool: Tool = async (name, args) => {
      calls.push(args)
      throw new CommandError([name, ...args], 'timeout', 'invalid option')
    }
    await expect(createZpool(tool).statuses()).rejects.toMatchObject({ reason: 'timeout' })
    await expect(createZpool(tool).find('no such pool')).rejects.toMatchObject({ reason: 'timeout' })
    expect(calls.map(([command]) => command)).toEqual(['status', 'list'])
  })
})
