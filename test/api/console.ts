// A browser of the console, for tests: it keeps the cookie and sends the header that changes need. It is no browser;
// what one does by itself (SameSite, Secure, the policy) is tested in test/browser.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../../src/folders.ts'
import type { Options } from './appliance.ts'
import type { CallOptions } from './client.ts'
import { ask, type JsonAnswer, oneTimePassword } from './controller.ts'

export const COOKIE = '__Host-edge-admin'
/** Milliseconds since 1970, moved by the test. */
export interface Clock {
  now: () => number
  /** Seconds. */
  forward: (seconds: number) => void
}
export function clock(): Clock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    forward(seconds) {
      ahead += seconds * 1000
    },
  }
}

export interface Browser {
  cookie: string
  csrf: string
  /** A request as the page makes it. */
  ask: (
    method: string,
    path: string,
    options?: CallOptions & { json?: unknown; csrf?: string | null },
  ) => Promise<JsonAnswer>
}

/** The cookie's value of an answer. */
export const cookieOf = ({ headers }: Pick<JsonAnswer, 'headers'>) =>
  new RegExp(`^${COOKIE}=([^;]*)`).exec(headers['set-cookie']?.[0] ?? '')?.[1] ?? ''

export function browser(url: string, cookie: string, csrf: string): Browser {
  return {
    cookie,
    csrf,
    ask: (method, path, { csrf: sent = csrf, headers, ...options } = {}) =>
      ask(url, method, path, {
        ...options,
        headers: {
          cookie: `${COOKIE}=${cookie}`,
          'sec-fetch-site': 'same-origin',
          ...(method !== 'GET' && sent !== null && { 'x-csrf-token': sent }),
          ...headers,
        },
      }),
  }
}

/** Signs in; throws when it is refused. */
export async function signIn(url: string, json: unknown, options: CallOptions = {}): Promise<Browser> {
  const answer = await ask(url, 'POST', '/console/session', { json, ...options })
  if (answer.status !== 201) throw new Error(`not signed in: ${answer.status} ${JSON.stringify(answer.json)}`)
  return browser(url, cookieOf(answer), answer.json.session.csrf)
}

export const readSessions = ({ state }: Folders): Record<string, unknown>[] =>
  JSON.parse(readFileSync(join(state, 'sessions.json'), 'utf8'))
export type { Options }
export { oneTimePassword }
