// Memory at rest: what a burst left is collected although nothing else is asked.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, it, vi } from 'vitest'
import { collectAtRest } from '../../src/cli/heap.ts'

const flags = vi.hoisted(() => [] as string[])
vi.mock('node:v8', async (original) => {
  const real = await original<typeof import('node:v8')>()
  const changed = {
    setFlagsFromString(flag: string) {
      flags.push(flag)
      real.setFlagsFromString(flag)
    },
  }
  return { ...real, ...changed, default: { ...real, ...changed } }
})

const within = async (seconds: number, holds: () => boolean) => {
  for (let i = 0; i < seconds * 20 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return holds()
}
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Some megabytes that nobody holds. */
const garbage = () => new WeakRef(Array.from({ length: 400_000 }, (_, i) => ({ i })))

it('is collected once the server is at rest, and again after the next burst', async () => {
  setFlagsFromString('--expose-gc')
  collectAtRest(runInNewContext('gc'), 200)
  for (let i = 0; i < 2; i++) {
    const burst = garbage()
    expect(await within(60, () => burst.deref() === undefined)).toBe(true)
  }
})

it('may grow while the server is busy, and not at rest', async () => {
  const last = (name: string) => flags.findLast((flag) => flag.startsWith(name))
  collectAtRest((async () => {}) as unknown as NodeJS.GCFunction, 50)
  expect(
    await within(60, () => {
      // Work for longer than a tenth of the time between two looks.
      for (const end = performance.now() + 40; performance.now() < end; );
      return last('--heap-growing-percent') === '--heap-growing-percent=0'
    }),
  ).toBe(true)
  expect(last('--semi-space-growth-factor')).toBe('--semi-space-growth-factor=2')
  expect(await within(60, () => last('--heap-growing-percent') === '--heap-growing-percent=15')).toBe(true)
  expect(last('--semi-space-growth-factor')).toBe('--semi-space-growth-factor=1')
})

it('is not collected in a pause of a few seconds: V8 would discard the machine code of requests', () => {
  vi.useFakeTimers()
  let used = 0
  vi.spyOn(process, 'cpuUsage').mockImplementation((before) => ({ user: used - (before?.user ?? 0), system: 0 }))
  const collect = vi.fn()
  collectAtRest(collect as unknown as NodeJS.GCFunction, 1000)
  const pass = (seconds: number, load: number) => {
    for (let i = 0; i < seconds; i++) {
      used += load * 1_000_000
      vi.advanceTimersByTime(1000)
    }
  }
  for (let i = 0; i < 5; i++) {
    pass(1, 0.3)
    pass(5, 0.01)
  }
  expect(collect).not.toHaveBeenCalled()
  pass(10, 0.01)
  expect(collect).toHaveBeenCalledTimes(1)
})

it.each([
  ['a start', 2, false],
  ['a start and a burst', 60, true],
])('after %s of %i seconds it is compacted: %s; after a later burst in any case', (_, seconds, first) => {
  vi.useFakeTimers()
  let load = 1_000_000
  vi.spyOn(process, 'cpuUsage').mockImplementation((before) => ({ user: before ? load : 0, system: 0 }))
  const held: object[] = []
  const isCompacted: boolean[] = []
  const collect = () => {
    isCompacted.push(
      flags.findLast((flag) => flag.endsWith('compact-on-every-full-gc')) === '--compact-on-every-full-gc',
    )
    held.push(new Uint8Array(2 << 20))
  }
  flags.length = 0
  collectAtRest(collect as unknown as NodeJS.GCFunction, 1000)
  vi.advanceTimersByTime(seconds * 1000)
  load = 0
  vi.advanceTimersByTime(10_000)
  held.push(new Uint8Array(4 << 20))
  vi.advanceTimersByTime(10_000)
  expect(isCompacted).toEqual([first, true])
})
