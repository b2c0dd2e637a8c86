// The callers of the mixed load: each does one small thing, and says which statuses are right for it.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { multipart, type Part } from '../api/client.ts'

export interface Target {
  port: number
  token: string
  /** Of the accounts `admin` and `visitor`. */
  password: string
  jwt: string
  /** A file of noise that fails as an update. */
  noise: string
}

interface Sent {
  from?: string
  headers?: Record<string, string>
  json?: unknown
  form?: Part[]
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
}

/** One request on a connection that is closed afterwards. Only the first 64 KB of the answer are kept. */
export function send({ port }: Target, method: string, path: string, { from, headers, json, form }: Sent = {}) {
  const body = form ? multipart(form) : json === undefined ? undefined : jsonBody(json)
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      {
        ...{ host: '127.0.0.1', port, method, path, agent: false, rejectUnauthorized: false, timeout: 60_000 },
        ...(from && { localAddress: from }),
        headers: { ...(body && { 'Content-Type': body.type, 'Content-Length': body.body.length }), ...headers },
      },
      (incoming) => {
        let text = ''
        incoming.setEncoding('latin1')
        incoming.on('data', (chunk: string) => {
          if (text.length < 65_536) text += chunk
        })
        incoming.once('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: text.slice(0, 65_536) }),
        )
        incoming.once('error', reject)
      },
    )
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within a minute')))
    outgoing.once('error', reject)
    outgoing.end(body?.body)
  })
}

const jsonBody = (json: unknown) => ({ type: 'application/json', body: Buffer.from(JSON.stringify(json)) })

const ADMIN = '/api/v1/admin'

/** The path of a signed call of the admin surface. */
export function signed({ token }: Target, method: string, path: string): string {
  const key = createHash('sha256').update(token).digest('hex')
  return `${ADMIN}${path}?hash=${createHmac('sha256', key).update(`${method}${ADMIN}${path}`).digest('hex')}`
}

export const admin = (target: Target, method: string, path: string, sent?: Sent): Promise<Answer> =>
  send(target, method, signed(target, method, path), sent)

export const storage = (target: Target, method: string, path: string, json?: unknown): Promise<Answer> =>
  send(target, method, `/api/v1${path}`, { headers: { Authorization: `Bearer ${target.jwt}` }, json })

let turn = 0
/** Another address of the loopback network each time, out of some sixty thousand: strangers. */
const stranger = () => {
  turn = (turn + 1) % 62_500
  return `127.7.${Math.floor(turn / 250) + 1}.${(turn % 250) + 1}`
}

const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T

/** Throws when the answer is not one of those that are right. */
async function expectStatus(answer: Promise<Answer>, ...right: number[]): Promise<Answer> {
  const got = await answer
  if (!right.includes(got.status)) throw new Error(`${got.status} ${got.text.slice(0, 160)}`)
  return got
}

export const publicGet = (target: Target) =>
  expectStatus(send(target, 'GET', pick(['/', '/docs', '/docs/API.html', '/healthz', `${ADMIN}/openapi.json`])), 200)

export const adminGet = (target: Target) =>
  expectStatus(admin(target, 'GET', pick(['/version', '/health', '/changelog', '/endpoints', '/update'])), 200, 404)

export const storageGet = (target: Target) =>
  expectStatus(
    storage(
      target,
      'GET',
      pick(['/pools', '/datasets', '/snapshots', '/dashboard', '/audit?limit=50', '/jobs', '/users']),
    ),
    200,
  )

/** What a scraper of Prometheus asks. */
export const readMetrics = (target: Target) =>
  expectStatus(send(target, 'GET', '/metrics', { headers: { Authorization: `Bearer ${target.jwt}` } }), 200)

export const wrongHash = (target: Target) =>
  expectStatus(send(target, 'GET', `${ADMIN}/version?hash=${'0'.repeat(64)}`, { from: stranger() }), 403, 429)

export const wrongPath = (target: Target) =>
  expectStatus(send(target, 'GET', `/${Math.random()}/../${'x'.repeat(500)}`, { from: stranger() }), 400, 403, 404, 429)

const logInWith = (target: Target, username: string, password: string, from?: string) =>
  send(target, 'POST', '/api/v1/auth/login', { json: { username, password }, ...(from && { from }) })

export const wrongLogin = (target: Target) =>
  expectStatus(logInWith(target, 'admin', 'wrong-password-1', stranger()), 401, 429, 503)

