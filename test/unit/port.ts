// A small application behind the real listener, and peers that behave as they like: for the tests of what a peer can do to the port.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { Hono } from 'hono'
import type { Env } from '../../src/http/request.ts'
import { type Listener, type ListenOptions, listen } from '../../src/http/server/listener.ts'
import type { PlacesOptions } from '../../src/http/server/places.ts'
import type { Timing } from '../../src/http/server/timing.ts'

/** Limits that a test can wait for, and that a busy machine keeps. Left out, the real ones hold. */
export const SHORT: Timing = { handshake: 5000, headers: 600, idle: 600, stalled: 400, grace: 100, look: 25 }

/** For all ports of a test file: a certificate is made once. */
const root = mkdtempSync(join(tmpdir(), 'edge-admin-port-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true }))

export interface Port extends Listener {
  number: number
  host: string
  tls: boolean
  /** Paths of the requests that reached the application, in order. */
  served: string[]
  warnings: string[]
}

export interface PortOptions {
  tls?: boolean
  host?: string
  places?: Partial<PlacesOptions>
  timing?: Partial<Timing>
  more?: ListenOptions['more']
}

/** `/big` is a megabyte, `/slow` never answers, `/echo` is what it was sent, everything else is `ok`. */
export async function openPort({
  tls = false,
  host = '127.0.0.1',
  places,
  timing = {},
  more = [],
}: PortOptions = {}): Promise<Port> {
  const folders = { root, sysconf: root, data: root, state: root }
  const served: string[] = []
  const warnings: string[] = []
  const app = new Hono<Env>()
  const big = 'x'.repeat(1 << 20)
  app.all('*', (c): Response | Promise<Response> => {
    served.push(c.req.path)
    if (c.req.path === '/slow') return new Promise<Response>(() => {})
    if (c.req.path === '/echo') return c.req.text().then((text) => c.text(text))
    return c.text(c.req.path === '/big' ? big : `ok ${c.req.path}`)
  })
  const listener = await listen({
    ...{ app, folders, host, port: 0, more, tls, timing },
    places: { most: 1000, perAddress: 1000, isProxy: () => false, known: () => false, ...places },
    warn: (text) => void warnings.push(text),
  })
  return {
    ...listener,
    ...{ number: Number(new URL(listener.url).port), host, tls, served, warnings },
  }
}

/** A TCP connection; one that never closes its half by itself. */
export function dial(port: Port, from = '127.0.0.1'): Promise<Socket> {
  const local = port.host === '127.0.0.1' ? { localAddress: from } : {}
  const socket = connect({ host: port.host, port: port.number, allowHalfOpen: true, ...local })
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
    // It was refused: the test finds it closed.
    socket.once('close', () => resolve(socket))
  })
}

/** The same with TLS where the port speaks it. */
export async function speak(port: Port, from?: string): Promise<Socket | TLSSocket> {
  const raw = await dial(port, from)
  if (!port.tls) return raw
  const socket = tlsConnect({ socket: raw, rejectUnauthorized: false })
  socket.allowHalfOpen = true
  socket.on('error', () => {})
  await new Promise<void>((resolve) => {
    socket.once('secureConnect', () => resolve())
    socket.once('close', () => resolve())
  })
  return socket
}

/** Everything that a socket says until the other side ends, or `enough` is satisfied. */
export function hear(socket: Socket, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const done = () => resolve(text)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough(text)) done()
    })
    socket.once('end', done)
    socket.once('close', done)
    if (socket.destroyed || socket.readableEnded) done()
  })
}

/** The status line of the answer to these bytes, and what stands under its headers. */
export async function answerTo(port: Port, text: string, from?: string): Promise<string> {
  const socket = await speak(port, from)
  socket.write(text, 'latin1')
  const answer = await hear(socket)
  socket.destroy()
  return answer
}

export const GET = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

/** Whether somebody from this address gets an answer. */
export async function works(port: Port, from?: string): Promise<boolean> {
  return (await answerTo(port, GET('/ok', 'Connection: close\r\n'), from)).startsWith('HTTP/1.1 200')
}
