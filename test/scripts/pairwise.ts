// Which shell meets which test. A script is the same lines of sh in dash and in busybox ash, so its tests take turns: each runs in one of the
// two, and each checkpoint meets both, with the one fault here and the other there. `make test-shells` lets everything meet everything.
import { test } from 'vitest'

export const FAULTS = ['error', 'kill'] as const
export type Fault = (typeof FAULTS)[number]

export const EVERYTHING = process.env['SHELLS'] === 'all'
const isSecond = (shell: string) => shell !== 'dash'

/** A table of faults: run it with `both.each`. */
export function faultsIn(
  shell: string,
  checkpoints: readonly string[],
  everything = EVERYTHING,
): (readonly [checkpoint: string, fault: Fault])[] {
  return checkpoints.flatMap((checkpoint, n) =>
    FAULTS.filter((_, which) => everything || which === (n + Number(isSecond(shell))) % FAULTS.length).map(
      (fault) => [checkpoint, fault] as const,
    ),
  )
}

type Each = (rows: readonly unknown[]) => (...test: unknown[]) => void
interface Tests {
  (...test: unknown[]): void
  each: Each
  for: Each
}
type Conditional = Record<'skipIf' | 'runIf', (condition: unknown) => Tests>

/** `test` for a block that is there once per shell: its tests and rows take turns. `both` is for one that can only run in one of the shells. */
export function inTurn(shell: string, everything = EVERYTHING, tests = test): typeof test & { both: typeof test } {
  let count = Number(isSecond(shell))
  const isOurs = () => everything || count++ % 2 === 0
  const turns = (all: Tests) => {
    const rows = (name: 'each' | 'for'): Each => {
      return (table) => {
        const ours = table.filter(isOurs)
        return ours.length > 0 ? all[name](ours) : () => undefined
      }
    }
    const one = (...args: unknown[]) => void (isOurs() && all(...args))
    return Object.assign(one, { each: rows('each'), for: rows('for') })
  }
  const original = tests as unknown as Tests & Conditional
  const conditional: Conditional = {
    skipIf: (condition) => turns(original.skipIf(condition)),
    runIf: (condition) => turns(original.runIf(condition)),
  }
  return Object.assign(turns(original), conditional, { both: tests }) as unknown as ReturnType<typeof inTurn>
}
