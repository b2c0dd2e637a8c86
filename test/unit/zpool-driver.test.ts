// Which form `zpool status` is asked for: JSON where the program has it, text where not. On the fakes, which answer as 2.3 or as 2.1, and say the same
// both ways.
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CommandError } from '../../src/drivers/run.ts'
import { createTool, type Tool } from '../../src/drivers/tool.ts'
import { createZpool } from '../../src/drivers/zpool.ts'
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
        const { scans, vdevs, ...pool } = (await createZpool(createTool(fakes.programs)).status('tank'))!
        found.push({
          name: pool.name,
          state: pool.state,
          problem: pool.problem,
          errors: pool.errors,
          vdevs,
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