/** Logs in and out again: an account of its own, since many log-outs end every token of an account. */
export async function logInAndOut(target: Target): Promise<void> {
  const { text } = await expectStatus(logInWith(target, 'visitor', target.password), 200)
  const jwt = (JSON.parse(text) as { token: string }).token
  await expectStatus(storage({ ...target, jwt }, 'POST', '/auth/logout'), 200, 204)
}

/** Signs in to the console, looks at the overview, signs out. */
export async function visitConsole(target: Target): Promise<void> {
  const page = await expectStatus(
    send(target, 'POST', '/console/session', { json: { username: 'admin', password: target.password } }),
    201,
  )
  const cookie = String(page.headers['set-cookie']).split(';', 1)[0] ?? ''
  const csrf = /"csrf":"([^"]+)"/.exec(page.text)?.[1] ?? ''
  for (let i = 0; i < 5; i++)
    await expectStatus(send(target, 'GET', '/console/overview', { headers: { Cookie: cookie } }), 200)
  await expectStatus(
    send(target, 'DELETE', '/console/session', { headers: { Cookie: cookie, 'X-CSRF-Token': csrf } }),
    200,
  )
}

let made = 0
/** A dataset with a snapshot comes and goes. */
export async function changeStorage(target: Target): Promise<void> {
  const name = `tank/soak-${made++}`
  await expectStatus(storage(target, 'POST', '/datasets', { name }), 201)
  await expectStatus(storage(target, 'POST', '/snapshots', { dataset: name, name: 'one' }), 201)
  await expectStatus(storage(target, 'DELETE', `/datasets/${name}?recursive=true`), 200, 204)
  await expectStatus(storage(target, 'DELETE', `/datasets/${name}`), 404)
}

/** Reads events for some seconds. */
export function readEvents(target: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...{ host: '127.0.0.1', port: target.port, path: '/api/v1/jobs/events', agent: false, rejectUnauthorized: false },
      headers: { Authorization: `Bearer ${target.jwt}` },
    })
    outgoing.once('response', (incoming) => {
      incoming.resume()
      setTimeout(() => {
        outgoing.destroy()
        if (incoming.statusCode === 200) resolve()
        else reject(new Error(`events: ${incoming.statusCode}`))
      }, 10_000)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Connections that do what no client does. Each is given up by us after 20 seconds at the latest. */
export async function badConnection({ port }: Target): Promise<void> {
  const kind = pick(['silent', 'half a hello', 'plain', 'half closed', 'stalled', 'garbage'])
  const socket: Socket = ['half closed', 'stalled', 'garbage'].includes(kind)
    ? connectTls({ socket: connect({ host: '127.0.0.1', port, allowHalfOpen: true }), rejectUnauthorized: false })
    : connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const text: Record<string, string | Buffer> = {
    'half a hello': Buffer.from('16030100f8010000f40303', 'hex'),
    plain: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    stalled: 'GET /healthz HTTP/1.1\r\nHo',
    garbage: '\x00\x01\x02 nonsense\r\n\r\n',
  }
  const words = text[kind]
  if (words !== undefined) socket.write(words)
  socket.resume()
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.once('error', () => resolve())
    setTimeout(resolve, 20_000)
  })
  socket.destroy()
}

async function ended(target: Target, path: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const { text } = await admin(target, 'GET', path)
    if (!text.includes('"running"') && !text.includes('"pending"')) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`${path} does not end`)
}

/** An update that is no package: sent, stored, hashed, refused. */
export async function upload(target: Target): Promise<void> {
  const form = [{ name: 'update', value: readFileSync(target.noise), filename: 'package.enc' }]
  await expectStatus(admin(target, 'POST', '/update', { form }), 202, 400)
  await ended(target, '/update')
}

/** A backup is made, fetched and removed; a certificate and settings are refused. */
export async function administer(target: Target): Promise<void> {
  await expectStatus(admin(target, 'POST', '/backup', { form: [{ name: 'action', value: 'START' }] }), 202)
  await ended(target, '/backup')
  await expectStatus(admin(target, 'GET', '/backup/download'), 200)
  await expectStatus(admin(target, 'POST', '/backup', { form: [{ name: 'action', value: 'STOP' }] }), 200, 202)
  await expectStatus(
    admin(target, 'POST', '/settings', {
      form: [{ name: 'settings', value: '{"network":{"hostname":"-"}}', filename: 'settings.json' }],
    }),
    400,
  )
}
