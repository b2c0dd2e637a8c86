// Scripts killed at any moment, not only at the steps that have a name; and sometimes what puts them right is killed as
// well. Where a kill hits depends on the machine; so no end is expected, only that it is a legal one.
import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, describe, expect } from 'vitest'
import { FUZZ, runs } from '../harness/fuzz.ts'
import { Appliance, ended, removeTemporary, shells } from './harness.ts'
import { inTurn } from './pairwise.ts'
import { endsOf, environment, judge, WORKS } from './works.ts'

afterAll(removeTemporary)

const kills = fc.record({
  /** Of the time that it takes undisturbed. */
  moment: fc.double({ min: 0, max: 1.1, noNaN: true }),
  whole: fc.boolean(),
  again: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3, nil: undefined }),
})
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.each(shells())('a script under $name, killed at any moment,', (shell) => {
  const it = inTurn(shell.name)
  it.each(Object.keys(WORKS))(
    'comes to its old state or its new one: %s',
    { timeout: 120_000 * FUZZ },
    async (kind) => {
      const { args = [], inputs, lay } = WORKS[kind]!
      const ends = await endsOf(kind, () => new Appliance(shell))
      let seen = 0
      await fc.assert(
        fc.asyncProperty(kills, async (kill) => {
          const box = new Appliance(shell)
          lay(box)
          const id = box.create(kind, args, inputs?.())
          const act = async (action: 'run' | 'recover', after?: number) => {
            const child = box.start(id, action, environment(box))
            const end = ended(child)
            if (after !== undefined) {
              await Promise.race([end, pause(after)])
              if (child.exitCode === null && child.signalCode === null) {
                process.kill(kill.whole ? -child.pid! : child.pid!, 'SIGKILL')
                seen += 1
              }
            }
            await end
          }
          await act('run', kill.moment * ends.took)
          if (kill.again !== undefined) await act('recover', kill.again * ends.took * 0.3)
          await act('recover')
          expect(await judge(box, kind, id, ends)).toEqual([])
          rmSync(box.folder, { recursive: true })
        }),
        // Another moment is no simpler one.
        {
          numRuns: runs(kind === 'update' ? 4 : 2),
          endOnFailure: true,
          examples: [[{ moment: 0.3, whole: true, again: undefined }]],
        },
      )
      expect(seen).toBeGreaterThan(0)
    },
  )
})
