// KeyedMutex: one change of a thing at a time. The order is the order of asking, whatever the keys are called.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyedMutex } from '../../src/store/keyed-mutex.ts'

const soon = () => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  it('come in the order of asking, one at a time for each key', async () => {
    const turns = new KeyedMutex()
    const said: string[] = []
    const act = async (name: string, keys: string[]) => {
      const release = await turns.take(keys)
      said.push(`${name}+`)
      await soon()
      said.push(`${name}-`)
      release()
    }
    await Promise.all([act('a', ['x']), act('b', ['y', 'x']), act('c', ['x', 'y', 'x']), act('d', ['z'])])
    expect(said.filter((one) => !one.startsWith('d'))).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
    expect(said.indexOf('d+')).toBeLessThan(said.indexOf('b+'))
    expect(turns.size).toBe(0)
  })

  it('never overlap, never starve and leave nothing behind, whatever keys are asked for', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { maxLength: 20 }), async (calls) => {
        const turns = new KeyedMutex()
        const held = new Set<string>()
        await Promise.all(
          calls.map(async (wanted, i) => {
            if (i % 3 === 0) await soon()
            const release = await turns.take(wanted)
            const mine = [...new Set(wanted)]
            expect(mine.filter((key) => held.has(key))).toEqual([])
            for (const key of mine) held.add(key)
            await soon()
            for (const key of mine) held.delete(key)
            release()
          }),
        )
        expect([held.size, turns.size]).toEqual([0, 0])
      }),
      { numRuns: 200 },
    )
  })
})
