// Errors as faults (ZFSSA RESTful API guide, "Appliance Errors" and table 1-2): `{"fault":{"message":"ERR_…",…}}`.
// Clients compare the status only; 500 makes OpenStack's drivers log in anew ten times, so it is left to real bugs.
import * as z from 'zod'
import type { ApiError, ErrorKind } from '../../errors.ts'
import type { Reply } from '../../http/reply/reply.ts'
import { json } from './json.ts'

/** Table 1-2. ERR_STATE_CHANGED has no number there. The last four are not in the table: it has nothing for them. */
export const CODES = {
  ERR_INVALID_ARG: 400,
  ERR_UNKNOWN_ARG: 400,
  ERR_MISSING_ARG: 400,
  ERR_UNAUTHORIZED: 401,
  ERR_DENIED: 403,
  ERR_STATE_CHANGED: 409,
  ERR_NOT_FOUND: 404,
  ERR_OBJECT_EXISTS: 409,
  ERR_CONFIRM_REQUIRED: 409,
  ERR_OVER_LIMIT: 413,
  ERR_UNSUPPORTED_MEDIA: 415,
  ERR_NOT_IMPLEMENTED: 501,
  ERR_BUSY: 503,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_TIMEOUT: 408,
  ERR_PRECONDITION: 412,
  ERR_INTERNAL: 500,
} as const
type Code = keyof typeof CODES

/**
 * `too-many` is a 503: none of the clients knows 429, and all of them repeat after a 503. What a program of the system
 * refuses, or a full disk, is the state of the system (409): after a 500 or a 507 the clients would log in anew.
 */
const KINDS = {
  invalid: 'ERR_INVALID_ARG',
  unauthenticated: 'ERR_UNAUTHORIZED',
  forbidden: 'ERR_DENIED',
  'not-found': 'ERR_NOT_FOUND',
  'wrong-method': 'ERR_METHOD_NOT_ALLOWED',
  timeout: 'ERR_TIMEOUT',
  exists: 'ERR_OBJECT_EXISTS',
  'in-use': 'ERR_STATE_CHANGED',
  locked: 'ERR_BUSY',
  busy: 'ERR_BUSY',
  'confirm-required': 'ERR_CONFIRM_REQUIRED',
  changed: 'ERR_STATE_CHANGED',
  'failed-precondition': 'ERR_STATE_CHANGED',
  cancelled: 'ERR_STATE_CHANGED',
  'condition-failed': 'ERR_PRECONDITION',
  'too-large': 'ERR_OVER_LIMIT',
  'out-of-range': 'ERR_INVALID_ARG',
  unsupported: 'ERR_UNSUPPORTED_MEDIA',
  unprocessable: 'ERR_INVALID_ARG',
  'too-many': 'ERR_BUSY',
  'headers-too-large': 'ERR_OVER_LIMIT',
  internal: 'ERR_INTERNAL',
  'not-implemented': 'ERR_NOT_IMPLEMENTED',
  'command-failed': 'ERR_STATE_CHANGED',
  unavailable: 'ERR_BUSY',
  'wrong-version': 'ERR_INVALID_ARG',
  'no-space': 'ERR_STATE_CHANGED',
} as const satisfies Record<ErrorKind, Code>

/** Details for errors without words. */
const DETAILS: Partial<Record<ErrorKind, string>> = {
  invalid: 'The request is not well-formed',
  'not-found': 'The requested item was not found',
  'wrong-method': 'The resource does not have this method',
  timeout: 'The request did not arrive in time',
  'too-large': 'The request is too large',
  'headers-too-large': 'The request line and the headers are too long',
  'wrong-version': 'Expected HTTP/1.1',
  internal: 'Internal error; the log has more under the request id',
}

/** Seconds after which a client should repeat what found the appliance busy. */
const REPEAT_AFTER = 1

export const Fault = z
  .object({
    fault: z.object({
      message: z.enum(Object.keys(CODES) as [Code, ...Code[]]),
      details: z.string(),
      code: z.int().describe('the HTTP status'),
      name: z.string().describe('the same as the message: some clients read it here'),
    }),
  })
  .meta({ id: 'Fault' })

export function fault({ kind, words, details = {}, retryAfter }: ApiError): Reply {
  const name = (kind === 'invalid' && WRONG[details.wrong ?? 'value']) || KINDS[kind]
  const status = CODES[name]
  const after = retryAfter ?? (status === 503 ? REPEAT_AFTER : undefined)
  const { allow, field } = details
  const text = words || DETAILS[kind] || name
  // Most messages about a field do not name it.
  const about = field && !text.includes(field) ? `${field}: ${text}` : text
  return json({ fault: { message: name, details: about, code: status, name } }, status, {
    ...(after !== undefined && { 'Retry-After': String(after) }),
    ...(allow !== undefined && { Allow: allow }),
  })
}

const WRONG = { unknown: 'ERR_UNKNOWN_ARG', missing: 'ERR_MISSING_ARG', value: 'ERR_INVALID_ARG' } as const
