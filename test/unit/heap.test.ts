// Memory at rest: what a burst left is collected although nothing else is asked.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { collectAtRest } from '../../src/cli/heap.ts'

const within = async (seconds: number, holds: () => boolean) => {
  for (let i = 0; i < seconds * 20 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return holds()
}
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
