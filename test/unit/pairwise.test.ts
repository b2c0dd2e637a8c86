// What the scripts' tests leave out until `make test-shells`: none of it may be the last row of a checkpoint in a shell, or of a fault.
import { expect, it } from 'vitest'
import { FAULTS, faultsIn, inTurn } from '../scripts/pairwise.ts'

const checkpoints = ['a', 'b', 'c']
const inDash = faultsIn('dash', checkpoints, false)
const inBusybox = faultsIn('busybox ash', checkpoints, false)
const all = checkpoints.flatMap((checkpoint) => FAULTS.map((fault) => [checkpoint, fault]))

it('each checkpoint meets each shell, and every fault in one of them', () => {
  for (const rows of [inDash, inBusybox]) expect(rows.map(([checkpoint]) => checkpoint)).toEqual(checkpoints)
  expect([...inDash, ...inBusybox].sort()).toEqual(all)
})

it('each fault strikes in each shell', () => {
  for (const rows of [inDash, inBusybox]) expect(new Set(rows.map(([, fault]) => fault))).toEqual(new Set(FAULTS))
})

it('each checkpoint meets every fault in each shell when everything is asked for', () => {
  for (const shell of ['dash', 'busybox ash']) expect(faultsIn(shell, checkpoints, true)).toEqual(all)
})

it('each test and each row of a table runs in one of the shells, and everywhere when everything is asked for', () => {
  const ran = (shell: string, everything: boolean) => {
    const names: unknown[] = []
    const rows = (table: unknown[]) => () => names.push(...table)
    const collect = Object.assign((name: unknown) => names.push(name), { each: rows, for: rows })
    const tests = Object.assign(collect, { skipIf: () => collect, runIf: () => collect })
    const turn = inTurn(shell, everything, tests as unknown as typeof it)
    turn('one', () => undefined)
    turn.each(['two', 'three', 'four'])('%s', () => undefined)
    turn.runIf(true).for(['five'])('%s', () => undefined)
    turn.skipIf(false)('six', () => undefined)
    turn.both('seven', () => undefined)
    return names
  }
  expect(ran('dash', false)).toEqual(['one', 'three', 'five', 'seven'])
  expect(ran('busybox ash', false)).toEqual(['two', 'four', 'six', 'seven'])
  for (const shell of ['dash', 'busybox ash'])
    expect(ran(shell, true)).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
})
