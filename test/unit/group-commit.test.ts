// One sync for many, and long work in slices. Neither depends on time here: the test ends each sync, and sets the clock.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Breath } from '../../src/store/breath.ts'
import { GroupCommit } from '../../src/store/group-commit.ts'

afterEach(() => vi.restoreAllMocks())
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a sync', () => {
  function held() {
    const ends: { done: () => void; fail: (error: Error) => void }[] = []
    const commits = new GroupCommit(() => new Promise((done, fail) => void ends.push({ done, fail })))
    return { ends, wait: () => commits.wait() }
  }

  it('begins at once where none runs, and is shared by all who ask while one does', async () => {
    const { ends, wait } = held()
    const first = wait()
    expect(ends).toHaveLength(1)
    const [second, third] = [wait(), wait()]
    expect(second).toBe(third)
    expect(ends).toHaveLength(1)
    ends[0]?.done()
    await first
    await turn()
    expect(ends).toHaveLength(2)
    const fourth = wait()
    expect(fourth).not.toBe(second)
    ends[1]?.done()
    await second
    await turn()
    expect(ends).toHaveLength(3)
    ends[2]?.done()
    await fourth
    await turn()
    // None runs any more.
    const last = wait()
    expect(ends).toHaveLength(4)
    ends[3]?.done()
    await last
  })

  it('that fails is told to those who waited for it, and to nobody else', async () => {
    const { ends, wait } = held()
    const first = wait()
    const second = wait()
    ends[0]?.fail(new Error('i/o'))
    await expect(first).rejects.toThrow('i/o')
    await turn()
    expect(ends).toHaveLength(2)
    ends[1]?.done()
    await second
  })
})

describe('a breath', () => {
  it('is taken after a slice, not within one', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
    const breath = new Breath()
    let others = 0
    const taken = async (now: number) => {
      const before = others
      setImmediate(() => others++)
      clock.mockReturnValue(now)
      await breath.take()
      const found = others > before
      await turn()
      return found
    }
    expect([await taken(1009.9), await taken(1010), await taken(1019.9), await taken(1020)]).toEqual([
      ...[false, true, false, true],
    ])
  })
})
