// The arguments of `zfs` for each change: options first, the name last, each value a word by itself. A name begins with its pool, so none is an
// option, and none is a list.
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../src/drivers/programs.ts'
import { createZfs } from '../../src/drivers/zfs.ts'

const calls: string[][] = []
const accepted: unknown[] = []
const tool: Tool = async (_name, args, options) => {
  calls.push(args)
  accepted.push(options?.accept)
  return { stdout: '', stderr: '', status: 0 }
}
const zfs = createZfs(tool, () => 'end')
const asked = async (work: () => Promise<unknown>) => {
  calls.length = 0
  await work()
  expect(calls).toHaveLength(1)
  return calls[0]
}

describe('zfs is called', () => {
  const options = { compression: 'lz4', 'a:b': '-x y=z' }
  it.each<[string, () => Promise<unknown>, string[]]>([
    [
      'to make a filesystem',
      () => zfs.create('tank/-x', options),
      ['create', '-o', 'compression=lz4', '-o', 'a:b=-x y=z', 'tank/-x'],
    ],
    [
      'to make a volume: its size before its name',
      () => zfs.createVolume('tank/v', 16_777_216, { volblocksize: '16384' }),
      ['create', '-o', 'volblocksize=16384', '-V', '16777216', 'tank/v'],
    ],
    ['to take a snapshot', () => zfs.snapshot('tank/a b@x', {}), ['snapshot', 'tank/a b@x']],
    ['to set', () => zfs.set('tank/a', options), ['set', 'compression=lz4', 'a:b=-x y=z', 'tank/a']],
    ['to inherit', () => zfs.inherit('tank/a', 'quota'), ['inherit', 'quota', 'tank/a']],
    ['what was received', () => zfs.revert('tank/a', 'quota'), ['inherit', '-S', 'quota', 'tank/a']],
    ['to destroy one thing', () => zfs.destroy('tank/a@x'), ['destroy', 'tank/a@x']],
  ])('%s', async (_what, work, wanted) => expect(await asked(work)).toEqual(wanted))
})

describe('zfs is asked', () => {
  const none = () => {}
  const list = ['list', '-Hp']
  const get = (...flags: string[]) => ['get', '-Hp', '-t', ...flags, '-o', 'name,property,source,value']
  const snapshots = [...list, '-t', 'snapshot', '-o', 'name,used,creation']
  const dataset = 'type,used,available,volsize,creation,mountpoint,end'
  const member = 'name,type,guid,createtxg,userrefs,clones'
  it.each<[string, () => Promise<unknown>, string[]]>([
    ['for roots', () => zfs.roots(), [...list, '-d', '0', '-o', 'name,creation,used,available']],
    ['for every dataset', () => zfs.datasets(undefined, none), [...get('filesystem,volume'), dataset]],
    ['for those below one', () => zfs.datasets('tank/a', none), [...get('filesystem,volume', '-r'), dataset, 'tank/a']],
    ['for every snapshot', () => zfs.snapshots(undefined, none), snapshots],
    ['for one’s own', () => zfs.snapshots({ dataset: 't', deep: false }, none), [...snapshots, '-d', '1', 't']],
    ['for all below', () => zfs.snapshots({ dataset: 't', deep: true }, none), [...snapshots, '-r', 't']],
    [
      'for everything',
      () => zfs.census(none),
      [...list, '-t', 'filesystem,volume,snapshot', '-o', 'name,type,creation,used,available'],
    ],
    [
      'for what is mounted',
      () => zfs.mounted('tank'),
      [...get('filesystem,volume', '-r'), 'mounted,mountpoint,end', 'tank'],
    ],
    ['for a tree', () => zfs.tree('tank'), [...list, '-o', member, '-t', 'all', '-r', 'tank']],
    ['for a history', () => zfs.history('tank'), [...list, '-o', member, '-t', 'snapshot,bookmark', '-d', '1', 'tank']],
    ['for what was set', () => zfs.local('a:b'), [...get('filesystem,volume'), 'a:b,end']],
    [
      'for marks',
      () => zfs.marked(['tank', 'tank/a'], 'a:b'),
      [...get('snapshot', '-d', '1'), 'createtxg,userrefs,clones,a:b,end', 'tank', 'tank/a'],
    ],
  ])('%s', async (_what, work, wanted) => {
    accepted.length = 0
    expect(await asked(work)).toEqual(wanted)
    // Of several datasets some may be gone: only there it is no failure.
    expect(accepted).toEqual([wanted.includes('createtxg,userrefs,clones,a:b,end') ? [1] : undefined])
  })

  it('for five hundred names at a time, and for nothing where there are none', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `tank@${i}`)
    for (const [count, portions] of [
      [0, []],
      [500, [500]],
      [501, [500, 1]],
    ] as const) {
      calls.length = 0
      await zfs.holds(names(count))
      expect(calls.map((args) => args.length - 2)).toEqual(portions)
      calls.length = 0
      await zfs.marked(names(count), 'a:b')
      expect(calls.map((args) => args.length - 9)).toEqual(portions)
    }
  })
})
