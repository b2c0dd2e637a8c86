// The server with its controller surface on, and a caller who is logged in. `get` and fetch run in this process, so
// what they take is part of every wall time; the server's own share is what /proc says.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Appliance, get, type Served } from './appliance.ts'

export interface Controller extends Served {
  token: string
  password: string
}

interface Options {
  /** Folder of the storage programs, in place of the system's. */
  programs?: string | undefined
  /** More of the configuration. */
  config?: Record<string, unknown>
}

/** More of the command line, for a server with more in its configuration. */
export function configured({ root }: Appliance, more: Record<string, unknown>): string[] {
  const file = join(root, 'sysconf/more.json')
  const plain = JSON.parse(readFileSync(join(root, 'sysconf/edge-admin.json'), 'utf8'))
  writeFileSync(file, JSON.stringify({ ...plain, ...more }))
  return ['--config', file]
}

export async function serveController(appliance: Appliance, { programs, config }: Options = {}): Promise<Controller> {
  const controller = { enabled: true, 'requests-per-minute': 0 }
  const more = configured(appliance, { ...config, surfaces: { controller } })
  const served = await appliance.serve(false, [...more, ...(programs ? ['--programs', programs] : [])])
  const password = passwordOf(appliance)
  return { ...served, password, token: await logIn(served.url, password) }
}

export const passwordOf = ({ root }: Appliance): string =>
  readFileSync(join(root, 'state/admin.password'), 'utf8').trim()

export async function logIn(url: string, password: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ username: 'admin', password })
  const answer = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers, body })
  if (answer.status !== 200) throw new Error(`the login answered ${answer.status}`)
  return ((await answer.json()) as { token: string }).token
}

/** The body of an answer that has to be 200. */
export async function read({ url, token }: Controller, path: string): Promise<string> {
  const { status, body } = await get(`${url}/api/v1${path}`, { authorization: `Bearer ${token}` })
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body.slice(0, 200)}`)
  return body
}
