// The headers of every answer of every surface. Each function returns one object literal: merging ten members from
// parts would produce as much garbage as the rest of a small request.
import type { Request } from '../request.ts'

type Headers = (request: Pick<Request, 'id'>) => Record<string, string>

/** `policy`: the Content-Security-Policy. `Content-Type` is empty, for each reply to set. */
export const baseHeaders =
  (policy: string): Headers =>
  ({ id }) => ({
    // Without includeSubDomains: other hosts below this name are not ours.
    'Strict-Transport-Security': 'max-age=31536000',
    'X-Frame-Options': 'deny',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'X-Request-Id': id,
    'Content-Type': '',
  })

/** The same with a header that only old clients look for, in the order that they have always received. */
export const baseHeadersWithXss =
  (policy: string): Headers =>
  ({ id }) => ({
    'Strict-Transport-Security': 'max-age=31536000',
    'X-Frame-Options': 'deny',
    'X-XSS-Protection': '1',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'X-Request-Id': id,
    'Content-Type': '',
  })
