// A storage program's failure as the error that a caller sees. A feature that knows what the program's words mean
// (exists, busy, no such pool) reads them itself, and leaves the rest to this.

import { toolMessage } from '../drivers/programs.ts'
import { CommandError } from '../drivers/run.ts'
import { ApiError } from '../errors.ts'

/** An ApiError for a CommandError, naming the program and its own words; anything else comes back as it is. */
export function toolFailure(error: unknown, object?: string): unknown {
  if (!(error instanceof CommandError)) return error
  const program = error.argv[0]?.replace(/.*\//, '') ?? 'the program'
  const options = { cause: error, ...(object !== undefined && { details: { object } }) }
  const words = toolMessage(error)
  switch (error.reason) {
    case 'missing':
    case 'start':
      return new ApiError('unavailable', `${program} is not installed or cannot be started`, options)
    case 'timeout':
      return new ApiError('unavailable', `${program} did not answer in time`, options)
    case 'status':
      return new ApiError('command-failed', words || `${program} failed without a word`, options)
    default:
      return new ApiError('command-failed', `${program} ended unexpectedly`, options)
  }
}

/** Runs `work`; a program's failure in it becomes an error about `object`. */
export async function withToolErrors<T>(object: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toolFailure(error, object)
  }
}
