// A client that sends exactly what it is told: no path is tidied, no header is added behind one's back (fetch does
// both). A server that refuses a body may close while we still write; an answer that came counts, whatever the socket
// says after it.
import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

/** In a virtual machine everything takes several times as long: no wait gives up sooner than this, in seconds. */
const PATIENCE = Number(process.env['EDGE_PATIENCE'] ?? 0)

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  bytes: Buffer
}

export interface CallOptions {
  token?: string
  /** The token to sign with, or a hash as it is. */
  hash?: string
  sign?: string
  query?: Record<string, string>
  form?: Part[]
  body?: string | Buffer
  headers?: Record<string, string | string[]>
  /** 127.0.0.2 …: another caller. */
  from?: string
}

export interface Part {
  name: string
  value: string | Buffer
  filename?: string
}

export const PREFIX = '/api/v1/admin'
export const keyOf = (token: string) => createHash('sha256').update(token).digest('hex')
export const hashOf = (token: string, method: string, path: string) =>
  createHmac('sha256', keyOf(token)).update(`${method}${path}`).digest('hex')

/** A multipart body as curl makes it. */
export function multipart(parts: Part[], boundary = 'edge-admin-test-boundary'): { type: string; body: Buffer } {
  const chunks = parts.flatMap(({ name, value, filename }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`}\r\n\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ])
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  }
}

export const file = (name: string, value: string | Buffer, filename = `${name}.bin`): Part => ({
  name,
  value,
  filename,
})

/** The request target: path and query, with the credentials that the options name. */
export function target(method: string, path: string, { token, hash, sign, query = {} }: CallOptions): string {
  const plain = path.split('?', 1)[0] ?? ''
  const decoded = plain.includes('%') ? safeDecode(plain) : plain
  const all = {
    ...query,
    ...(token !== undefined && { token }),
    ...(hash !== undefined && { hash }),
    ...(sign !== undefined && { hash: hashOf(sign, method, decoded) }),
  }
  const text = Object.entries(all).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return text.length > 0 ? `${path}${path.includes('?') ? '&' : '?'}${text.join('&')}` : path
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

export function call(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { hostname, port, protocol } = new URL(url)
  const form = options.form && multipart(options.form)
  const body = form?.body ?? options.body
  return new Promise((resolve, reject) => {
    const send = protocol === 'https:' ? httpsRequest : httpRequest
    const request = send({
      host: hostname,
      port,
      method,
      path: target(method, path, options),
      agent: false,
      rejectUnauthorized: false,
      ...(options.from && { localAddress: options.from }),
      headers: {
        ...(form && { 'content-type': form.type }),
        ...(body !== undefined &&
          !options.headers?.['transfer-encoding'] && { 'content-length': Buffer.byteLength(body) }),
        ...options.headers,
      },
    })
    const patience = Math.max(90, PATIENCE) * 1000
    const timer = setTimeout(() => request.destroy(new Error(`no answer to ${method} ${path}`)), patience)
    let answered = false
    request.on('response', (response) => {
      answered = true
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      const done = () => {
        clearTimeout(timer)
        const bytes = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes.toString('utf8'),
          bytes,
        })
      }
      response.on('end', done)
      // A stream has no end: what comes first is the answer.
      if (response.headers['content-type'] === 'text/event-stream')
        response.once('data', () => {
          done()
          response.destroy()
        })
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      if (!answered) reject(error)
    })
    request.end(body)
  })
}

/** Sends bytes over a plain connection and gives back everything until the server closes, or `enough` is satisfied. */
export function raw(
  url: string,
  bytes: string | Buffer,
  { end = false, enough }: { end?: boolean; enough?: (text: string) => boolean } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes)
      if (end) socket.end()
    })
    const timer = setTimeout(() => socket.destroy(new Error(`the server stayed silent; so far: ${text}`)), 20_000)
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough?.(text)) done()
    })
    socket.on('close', done)
    socket.on('error', (error) => {
      clearTimeout(timer)
      if (text) done()
      else reject(error)
    })
  })
}

/** Polls until `read` gives something; a deadline, never a sleep. */
export async function until<T>(
  what: string,
  read: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 90,
): Promise<T> {
  const deadline = Date.now() + Math.max(seconds, PATIENCE) * 1000
  for (;;) {
    const value = await read()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
