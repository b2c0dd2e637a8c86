// The arguments of `zfs` for each change: options first, the name last, each value a word by itself. A name begins with its pool, so none is an
// option, and none is a list.
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../src/drivers/tool.ts'
import { createZfs } from '../../src/drivers/zfs.ts'

const calls: string[][] = []
const tool: Tool = async (_name, args) => {
  calls.push(args)
  return { stdout: '', stderr: '', status: 0 }
}
const zfs = createZfs(tool)
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
