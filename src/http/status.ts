// HTTP statuses for each kind of error: what a surface answers unless its dialect has others.
import { ApiError, type ErrorKind } from '../errors.ts'

export const STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'wrong-method': 405,
  timeout: 408,
  exists: 409,
  'in-use': 409,
  locked: 409,
  busy: 409,
  'confirm-required': 409,
  changed: 409,
  'failed-precondition': 409,
  cancelled: 409,
  'condition-failed': 412,
  'too-large': 413,
  unsupported: 415,
  'out-of-range': 416,
  unprocessable: 422,
  'too-many': 429,
  'headers-too-large': 431,
  internal: 500,
  'not-implemented': 501,
  'command-failed': 502,
  unavailable: 503,
  'wrong-version': 505,
  'no-space': 507,
} as const satisfies Record<ErrorKind, number>

/** Whether the caller was refused, rather than the server failed. A dialect may answer both with a status above 500. */
export const isRefusal = (error: unknown): boolean => error instanceof ApiError && STATUS[error.kind] < 500
