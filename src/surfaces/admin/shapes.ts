// The original's response shapes: `{"Status":"200 OK"}`, errors with an Error-Message in body and header, and log lines joined by
// backslash and n.
import * as z from 'zod'
import { type ApiError, type ErrorKind, invalid } from '../../errors.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import { STATUS } from '../../http/status.ts'
import { PREFIX } from './context.ts'

const REASONS: Record<number, string> = {
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
}

/** The original knows only a few of these; the rest are HTTP's usual statuses. */
export const STATUSES = STATUS satisfies Record<ErrorKind, number>

/** `200 OK` */
export const statusText = (status: number) => `${status} ${REASONS[status] ?? 'Error'}`

export const Done = z.object({ Status: z.literal('200 OK') }).meta({ id: 'Done' })
export const Accepted = z.object({ Status: z.literal('202 Accepted'), Location: z.string() }).meta({ id: 'Accepted' })
export const Failure = z
  .object({
    Status: z.string(),
    'Error-Message': z.string().optional(),
    'Error-Reason': z.string().optional().describe('why, where the message has the original’s words'),
    'error-code': z.string().optional(),
    'First-Run': z.boolean().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Error' })

export const done = (): Reply => json({ Status: statusText(200) })

/** A long-running change was started; its state is at the same path. */
export function accepted(name: string): Reply {
  const location = `${PREFIX}/${name}`
  return json({ Status: statusText(202), Location: location }, 202, { Location: location })
}

/** A form without one of its files: the commonest mistake is to send the file as the body itself. */
export const fileMissing = (name: string) =>
  invalid('', { words: `Expected a file for option: ${name}. Send it as a part of a form: curl -F ${name}=@FILE` })

/** Messages for errors that were thrown without one. */
function plainWords({ kind, details }: ApiError): string {
  const allow = details?.allow
  switch (kind) {
    case 'invalid':
      return 'The request is malformed'
    case 'not-found':
      return 'There is nothing at this path, or it is switched off'
    case 'wrong-method':
      return allow !== undefined ? `Method not allowed. Allowed: ${allow}` : 'Method not allowed'
    default:
      return kind === 'internal' ? 'Internal error. The log has more under the X-Request-Id of this answer' : ''
  }
}

/**
 * `firstRun`: whether set-up is pending, undefined if the feature is off. Bodies to which the original gives no message
 * never contain it. In strict mode they have a message anyway: one more member does not break clients.
 */
export function failure(error: ApiError, firstRun: boolean | undefined, mode: 'strict' | 'original'): Reply {
  const { message, details, retryAfter } = error
  const status = STATUSES[error.kind]
  const headers: Record<string, string> = {}
  const body: Record<string, unknown> = { Status: statusText(status) }
  const words = mode === 'strict' ? error.words || plainWords(error) : message
  if (words) {
    body['Error-Message'] = words
    // A header must be ASCII.
    headers['Error-Message'] = words.replaceAll('’', "'")
  }
  // In addition to the original's message, never instead of it.
  if (mode === 'strict' && details?.errors) body['errors'] = details.errors
  const reason = mode === 'strict' ? details?.reason : undefined
  if (reason !== undefined) body['Error-Reason'] = reason
  const code = details?.code
  if (code !== undefined) body['error-code'] = code
  if (message && firstRun !== undefined) body['First-Run'] = firstRun
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter)
  if (details?.allow !== undefined) headers['Allow'] = details.allow
  if (details?.contentRange !== undefined) headers['Content-Range'] = details.contentRange
  return json(body, status, headers)
}

/** Clients expect each line break as the two characters backslash and n, and convert them themselves. */
export const literalLines = (text: string | null) => text?.replaceAll('\n', '\\n') ?? null
