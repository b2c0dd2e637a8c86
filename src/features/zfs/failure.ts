// A refusal of `zfs` as an error for the caller, in the program's own words. It has one exit status for nearly everything, so the words
// decide whether the request was wrong or something stands in the way.

import { toolMessage } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import { ApiError, type ErrorKind } from '../../errors.ts'
import { toolFailure } from '../tool-failure.ts'

/** What stands in the way, the first that fits. */
export const CONFLICTS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/already exists/, 'exists'],
  [/busy/, 'busy'],
  [/being held|has children|dependent clones|clones of previous|more recent snapshots/, 'in-use'],
  [
    /out of space|greater than available|less than current used|currently suspended|legacy mountpoint/,
    'failed-precondition',
  ],
]

/** The first that fits. `scripts/zfs.sh` has the same for tasks. */
const MEANINGS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/does not exist|no such pool|could not find any snapshots|no such tag/, 'not-found'],
  ...CONFLICTS,
  [
    /must be|must not|invalid |bad |too long|too big|does not apply|is readonly|cannot be|not supported|is not a filesystem/,
    'invalid',
  ],
  [/failed to create mountpoint|directory is not empty/, 'invalid'],
]

/** Which of the caller's options the words are about. */
const ABOUT = /(?:invalid property |: )'([a-z][a-z0-9_.:-]*)'/

/** An ApiError about `object` for what a call of `zfs` threw; anything else comes back as it is. */
export function zfsFailure(error: unknown, object: string): unknown {
  if (!(error instanceof CommandError) || error.reason !== 'status') return toolFailure(error, object)
  const words = toolMessage(error)
  const kind = MEANINGS.find(([pattern]) => pattern.test(words))?.[1]
  if (kind === undefined) return toolFailure(error, object)
  const option = kind === 'invalid' ? ABOUT.exec(words)?.[1] : undefined
  const details = option === undefined ? { object } : { object, field: `options.${option}` }
  return new ApiError(kind, words, { details, cause: error })
}

/** As `withToolErrors`, for calls of `zfs`, whose words are known. */
export async function withZfsErrors<T>(object: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw zfsFailure(error, object)
  }
}
