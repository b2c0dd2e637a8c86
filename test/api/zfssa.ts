// The ZFSSA surface for tests: an appliance with it switched on, and clients that authenticate in each of the ways.
import type { Role } from '../../src/auth/principal.ts'
import type { InProcess, Options } from './appliance.ts'
import type { CallOptions } from './client.ts'
import { addCaller, ask, type JsonAnswer, PASSWORD } from './controller.ts'

export const ZFSSA: Options = { config: { surfaces: { zfssa: { enabled: true } } } }

export type Auth = { basic: string; password?: string } | { user: string; password?: string } | { session: string }

/** The headers of a client that authenticates so. */
export function authHeaders(auth: Auth): Record<string, string> {
  if ('session' in auth) return { 'X-Auth-Session': auth.session }
  const password = auth.password ?? PASSWORD
  if ('user' in auth) return { 'X-Auth-User': auth.user, 'X-Auth-Key': password }
  return { Authorization: `Basic ${Buffer.from(`${auth.basic}:${password}`).toString('base64')}` }
}

/** One call as the clients make it; the answer's JSON is parsed. */
export function asks(
  { url }: Pick<InProcess, 'url'>,
  method: string,
  path: string,
  { auth, json, headers, ...options }: CallOptions & { auth?: Auth; json?: unknown } = {},
): Promise<JsonAnswer> {
  return ask(url, method, path, { ...options, json, headers: { ...(auth && authHeaders(auth)), ...headers } })
}

/** Begins a session of an account; its token. */
export async function session(appliance: InProcess, user: string): Promise<string> {
  const { status, headers } = await asks(appliance, 'POST', '/api/access/v1', { auth: { basic: user } })
  if (status !== 201) throw new Error(`no session for ${user}: ${status}`)
  return String(headers['x-auth-session'])
}

/** An account of this role, by the name of its role. */
export const account = (appliance: InProcess, role: Role) => addCaller(appliance.folders, role)
