// A dialect that nobody speaks, whose habits can be chosen one by one: its errors, its statuses and its headers are unlike those of the product.
import * as z from 'zod'
import type { Principal } from '../../src/auth/principal.ts'
import { ApiError, type ErrorKind } from '../../src/errors.ts'
import { baseHeaders } from '../../src/http/reply/base-headers.ts'
import { json, type Reply, text } from '../../src/http/reply/reply.ts'
import type { Request } from '../../src/http/request.ts'
import type { Surface } from '../../src/http/surface.ts'
import type { Wire } from '../../src/http/wire.ts'

const headers = baseHeaders("default-src 'none'; frame-ancestors 'none'")

/** Statuses that HTTP does not know, beside those that it does. */
const STATUSES: Partial<Record<ErrorKind, number>> = {
  invalid: 510,
  unauthenticated: 401,
  'not-found': 404,
  'wrong-method': 405,
  unsupported: 415,
  'not-implemented': 501,
  unavailable: 520,
}

export const Fault = z.object({ fault: z.object({ kind: z.string(), message: z.string() }) })

/** What no route took is answered as text, everything else as a fault. */
function renderError({ kind, words, details }: ApiError, { template }: Request): Reply {
  if (kind === 'not-found' && template === '') return { ...text('No such toy\n'), status: 404 }
  const allow = details?.allow
  return json(
    { fault: { kind, message: words } },
    STATUSES[kind] ?? 500,
    typeof allow === 'string' ? { Allow: allow } : {},
  )
}

const player: Principal = {
  account: { id: 'user-toy', name: 'player', generation: 1 },
  role: 'operator',
  via: 'password',
}

export interface Toy {
  name: string
  wire?: Partial<Wire>
  claims?: NonNullable<Surface['claims']>
}

export const toySurface = ({ name, wire, claims }: Toy): Surface => ({
  name,
  ...(wire && { wire }),
  ...(claims && { claims }),
  parameters: ['token'],
  anonymousActor: 'nobody',
  targets: 'resource',
  gate: () => {},
  authenticate: (_request, { token }) => (token === 'marble' ? player : undefined),
  refuse: (_request, principal) => new ApiError(principal ? 'forbidden' : 'unauthenticated', 'Not yours'),
  wrongMethod: (method, allowed) =>
    new ApiError('wrong-method', `No ${method} here`, { details: { allow: allowed.join(', ') } }),
  renderError,
  // Which toy is asked for: it depends on the path.
  headers: (request) => ({ ...headers(request), 'X-Toy': request.path.split('/')[3] ?? '' }),
})
