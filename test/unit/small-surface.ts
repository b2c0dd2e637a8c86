// A surface of a few lines, for tests of what all surfaces share: `token=viewer` (or another role) proves an account of that role. No port is
// opened; where a request needs the one underneath, it is made of its headers and its body.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { type Principal, ROLES, type Role } from '../../src/auth/principal.ts'
import { Configuration } from '../../src/config.ts'
import { ApiError } from '../../src/errors.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import type { AuditLog } from '../../src/http/pipeline/audit.ts'
import type { AuditEntry } from '../../src/http/pipeline/audit-entry.ts'
import { mount } from '../../src/http/pipeline/mount.ts'
import { codedFailure } from '../../src/http/reply/coded-failure.ts'
import { json } from '../../src/http/reply/reply.ts'
import type { Env } from '../../src/http/request.ts'
import type { MountOptions, Surface } from '../../src/http/surface.ts'
import { KeyedMutex } from '../../src/store/keyed-mutex.ts'

/** What most declarations have in common. */
export const declare = (more: Partial<Endpoint<object>> = {}): Endpoint<object> => ({
  ...{ method: 'GET', path: '/things', id: 'listThings', summary: 'x', tag: 'x', permission: 'viewer' },
  ...{ response: 'application/json', handle: () => json({ done: true }) },
  ...more,
})

export const account = (role: Role): Principal => ({
  ...{ account: { id: `user-${role}`, name: `the ${role}`, generation: 1 }, role, via: 'jwt' },
  session: { id: 't', expires: 4e9, until: 4e12 },
})

export interface Sent {
  headers?: Record<string, string>
  body?: string
  /** Headers of the request underneath come twice. */
  twice?: string[]
}

/** Mounts them; `ask` sends a request, and gives what came of it. */
export function small(
  endpoints: Endpoint<object>[],
  surface: Partial<Surface> = {},
  options: Partial<MountOptions<object>> = {},
) {
  const entries: AuditEntry[] = []
  const answered: [status: number, error: unknown][] = []
  const saves: (() => Promise<void>)[] = []
  const app = new Hono<Env>()
  const audit = {
    write: (entry: AuditEntry) => void entries.push(entry),
    saved: () => saves.shift()?.() ?? Promise.resolve(),
  } as unknown as AuditLog
  mount({
    surface: {
      ...{ name: 'small', parameters: ['token'], anonymousActor: 'nobody', targets: 'resource' },
      gate: () => {},
      authenticate: (_request, { token }) => {
        const role = ROLES.find((one) => one === token)
        return role && account(role)
      },
      refuse: (_request, principal) => new ApiError(principal ? 'forbidden' : 'unauthenticated', 'No'),
      wrongMethod: (method, allowed) =>
        new ApiError('wrong-method', `No ${method}`, { details: { allow: allowed.join(', ') } }),
      renderError: (error) => codedFailure(error),
      headers: ({ id }) => ({ 'X-Request-Id': id }),
      ...surface,
    },
    ...{ app, endpoints, deps: {}, config: Configuration.parse({}), audit, turns: new KeyedMutex() },
    ...{ stopping: new AbortController().signal, callerOf: () => '192.0.2.1' },
    incoming: { uploads: '/nowhere', task: '/nowhere' },
    answered: (_request, status, error) => void answered.push([status, error]),
    ...options,
  })
  const ask = async (method: string, path: string, { headers = {}, body, twice = [] }: Sent = {}) => {
    let continued = 0
    const incoming = Object.assign(Readable.from(body === undefined ? [] : [Buffer.from(body)]), {
      ...{ httpVersion: '1.1', socket: { destroy: () => {} }, complete: true },
      headers: { ...(body !== undefined && { 'content-length': `${body.length}` }), ...headers },
      headersDistinct: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, twice.includes(name) ? [value, value] : [value]]),
      ),
    }) as unknown as IncomingMessage
    const outgoing = { writeContinue: () => void continued++ } as unknown as ServerResponse
    const answer = await app.request(path, { method, headers }, { incoming, outgoing })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type') === 'application/json' && text !== ''
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
      continued,
    }
  }
  /** The status alone, and the words of a refusal. */
  const told = async (...request: Parameters<typeof ask>) => {
    const { status, json } = await ask(...request)
    return status < 400 ? status : `${status} ${json?.message}`
  }
  return { app, ask, told, entries, answered, saves }
}
