// Turns a failure of `zfs` into an API error with the program's own message. It has one exit status for nearly
// everything, so the message decides between a bad request and a conflict.

import { toolMessage } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import { ApiError, type ErrorKind } from '../../errors.ts'
import { toolFailure } from '../tool-failure.ts'

/** Conflicts, by message; the first match counts. */
export const CONFLICTS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/already exists/, 'exists'],
  [/busy/, 'busy'],
  [/being held|has children|dependent clones|clones of previous|more recent snapshots/, 'in-use'],
  [
    /out of space|greater than available|less than current used|currently suspended|legacy mountpoint/,
    'failed-precondition',
  ],
]

/** Kinds by message; the first match counts. `scripts/zfs.sh` has the same list for tasks. */
const MEANINGS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/does not exist|no such pool|could not find any snapshots|no such tag/, 'not-found'],
  ...CONFLICTS,
  [
    /must be|must not|invalid |bad |too long|too big|does not apply|is readonly|cannot be|not supported|is not a filesystem/,
    'invalid',
  ],
  [/failed to create mountpoint|directory is not empty/, 'invalid'],
]

/** The option that a message is about. */
const ABOUT = /(?:invalid property |: )'([a-z][a-z0-9_.:-]*)'/

/** An ApiError about `object` for an error of a `zfs` call; other errors are returned unchanged. */
export function zfsFailure(error: unknown, object: string): unknown {
  if (!(error instanceof CommandError) || error.reason !== 'status') return toolFailure(error, object)
  const words = toolMessage(error)
  const kind = MEANINGS.find(([pattern]) => pattern.test(words))?.[1]
  if (kind === undefined) return toolFailure(error, object)
  const option = kind === 'invalid' ? ABOUT.exec(words)?.[1] : undefined
  const details = option === undefined ? { object } : { object, field: `options.${option}` }
  return new ApiError(kind, words, { details, cause: error })
}

/** Like `withToolErrors`, for `zfs`, whose messages are known. */
export async function withZfsErrors<T>(object: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw zfsFailure(error, object)
  }
}
