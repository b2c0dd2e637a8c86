// Errors as `{code,message,details,errors}`: the controller's dialect, and the console's. `details` is one string, the first field or the
// object that it is about; `errors` has each field with what is wrong there.
import type { ApiError, ErrorKind } from '../../errors.ts'
import { json, type Reply } from './reply.ts'

/** Those of facts/atlas.md; the rest has no word there and is ours. */
const CODES: Record<ErrorKind, string> = {
  invalid: 'BAD_REQUEST',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  'not-found': 'NOT_FOUND',
  'wrong-method': 'METHOD_NOT_ALLOWED',
  timeout: 'REQUEST_TIMEOUT',
  busy: 'CONFLICT',
  'precondition-failed': 'PRECONDITION_FAILED',
  'too-large': 'PAYLOAD_TOO_LARGE',
  'out-of-range': 'RANGE_NOT_SATISFIABLE',
  unsupported: 'UNSUPPORTED_MEDIA_TYPE',
  unprocessable: 'UNPROCESSABLE',
  'too-many': 'TOO_MANY_REQUESTS',
  'headers-too-large': 'REQUEST_HEADER_FIELDS_TOO_LARGE',
  internal: 'INTERNAL_ERROR',
  'not-implemented': 'NOT_IMPLEMENTED',
  'command-failed': 'COMMAND_FAILED',
  unavailable: 'SERVICE_UNAVAILABLE',
  'wrong-version': 'HTTP_VERSION_NOT_SUPPORTED',
  'no-space': 'INSUFFICIENT_STORAGE',
}

/** For errors that were thrown without a word for people. */
const MESSAGES: Partial<Record<ErrorKind, string>> = {
  invalid: 'The request is not well-formed',
  'not-found': 'Not found',
  internal: 'Internal error; the log has more under the request id',
}

export function codedFailure({ kind, status, words, details = {}, retryAfter }: ApiError): Reply {
  const headers: Record<string, string> = {}
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter)
  const { allow, field, object, contentRange } = details
  if (typeof allow === 'string') headers['Allow'] = allow
  if (typeof contentRange === 'string') headers['Content-Range'] = contentRange
  const about = field ?? object
  const code = kind === 'invalid' && field !== undefined ? 'VALIDATION_ERROR' : CODES[kind]
  const text = words || MESSAGES[kind] || code
  const body: Record<string, unknown> = { code, message: text }
  if (typeof about === 'string' && about) body['details'] = about
  const errors = details['errors'] ?? (typeof field === 'string' && field ? [{ field, message: text }] : undefined)
  if (errors) body['errors'] = errors
  return json(body, status, headers)
}
