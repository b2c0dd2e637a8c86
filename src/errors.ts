// The one error that code throws on purpose. It knows no surface: each surface renders it in its own words and shape.
// The trap: `message` reaches the client and, on the admin surface, a response header. Never put a user's text, a path or a
// command line into it; `cause` is for the log.

/** What went wrong, and so who must act: the caller (4xx) or us (5xx). */
export type ErrorKind = keyof typeof STATUS

const STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'wrong-method': 405,
  timeout: 408,
  busy: 409,
  'precondition-failed': 412,
  'too-large': 413,
  'out-of-range': 416,
  unsupported: 415,
  unprocessable: 422,
  'too-many': 429,
  'headers-too-large': 431,
  internal: 500,
  'not-implemented': 501,
  'command-failed': 502,
  unavailable: 503,
  'wrong-version': 505,
  'no-space': 507,
} as const

export interface ErrorOptions {
  /** Machine-readable extras, rendered by surfaces that have a place for them (an error code, the offending field). */
  details?: Record<string, unknown>
  cause?: unknown
  /** Seconds, for a Retry-After header. */
  retryAfter?: number
  /** Words for a refusal that the original makes without a message: every surface shows them but where it stands in for the original. */
  words?: string
}

export class ApiError extends Error {
  readonly kind: ErrorKind
  readonly details: Record<string, unknown> | undefined
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

  get status(): (typeof STATUS)[ErrorKind] {
    return STATUS[this.kind]
  }
}

/** Bad input. An empty message is legal, with `words` beside it: the original answers some bad input with a bare 400. */
export const invalid = (message: string, options?: ErrorOptions) => new ApiError('invalid', message, options)
export const notFound = (message = '', options?: ErrorOptions) => new ApiError('not-found', message, options)
/** Whoever was refused may come back after so many seconds, at least one. */
export function tooMany(what: string, seconds: number): ApiError {
  const retryAfter = Math.max(1, seconds)
  return new ApiError('too-many', `Too many ${what}. Try again in ${retryAfter} second${retryAfter === 1 ? '' : 's'}`, {
    retryAfter,
  })
}
export const busy = (message: string, options?: ErrorOptions) => new ApiError('busy', message, options)

/** Lets an expression throw: `value ?? raise(notFound())`. */
export function raise(error: Error): never {
  throw error
}

/** The system's code of a failed call (`ENOENT`), whatever it was that was thrown. */
export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
