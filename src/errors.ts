// The one error that code throws on purpose. `kind` says what went wrong; it knows no status, because each dialect has its own: HTTP's usual
// ones (http/status.ts), gRPC's numbers, names such as ERR_OBJECT_EXISTS. Two kinds are worth keeping apart where the caller would do
// something else about them, or where one of those dialects has a word for each; otherwise one kind is enough.
//
// What stands in the way of a change has most kinds, since the caller's next step differs:
//   exists               another thing has this name: choose another one
//   in-use               something else depends on it, and is named: end that first
//   locked               another request or task is at work on it: wait, then send the same again
//   busy                 a program or the kernel says that it is busy, and not with what: the same again may help
//   confirm-required     it would take more with it than was agreed to: look at the plan, and agree to that
//   changed              it is not the thing any more that was looked at: look again
//   failed-precondition  the state of the system does not allow it: change that state first
//   cancelled            somebody ended it while it ran
// `condition-failed` is another matter: a condition in the request's own headers (If-Match) does not hold.
//
// The trap: `message` reaches the client and, on the admin surface, a response header. Never put a user's text, a path or a command line
// into it; `cause` is for the log.

/** Every kind; each surface has a table of its own from kind to status. */
export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'wrong-method',
  'timeout',
  'exists',
  'in-use',
  'locked',
  'busy',
  'confirm-required',
  'changed',
  'failed-precondition',
  'cancelled',
  'condition-failed',
  'too-large',
  'out-of-range',
  'unsupported',
  'unprocessable',
  'too-many',
  'headers-too-large',
  'internal',
  'not-implemented',
  'command-failed',
  'unavailable',
  'wrong-version',
  'no-space',
] as const
export type ErrorKind = (typeof ERROR_KINDS)[number]

/** Machine-readable extras, rendered by the surfaces that have a place for them. */
export interface ErrorDetails {
  /** The field of the request that it is about; empty for the body as a whole. */
  field?: string | undefined
  /** What is wrong with that field, where the dialect has a word for it. */
  wrong?: 'unknown' | 'missing' | undefined
  /** The object that it is about: a pool, a dataset, an id. */
  object?: string | undefined
  /** The product's own code of this failure (`E1004`). */
  code?: string | undefined
  /** Each field that is wrong. */
  errors?: readonly { field: string; message: string }[] | undefined
  /** Why, where the message has the words of the original. */
  reason?: string | undefined
  /** The methods that the path has, for `Allow`. */
  allow?: string | undefined
  /** For `Content-Range`. */
  contentRange?: string | undefined
}

export interface ErrorOptions {
  details?: ErrorDetails
  cause?: unknown
  /** Seconds, for a Retry-After header. */
  retryAfter?: number
  /** Words for a refusal that the original makes without a message: every surface shows them but where it stands in for the original. */
  words?: string
}

export class ApiError extends Error {
  readonly kind: ErrorKind
  readonly details: ErrorDetails | undefined
  readonly retryAfter: number | undefined
  /** What to say to the caller: the message, or what stands in for one. */
  readonly words: string

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ApiError'
    this.kind = kind
    this.details = options.details
    this.retryAfter = options.retryAfter
    this.words = message || (options.words ?? '')
  }
}

/** Bad input. An empty message is legal, with `words` beside it: the original answers some bad input with a bare 400. */
export const invalid = (message: string, options?: ErrorOptions) => new ApiError('invalid', message, options)
export const notFound = (message = '', options?: ErrorOptions) => new ApiError('not-found', message, options)
export const exists = (message: string, options?: ErrorOptions) => new ApiError('exists', message, options)
export const inUse = (message: string, options?: ErrorOptions) => new ApiError('in-use', message, options)
export const locked = (message: string, options?: ErrorOptions) => new ApiError('locked', message, options)
export const confirmRequired = (message: string, options?: ErrorOptions) =>
  new ApiError('confirm-required', message, options)
export const changed = (message: string, options?: ErrorOptions) => new ApiError('changed', message, options)
export const failedPrecondition = (message: string, options?: ErrorOptions) =>
  new ApiError('failed-precondition', message, options)
/** The caller may come back after so many seconds, at least one. */
export function tooMany(what: string, seconds: number): ApiError {
  const retryAfter = Math.max(1, seconds)
  return new ApiError('too-many', `Too many ${what}. Try again in ${retryAfter} second${retryAfter === 1 ? '' : 's'}`, {
    retryAfter,
  })
}

/** A full disk may be met by any write, so nobody has to catch it; anything else that was thrown by mistake is an internal error. The cause is for the log. */
export function knownError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return isFull(error) ? noSpace(error) : new ApiError('internal', '', { cause: error })
}

/** The disk, or the caller's share of it, is full. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errno(error) ?? '')
export const NO_SPACE = 'Not enough free disk space'
export const noSpace = (cause: unknown) => new ApiError('no-space', NO_SPACE, { cause })

/** Lets an expression throw: `value ?? raise(notFound())`. */
export function raise(error: Error): never {
  throw error
}

/** The system's code of a failed call (`ENOENT`), whatever it was that was thrown. */
export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
