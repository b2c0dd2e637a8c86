// What every store has to do, whatever it keeps its values in: a second implementation runs the same tests (store.test.ts shows how).
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Change, Store } from '../../src/store/store.ts'

export const Sample = z.strictObject({ id: z.string(), size: z.int().min(0), tags: z.array(z.string()).optional() })
export type Sample = z.infer<typeof Sample>

/** `open` gives one more store of the same values, as another process would have it. */
export function storeSuite(name: string, make: () => { open: () => Store<Sample>; remove: () => void }) {
  const using = async (act: (store: Store<Sample>, other: Store<Sample>) => Promise<void>) => {
    const { open, remove } = make()
    try {
      await act(open(), open())
    } finally {
      remove()
    }
  }
  const sizes = async (store: Store<Sample>) => (await store.list()).map(({ value: { id, size } }) => `${id} ${size}`)
  const kind = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      (error: { kind?: string; name: string }) => error.kind ?? error.name,
    )

  describe(name, () => {
    it('gives what was put, in the order of the first time, to another store of the same values, too', () =>
      using(async (store, other) => {
        expect([await store.get('a'), await store.list(), store.all()]).toEqual([undefined, [], []])
        const { version } = await store.put({ id: 'a', size: 1, tags: ['x'] })
        await other.put({ id: 'b', size: 2 })
        await store.put({ id: 'a', size: 3 })
        expect((await other.get('a'))?.version).not.toBe(version)
        for (const one of [store, other]) {
          expect(await sizes(one)).toEqual(['a 3', 'b 2'])
          expect(await one.get('b')).toMatchObject({ value: { id: 'b', size: 2 }, version: expect.any(String) })
          expect(one.all()).toEqual([
            { id: 'a', size: 3 },
            { id: 'b', size: 2 },
          ])
        }
        expect([await other.delete('a'), await store.delete('a'), await store.get('a')]).toEqual([
          true,
          false,
          undefined,
        ])
        expect(await sizes(other)).toEqual(['b 2'])
      }))

    it('replaces and deletes only the version that a writer expects', () =>
      using(async (store, other) => {
        const first = await store.put({ id: 'a', size: 1 }, null)
        expect(await kind(other.put({ id: 'a', size: 2 }, null))).toBe('exists')
        const second = await other.put({ id: 'a', size: 2 }, first.version)
        expect(await kind(store.put({ id: 'a', size: 9 }, first.version))).toBe('changed')
        expect(await kind(store.delete('a', first.version))).toBe('changed')
        expect(await kind(store.put({ id: 'b', size: 1 }, second.version))).toBe('changed')
        expect(await sizes(store)).toEqual(['a 2'])
        expect((await store.get('a'))?.version).toBe(second.version)
        expect(await store.delete('a', second.version)).toBe(true)
        expect(await kind(store.delete('a', second.version))).toBe('changed')
      }))

    it('loses nothing where several writers count at once', () =>
      using(async (store, other) => {
        await store.put({ id: 'a', size: 0 })
        const count = async (one: Store<Sample>) => {
          for (;;) {
            const { value, version } = (await one.get('a'))!
            await Promise.resolve()
            if ((await kind(one.put({ id: 'a', size: value.size + 1 }, version))) === 'done') return
          }
        }
        await Promise.all([store, other, store, other, store].map(count))
        const ten = (all: Sample[]) => {
          all[0]!.size += 10
        }
        await Promise.all([store, other].map((one) => one.change(ten)))
        expect(await sizes(store)).toEqual(['a 25'])
      }))

    it('changes several values in one step, or none', () =>
      using(async (store, other) => {
        await store.put({ id: 'a', size: 1 })
        const moved = await store.change((all) => {
          all.push({ id: 'b', size: 4 })
          all[0]!.size = 5
          return all.length
        })
        expect([moved, await sizes(other)]).toEqual([2, ['a 5', 'b 4']])
        const failed = store.change((all) => {
          all.pop()
          all[0]!.size = 0
          throw new TypeError('no')
        })
        expect([await kind(failed), await sizes(other)]).toEqual(['TypeError', ['a 5', 'b 4']])
      }))

    it('takes no key that could be anything but a name, and no value that is not one', () =>
      using(async (store) => {
        for (const id of ['', '.', '..', 'a/b', 'a b', 'a\n', '\0', 'é', 'x'.repeat(129)]) {
          const refused = await Promise.all([store.put({ id, size: 1 }), store.get(id), store.delete(id)].map(kind))
          expect([id, refused]).toEqual([id, ['invalid', 'invalid', 'invalid']])
        }
        for (const id of ['a', 'x'.repeat(128), '1-0a1b2c3d.4.ff', '...', '_~'])
          expect([id, await kind(store.put({ id, size: 1 }))]).toEqual([id, 'done'])
        const before = await sizes(store)
        for (const wrong of [{ id: 'a' }, { id: 'a', size: -1 }, { id: 'a', size: 1, more: 1 }]) {
          expect(await kind(store.put(wrong as Sample))).toBe('ZodError')
          expect(await kind(store.change((all) => void all.push(wrong as Sample)))).toBe('ZodError')
        }
        expect(await sizes(store)).toEqual(before)
      }))

    it('gives copies, and keeps one', () =>
      using(async (store) => {
        const mine: Sample = { id: 'a', size: 1, tags: ['x'] }
        const put = await store.put(mine)
        mine.tags!.push('mine')
        put.value.tags!.push('put')
        ;(await store.get('a'))!.value.tags!.push('got')
        ;(await store.list())[0]!.value.tags!.push('listed')
        expect((await store.get('a'))!.value.tags).toEqual(['x'])
      }))

    it('calls a watcher after each change, of another store of the same values, too, until it is stopped', () =>
      using(async (store, other) => {
        await store.put({ id: 'a', size: 1 })
        const heard: Change<Sample>[] = []
        let wake = () => {}
        const stop = store.watch((change) => {
          heard.push(change)
          wake()
        })
        /** Resolves once so many changes were heard. */
        const until = async (count: number) => {
          while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
        }
        const put = await store.put({ id: 'a', size: 2 })
        await until(1)
        await other.put({ id: 'b', size: 1 })
        await until(2)
        await other.delete('a')
        await until(3)
        // What changes nothing is no change.
        await store.put({ id: 'b', size: 1 })
        await store.put({ id: 'c', size: 1 })
        await until(4)
        expect(heard.map(({ key, entry }) => [key, entry?.value.size])).toEqual([
          ['a', 2],
          ['b', 1],
          ['a', undefined],
          ['c', 1],
        ])
        expect(heard[0]!.entry).toEqual(put)
        stop()
        stop()
        await store.put({ id: 'd', size: 1 })
        expect(heard).toHaveLength(4)
      }))
  })
}
