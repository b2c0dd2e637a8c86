// A certificate that could not be served at once: it is tried again until it is, and told once.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { reloader } from '../../src/http/server/reloader.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function begin(failures: number) {
  const [tries, warnings]: [number[], string[]] = [[], []]
  const serving = reloader({
    async reload() {
      tries.push(Date.now())
      if (tries.length <= failures) throw new Error('no descriptor is left')
    },
    warn: (text) => void warnings.push(text),
    every: 1000,
  })
  return { ...serving, tries, warnings }
}

it('what is served at once is asked for once', async () => {
  const { ask, tries, warnings } = begin(0)
  await ask()
  await vi.advanceTimersByTimeAsync(10_000)
  expect([tries.length, warnings]).toEqual([1, []])
})

it('what is not is tried again, a while later each time, until it is', async () => {
  const { ask, tries, warnings } = begin(3)
  await ask()
  const began = Date.now()
  await vi.advanceTimersByTimeAsync(999)
  expect(tries).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(tries.map((at) => at - began)).toEqual([0, 1000, 2000, 3000])
  expect(warnings).toEqual([expect.stringContaining('is not served; the old one is')])
})

it('who asks meanwhile is told, and there is one next try, not two', async () => {
  const { ask, tries, warnings } = begin(3)
  await Promise.all([ask(), ask()])
  expect([tries.length, warnings.length]).toEqual([2, 2])
  await vi.advanceTimersByTimeAsync(1000)
  expect(tries).toHaveLength(3)
})

it('nothing is tried once it is stopped', async () => {
  const { ask, stop, tries } = begin(9)
  await ask()
  stop()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(tries).toHaveLength(1)
})
