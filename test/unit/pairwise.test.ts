// The rows that the fault tables of the scripts leave out: none of them may be the last one of a checkpoint in a shell, or of a fault.
import { expect, it } from 'vitest'
import { FAULTS, faultsIn } from '../scripts/pairwise.ts'

const checkpoints = ['a', 'b', 'c']
const inDash = faultsIn('dash', checkpoints)
const inBusybox = faultsIn('busybox ash', checkpoints)

it('each checkpoint meets every fault in dash, and one in busybox ash', () => {
  expect(inDash).toEqual(checkpoints.flatMap((checkpoint) => FAULTS.map((fault) => [checkpoint, fault])))
  expect(inBusybox.map(([checkpoint]) => checkpoint)).toEqual(checkpoints)
})

it('each fault strikes in busybox ash as well', () => {
  expect(new Set(inBusybox.map(([, fault]) => fault))).toEqual(new Set(FAULTS))
})
