// Schemas and response shapes that all declarations of this surface share.
import * as z from 'zod'
import type { ApiError, ErrorKind } from '../../errors.ts'
import { codedFailure } from '../../http/reply/coded-failure.ts'
import type { Reply } from '../../http/reply/reply.ts'
import { STATUS } from '../../http/status.ts'

export const Failure = z
  .object({
    code: z.string(),
    message: z.string(),
    details: z.string().optional().describe('the first field, or the object, that it is about'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('of fields: each that is wrong, and what would be right'),
  })
  .meta({ id: 'Error' })
export const Bytes = z.int().meta({ format: 'int64', description: 'bytes' })
export const Message = z.object({ message: z.string() }).meta({ id: 'Message' })

/** The contract answers with HTTP's usual statuses. */
export const STATUSES = STATUS satisfies Record<ErrorKind, number>

/** RFC 9110, 11.6.1: a 401 says how to authenticate. */
export function failure(error: ApiError): Reply {
  const reply = codedFailure(error, STATUSES)
  return error.kind === 'unauthenticated'
    ? { ...reply, headers: { ...reply.headers, 'WWW-Authenticate': 'Bearer' } }
    : reply
}
