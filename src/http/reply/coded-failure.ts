// Errors as `{code,message,details,errors}`, for the controller and the console. `details` is one string: the first
// field, or the object of the request. `errors` lists each field with what is wrong there.
import type { ApiError, ErrorKind } from '../../errors.ts'
import { STATUS } from '../status.ts'
import { json, type Reply } from './reply.ts'

/**
 * The contract has one code for everything that blocks a change. The last ones are our additions, where it has none.
 */
const CODES = {
  invalid: 'BAD_REQUEST',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  'not-found': 'NOT_FOUND',
  exists: 'CONFLICT',
  'in-use': 'CONFLICT',
  locked: 'CONFLICT',
  busy: 'CONFLICT',
  'confirm-required': 'CONFLICT',
  changed: 'CONFLICT',
  'failed-precondition': 'CONFLICT',
  cancelled: 'CONFLICT',
  internal: 'INTERNAL_ERROR',
  unavailable: 'SERVICE_UNAVAILABLE',
  'wrong-method': 'METHOD_NOT_ALLOWED',
  timeout: 'REQUEST_TIMEOUT',
  'condition-failed': 'PRECONDITION_FAILED',
  'too-large': 'PAYLOAD_TOO_LARGE',
  'out-of-range': 'RANGE_NOT_SATISFIABLE',
  unsupported: 'UNSUPPORTED_MEDIA_TYPE',
  unprocessable: 'UNPROCESSABLE',
  'too-many': 'TOO_MANY_REQUESTS',
  'headers-too-large': 'REQUEST_HEADER_FIELDS_TOO_LARGE',
  'not-implemented': 'NOT_IMPLEMENTED',
  'command-failed': 'COMMAND_FAILED',
  'wrong-version': 'HTTP_VERSION_NOT_SUPPORTED',
  'no-space': 'INSUFFICIENT_STORAGE',
} satisfies Record<ErrorKind, string>

/** Messages for errors that were thrown without one. */
const MESSAGES: Partial<Record<ErrorKind, string>> = {
  invalid: 'The request is not well-formed',
  'not-found': 'Not found',
  'wrong-method': 'Method not allowed',
  timeout: 'The request did not arrive in time',
  'too-large': 'The request is too large',
  'headers-too-large': 'The request line and the headers are too long',
  'wrong-version': 'Expected HTTP/1.1',
  internal: 'Internal error; the log has more under the request id',
}

export function codedFailure(
  { kind, words, details = {}, retryAfter }: ApiError,
  statuses: Record<ErrorKind, number> = STATUS,
): Reply {
  const headers: Record<string, string> = {}
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter)
  const { allow, field, object, contentRange } = details
  if (allow !== undefined) headers['Allow'] = allow
  if (contentRange !== undefined) headers['Content-Range'] = contentRange
  const about = field ?? object
  const code = kind === 'invalid' && field !== undefined ? 'VALIDATION_ERROR' : CODES[kind]
  const text = words || MESSAGES[kind] || code
  const body: Record<string, unknown> = { code, message: text }
  if (about) body['details'] = about
  const errors = details.errors ?? (field ? [{ field, message: text }] : undefined)
  if (errors) body['errors'] = errors
  return json(body, statuses[kind], headers)
}
