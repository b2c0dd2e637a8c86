// SMART self-tests: the disk does them by itself, while it is used. That one has begun is read back from the disk.
import { smartctlFailure } from '../../drivers/smartctl.ts'
import { ApiError, failedPrecondition, locked } from '../../errors.ts'
import type { Disk } from './disks.ts'
import { deviceOf } from './health.ts'
import type { Disks } from './parts.ts'

export type TestType = 'short' | 'long'

/** `wake`: also a disk that sleeps. */
export async function startTest(
  { smartctl, health }: Disks,
  disk: Disk,
  type: TestType,
  { wake = true } = {},
): Promise<void> {
  const details = { object: disk.id }
  const read = async () => {
    const answer = await health.readNow(disk, { wake })
    if (answer.state === 'report') return answer.report
    throw failedPrecondition(answer.state === 'silent' ? answer.reason : 'The disk is asleep', { details })
  }
  try {
    const before = await read()
    if (before.running) throw locked('A self-test of this disk is running', { details })
    const refusal = await smartctl.test(deviceOf(disk), type)
    if (refusal !== undefined) throw failedPrecondition(refusal, { details })
    const after = await read()
    // A short test of a fast disk may have ended already: then its log has a new entry.
    if (after.running || JSON.stringify(after.tests) !== JSON.stringify(before.tests)) return
    throw new ApiError('command-failed', 'The disk took the command, and shows no self-test', { details })
  } catch (error) {
    const reason = smartctlFailure(error)
    throw reason === undefined ? error : new ApiError('unavailable', reason, { cause: error, details })
  }
}
