// SEC-02 what a caller may name of a pool: whatever it is, it starts no program, or reaches one as it is. The words for
// the script travel in files, a word a line, so a line end in a word would be another word.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDevices } from '../../src/drivers/device-links.ts'
import { createLsblk } from '../../src/drivers/lsblk.ts'
import type { Tool } from '../../src/drivers/programs.ts'
import { createZfs } from '../../src/drivers/zfs.ts'
import { createZpool } from '../../src/drivers/zpool.ts'
import { ApiError } from '../../src/errors.ts'
import { createPool } from '../../src/features/pools/change.ts'
import type { Pools } from '../../src/features/pools/pools.ts'
import { PoolName } from '../../src/features/zfs/names.ts'
import type { StartOptions, Tasks } from '../../src/tasks/tasks.ts'
import { runs } from '../harness/fuzz.ts'

const FOLDER = '/var/lib/edge-admin/vdevs'

/** A machine without pools, where every device is there; it keeps what was started. */
function record() {
  const calls: string[][] = []
  const started: { args: string[]; inputs: Record<string, string[]> }[] = []
  const tool: Tool = async (name, args) => {
    calls.push([name, ...args])
    return { stdout: '', stderr: '', status: 0 }
  }
  const startNext = async (_kind: string, { args = [], inputs = {} }: StartOptions) => {
    const lines = Object.entries(inputs).map(([name, input]) => [name, 'text' in input ? input.text.split('\n') : []])
    started.push({ args, inputs: Object.fromEntries(lines) })
    return { id: 'x' }
  }
  const pools = {
    zpool: createZpool(tool),
    zfs: createZfs(tool),
    lsblk: createLsblk(tool),
    devices: createDevices('/no/such/folder'),
    tasks: { startNext } as unknown as Tasks,
    dependents: [],
    files: FOLDER,
  } satisfies Pools
  return { pools, calls, started }
}

const nasty = fc.constantFrom(
  '-oProxyCommand=id',
  '-f',
  '--',
  ';id',
  '$(id)',
  '`id`',
  'a\nb',
  'a\u0000',
  "a'b",
  'a"b',
  'a\\b',
  '/dev/../etc',
  '/dev/sda -f',
  '/dev/sda\n-f',
  '/dev/sd=a',
  '/dev/disk/by-id/a:b+c',
  '__proto__',
  'constructor',
  'fs.',
  'fs.mountpoint',
  'ashift',
  'comment',
  'mirror',
  'log',
  `${FOLDER}/../x`,
  `${FOLDER}/-f`,
)
const string = fc.oneof(
  nasty,
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => `/dev/${text}`),
  fc.stringMatching(/^\/dev\/[A-Za-z0-9:._+@=/-]{1,20}$/),
  fc.stringMatching(/^[A-Za-z0-9_.:-]{1,12}$/),
  fc.string().map((text) => `fs.${text}`),
)

const body = fc.oneof(
  string.map((name) => ({ name, vdevs: ['/dev/sda'], options: {} })),
  fc.array(string, { minLength: 1, maxLength: 4 }).map((vdevs) => ({ name: 'tank', vdevs, options: {} })),
  fc.tuple(string, string).map(([key, value]) => ({ name: 'tank', vdevs: ['/dev/sda'], options: { [key]: value } })),
  fc
    .tuple(
      fc.constantFrom('comment', 'ashift', 'compatibility', 'fs.compression', 'fs.quota', 'fs.mountpoint', 'fs.a:b'),
      string,
    )
    .map(([key, value]) => ({ name: 'tank', vdevs: ['/dev/sda'], options: { [key]: value } })),
)

describe('SEC-02 the name, the devices and the options of a new pool', () => {
  it('start nothing, or reach zpool and its script byte by byte', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(body, async ({ name, vdevs, options }) => {
        const { pools, calls, started } = record()
        // As the endpoint does.
        if (!PoolName.safeParse(name).success) return
        try {
          await createPool(pools, { name, vdevs, options }, { name: 'x', address: 'y' })
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
          expect((error as ApiError).kind).toBe('invalid')
          expect(calls).toEqual([])
          expect(started).toEqual([])
          return
        }
        taken++
        const devices = vdevs.filter((word) => word.startsWith('/dev/'))
        const look = ['zpool', 'list', '-Hp', '-o', 'name,size,allocated,free,health,guid', name]
        expect(calls).toEqual([...(devices.length > 0 ? [['lsblk', '-dn', '-o', 'PATH', '--', ...devices]] : []), look])
        const set = Object.entries(options).flatMap(([key, value]) =>
          key.startsWith('fs.') ? ['-O', `${key.slice(3)}=${value}`] : ['-o', `${key}=${value}`],
        )
        expect(started).toEqual([
          {
            args: [`pool-${name}`.slice(0, 200)],
            inputs: {
              name: [name, ''],
              vdevs: [...vdevs, ''],
              options: [...set, '-O', 'edge-admin:upkeep=scrub=monthly,trim=never', ''],
            },
          },
        ])
        // And none of it could be an option, or end a line.
        for (const word of [name, ...vdevs]) expect(word).toMatch(/^[A-Za-z/][\x21-\x7e]*$/)
      }),
      { numRuns: runs(10_000) },
    )
    expect(taken).toBeGreaterThan(100)
  })
})
