// The controller surface for tests: an appliance with it switched on, and callers of each role. Tokens are issued
// straight from the appliance's own secret and accounts, so that a test of something else does not pay for a login's
// hash.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSecret, Tokens } from '../../src/auth/jwt.ts'
import { hashPasswordNow } from '../../src/auth/password.ts'
import type { Role } from '../../src/auth/principal.ts'
import { newUserId, type StoredUser, UserStore } from '../../src/auth/users.ts'
import type { Folders } from '../../src/folders.ts'
import type { Options } from './appliance.ts'
import { type Answer, type CallOptions, call } from './client.ts'

/** No limit of requests: a test that wants one says so. */
export const ON: Options = { config: { surfaces: { controller: { enabled: true, 'requests-per-minute': 0 } } } }
export const PASSWORD = 'a-good-password-1'
export const oneTimePassword = ({ state }: Folders) => readFileSync(join(state, 'admin.password'), 'utf8').trim()

export interface JsonAnswer {
  status: number
  headers: Answer['headers']
  // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
  json: any
}

/** One call with a JSON body, and with a token when there is one. */
export async function ask(
  url: string,
  method: string,
  path: string,
  { bearer, json, headers, ...options }: CallOptions & { bearer?: string | undefined; json?: unknown } = {},
): Promise<JsonAnswer> {
  const answer = await call(url, method, path, {
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...options,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
  })
  const isJson = answer.body !== '' && answer.headers['content-type']?.startsWith('application/json')
  return {
    status: answer.status,
    headers: answer.headers,
    json: isJson ? JSON.parse(answer.body) : answer.body || undefined,
  }
}

export const logIn = (url: string, username: string, password: string, options: CallOptions = {}) =>
  ask(url, 'POST', '/api/v1/auth/login', { json: { username, password }, ...options })

export interface Caller {
  user: StoredUser
  token: string
}

let hash: string | undefined

/** An account of this role with PASSWORD, made behind the API's back, and a token of it. */
export async function addCaller(folders: Folders, role: Role, username: string = role): Promise<Caller> {
  const users = new UserStore(folders)
  const now = new Date().toISOString()
  const times = { created_at: now, updated_at: now }
  hash ??= hashPasswordNow(PASSWORD)
  const user = { id: newUserId(), username, role, active: true, ...times, hash, generation: 1, ended: [] }
  users.change((all) => all.push(user))
  return { user, token: await new Tokens(readSecret(folders), users).issue(user) }
}

/** Without the refusals of strangers: once there are many they are counted, and their number comes when a minute ends. */
export const withoutStrangers = (lines: string[]): string[] =>
  lines.filter((line) => !line.includes(',web,nobody,auth.unauthorized,'))
