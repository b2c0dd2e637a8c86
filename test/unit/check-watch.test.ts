// The check inside the running server: what it says once, what it forgets, and what it does not begin twice.
import { describe, expect, it } from 'vitest'
import type { Look } from '../../src/features/check/check.ts'
import { error, type Finding, note, ok } from '../../src/features/check/finding.ts'
import type { Place } from '../../src/features/check/place.ts'
import { Watch } from '../../src/features/check/watch.ts'

const broken = (subject = '/a', id = 'a.broken') => error(id, subject, 'it is broken', 'mend it')

function watched(looks: Look[], patience = 30_000) {
  const said: string[] = []
  let now = 0
  const watch = new Watch({
    place: async () => ({}) as Place,
    found: ({ id, subject }) => said.push(`found ${id} ${subject}`),
    mended: ({ id, subject }) => said.push(`mended ${id} ${subject}`),
    warn: (text) => said.push(text),
    looks,
    patience,
    steady: () => now,
  })
  return { watch, said, pass: (milliseconds: number) => (now += milliseconds) }
}

describe('the watch', () => {
  it('says what is wrong once, and once that it is mended', async () => {
    let findings: Finding[] = [ok('a.ok', '/a', 'fine'), note('a.note', '/a', 'so')]
    const { watch, said } = watched([{ area: 'a', look: async () => findings }])
    await watch.look(true)
    expect([watch.current(), said]).toEqual([[], []])
    findings = [broken(), broken('/b')]
    await watch.look(true)
    await watch.look(true)
    expect(watch.current()).toEqual(findings)
    findings = [broken('/b')]
    await watch.look(true)
    findings = []
    await watch.look(true)
    expect(watch.current()).toEqual([])
    expect(said).toEqual(['found a.broken /a', 'found a.broken /b', 'mended a.broken /a', 'mended a.broken /b'])
  })

  it('looks again when somebody asks, not at each question, and at what is dear only while it is wrong', async () => {
    let [cheap, dear] = [0, 0]
    let findings = [broken()]
    const { watch, pass } = watched([
      { area: 'a', look: async () => (++cheap ? [] : []) },
      { area: 'b', dear: true, look: async () => (++dear ? findings : []) },
    ])
    expect([watch.current(), cheap]).toEqual([[], 0])
    await watch.look(true)
    watch.current()
    expect([cheap, dear]).toEqual([1, 1])
    findings = []
    pass(31_000)
    expect(watch.current()).toEqual([broken()])
    await watch.look(false)
    expect([watch.current(), cheap, dear]).toEqual([[], 2, 2])
    pass(31_000)
    watch.current()
    await watch.look(false)
    expect([cheap, dear]).toEqual([3, 2])
  })

  it('tells of a look that cannot be made at all, and makes the next one', async () => {
    const said: string[] = []
    let fails = true
    const watch = new Watch({
      place: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve({} as Place)),
      found: ({ id }) => said.push(id),
      mended: () => {},
      warn: (text) => said.push(text),
      looks: [{ area: 'a', look: async () => [broken()] }],
    })
    await watch.look(true)
    fails = false
    await watch.look(true)
    expect(said).toEqual(['the appliance could not be checked', 'a.broken'])
  })

  it('begins nothing again that still hangs, and looks at the rest', async () => {
    let begun = 0
    let end = (_: Finding[]) => {}
    const hangs: Look = {
      area: 'a',
      look() {
        begun++
        return new Promise((resolve) => {
          end = resolve
        })
      },
    }
    const { watch, said } = watched([hangs, { area: 'b', look: async () => [broken('/b', 'b.broken')] }], 5)
    await watch.look(true)
    await watch.look(true)
    expect([begun, watch.current().map(({ id }) => id)]).toEqual([1, ['a.no-answer', 'b.broken']])
    end([])
    await watch.look(true)
    expect(begun).toBe(2)
    expect(said).toEqual(['found a.no-answer a', 'found b.broken /b'])
  })
})
