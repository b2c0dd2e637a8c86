// What the kernel refused, as an error for the caller. The kernel gives only numbers, so the step that failed decides what the caller has
// to do.
import { StepError } from '../../drivers/lio.ts'
import { toolMessage } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import { ApiError, type ErrorKind, errno, isFull, noSpace } from '../../errors.ts'
import { toolFailure } from '../tool-failure.ts'
import { zvolOf } from './target.ts'

export function iscsiFailure(error: unknown, object: string): unknown {
  if (error instanceof StepError) return stepFailure(error, object)
  if (isFull(error)) return noSpace(error)
  // The script could not even begin.
  if (error instanceof CommandError && error.reason === 'status')
    return new ApiError('unavailable', toolMessage(error) || 'LIO is not there', { cause: error, details: { object } })
  return errno(error) === undefined
    ? toolFailure(error, object)
    : new ApiError('internal', 'The iSCSI configuration cannot be saved', { cause: error, details: { object } })
}

function stepFailure(error: StepError, target: string): ApiError {
  const { step, words } = error
  const [operation, path, value] = step
  const failure = (kind: ErrorKind, message: string, object = target) =>
    new ApiError(kind, `${message}: ${words}`, { cause: error, details: { object } })
  if (operation === 'device') return failure('unavailable', 'The zvol has no device', zvolOf(path) ?? target)
  const [kind, last] = [path.split('/')[0], path.replace(/.*\//, '')]
  if (kind === 'core' && last === 'enable') return failure('busy', 'The zvol cannot be used')
  if (operation === 'mkdir' && /\/np\/[^/]+$/.test(path))
    return failure('unavailable', `The portal ${last} cannot be opened`)
  // Values may be secrets; the name of what was written is enough.
  return failure('command-failed', value === undefined ? `LIO refused to ${operation} ${last}` : `LIO refused ${last}`)
}
