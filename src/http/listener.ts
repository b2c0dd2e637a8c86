// The one port: HTTP/1.1, with TLS unless told otherwise. The trap: Node answers 417 to an empty `Expect:` header and sends
// `100 Continue` before anyone looked at the credentials; both are taken over here.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Folders } from '../folders.ts'
import { installedPair } from './served-pair.ts'
import type { Env } from './surface.ts'
import { fingerprint, readPair, servedFingerprint } from './tls.ts'

export interface ListenOptions {
  app: Hono<Env>
  folders: Folders
  host: string
  port: number
  tls: boolean
  connections: number
  warn: (text: string, error?: unknown) => void
}

export interface Listener {
  /** `https://127.0.0.1:8443` */
  url: string
  /** The certificate that is served now, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /** Serves the pair that is installed now; open connections stay. Throws, with the old pair still served, when it does not work. */
  reloadCertificate: () => Promise<void>
  close: () => Promise<void>
}

const BAD_REQUEST = '{"Status":"400 Bad Request"}'
const INTERNAL = '{"Status":"500 Internal Server Error"}'
const TOO_LARGE = '{"Status":"431 Request Header Fields Too Large"}'

export async function listen(options: ListenOptions): Promise<Listener> {
  const { app, folders, host, tls } = options
  const handler = getRequestListener((request, env) => app.fetch(request, env), {
    hostname: 'localhost',
    // What the library refuses itself (a backslash in the path, a broken Host) would otherwise be an empty answer.
    errorHandler: (error) => {
      const malformed = error instanceof RequestError
      if (!malformed) options.warn('a request failed below the application', error)
      const headers = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff', Connection: 'close' }
      return new Response(malformed ? BAD_REQUEST : INTERNAL, { status: malformed ? 400 : 500, headers })
    },
  })
  let pair = tls ? await installedPair(options) : undefined
  const server: Server | TlsServer = pair ? createTlsServer({ ...pair, minVersion: 'TLSv1.2' }) : createServer()
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    handler(incoming, outgoing).catch((error: unknown) => options.warn('a request failed below the application', error))
  }
  server.on('request', serve)
  server.on('checkContinue', serve)
  server.on('checkExpectation', serve)
  server.on('clientError', refuseMalformed)
  server.headersTimeout = 15_000
  // A body may take hours on a slow line; what ends a stalled one is the time without a byte, in upload.ts.
  server.requestTimeout = 0
  server.keepAliveTimeout = 30_000
  server.maxConnections = options.connections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, () => resolve())
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const name = isIP(host) === 6 ? `[${host}]` : host
  return {
    url: `${pair ? 'https' : 'http'}://${name}:${port}`,
    certificate: () => pair?.cert,
    async reloadCertificate() {
      if (!pair) return
      const next = readPair(folders)
      if (!next || next.cert === pair.cert) return
      const context = server as TlsServer
      context.setSecureContext({ ...next, minVersion: 'TLSv1.2' })
      try {
        const served = await servedFingerprint(isIP(host) && !/^(0\.0\.0\.0|::)$/.test(host) ? host : '127.0.0.1', port)
        if (served !== fingerprint(next)) throw new Error('another certificate is served')
        pair = next
      } catch (error) {
        context.setSecureContext({ ...pair, minVersion: 'TLSv1.2' })
        throw error
      }
    },
    close: () =>
      new Promise((resolve) => {
        // A connection that is kept is idle only once its last answer has gone, and would hold the port for half a minute.
        const idle = setInterval(() => server.closeIdleConnections(), 100)
        server.close(() => {
          clearInterval(idle)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, body] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', TOO_LARGE]
      : ['400 Bad Request', BAD_REQUEST]
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}
