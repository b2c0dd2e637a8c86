// What a refused change of properties puts back: from where each of them was.
import { expect, it } from 'vitest'
import type { Property, Zfs } from '../../src/drivers/zfs.ts'
import { changeProperties } from '../../src/features/datasets/datasets.ts'

it('a refused change puts back what was received, was set and was inherited, each in its way', async () => {
  const before = new Map<string, Property>([
    ['atime', { value: 'off', source: 'received' }],
    ['compression', { value: 'lz4', source: 'local' }],
    ['exec', { value: 'on', source: 'default' }],
  ])
  const now = new Map([...before.keys()].map((key) => [key, { value: 'x', source: 'local' }]))
  const done: unknown[] = []
  const note =
    (verb: string) =>
    async (...args: unknown[]) =>
      void done.push([verb, ...args])
  let isFirst = true
  const zfs = {
    get: async () => now,
    inherit: note('inherit'),
    revert: note('revert'),
    set: async (...args: unknown[]) => {
      if (!isFirst) return void done.push(['set', ...args])
      isFirst = false
      throw new Error('refused')
    },
  } as unknown as Zfs
  const wanted = { atime: 'on', compression: 'off', exec: 'off' }
  await expect(changeProperties(zfs, 'tank/d', wanted, before)).rejects.toThrow('refused')
  expect(done).toEqual([
    ['revert', 'tank/d', 'atime'],
    ['set', 'tank/d', { compression: 'lz4' }],
    ['inherit', 'tank/d', 'exec'],
  ])
})
