// Opens the ports: HTTP/1.1, with TLS unless switched off. Node answers 417 to an empty `Expect:` header and sends `100
// Continue` before credentials are checked; this file takes over both.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import type { ApiError, ErrorKind } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import type { TlsChoice } from '../../tls-choice.ts'
import type { Env, Incoming } from '../request.ts'
import { STATUS } from '../status.ts'
import { Connections } from './connections.ts'
import { answerPlain, beginsPlain } from './first-byte.ts'
import { MorePorts, type PortAsked } from './more-ports.ts'
import { Places, type PlacesOptions } from './places.ts'
import { kindOf, MOST_HEADERS, objectionTo, plainHost, refusal, refusalText } from './refusal.ts'
import type { SelfSign } from './self-made.ts'
import { TIMING, type Timing } from './timing.ts'
import type { Pair } from './tls.ts'
import { RequestTurns } from './turns.ts'

export interface ListenOptions {
  app: Pick<Hono<Env>, 'fetch'>
  folders: Folders
  host: string
  port: number
  /** More ports, on the same server; by default on the host of the first. */
  more?: readonly PortAsked[]
  tls: boolean
  places: PlacesOptions
  /**
   * The answer to a malformed request head, in the dialect of its path. If left out, the plain answer for invalid HTTP
   * is used.
   */
  refused?: (incoming: Incoming, outgoing: ServerResponse, error: ApiError) => Response
  /**
   * The same for bytes that are not HTTP, on a port that serves only some surfaces. If left out, it is the first port's
   * answer.
   */
  unparsed?: (kind: ErrorKind, surfaces: readonly string[]) => string
  /** For tests, which use shorter times. */
  timing?: Partial<Timing>
  /** Whether a certificate is being installed now: its files must not be touched. */
  installing?: () => boolean
  /** Called when the self-made certificate was renewed before it was first served. */
  madeAnew?: (reason: string) => void
  /** Signs the self-made certificate. */
  sign?: SelfSign
  /** The TLS versions and ciphers that were chosen; if left out, or if the port cannot be opened with them, the default. */
  tlsChoice?: TlsChoice | undefined
  warn: (text: string, error?: unknown) => void
}

export interface Listener {
  /** `https://127.0.0.1:8443` */
  url: string
  /** The URLs of the other ports. */
  more: string[]
  /** The certificate in use, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /**
   * Serves the installed pair from now on; open connections stay. If the pair is unusable, throws and keeps serving the
   * old one.
   */
  reloadCertificate: () => Promise<void>
  /** The TLS versions that new connections speak; none without TLS. */
  spoken: () => readonly string[]
  /**
   * Makes new connections speak TLS by this choice, if `store` returns true; open connections stay. Rejects, before
   * `store`, if nobody could connect.
   */
  changeTls: (choice: TlsChoice, store: () => boolean) => Promise<void>
  /** Open connections, in any state. */
  connections: () => number
  close: () => Promise<void>
}

export async function listen(options: ListenOptions): Promise<Listener> {
  const { app, folders, host, tls, warn } = options
  const timing = { ...TIMING, ...options.timing }
  const below = {
    hostname: 'localhost',
    // Requests that the library itself refuses (a backslash in the path, a broken Host) would otherwise get an empty
    // answer.
    errorHandler: (error: unknown) => {
      const malformed = error instanceof RequestError
      if (!malformed) warn('a request failed below the application', error)
      const { status, headers, body } = refusal(malformed ? 400 : 500)
      return new Response(body, { status, headers })
    },
  }
  const handler = getRequestListener((request, env) => app.fetch(request, env), below)
  const failed = (error: unknown) => warn('a request failed below the application', error)
  const wanted = (options.more ?? []).map((one) => ({ ...one, host: one.host ?? host }))
  const secure = tls ? await import('./secure.ts') : undefined
  let pair = await secure?.installedPair({ ...options, host: [host, ...wanted.map((one) => one.host)] })
  /** The choice that was made, and the one that is served: they differ where a pair does not fit the choice. */
  let chosen = options.tlsChoice ?? DEFAULT_CHOICE
  let choice = pair && secure ? await usableChoice(chosen, secure, pair, warn) : chosen
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (step: () => Promise<void>) => {
    const result = last.then(step)
    last = result.catch(() => {})
    return result
  }
  const settings = {
    ...{ keepAlive: true, keepAliveInitialDelay: timing.idle },
    ...{ headersTimeout: timing.headers, connectionsCheckingInterval: timing.look },
    // A body may take hours on a slow line; a stalled one is ended by the idle timeout in upload.ts.
    requestTimeout: 0,
    keepAliveTimeout: timing.idle,
    // Node's own refusal would have no body.
    requireHostHeader: false,
  }
  const server: Server | TlsServer =
    pair && secure
      ? secure.createTlsServer({
          ...settings,
          ...pair,
          ...secure.contextOptions(choice),
          handshakeTimeout: timing.handshake,
        })
      : createServer(settings)
  server.maxHeadersCount = MOST_HEADERS
  const { unparsed } = options
  const connections = new Connections(new Places(options.places), timing, (status, surfaces) =>
    surfaces && unparsed ? unparsed(kindOf(status), surfaces) : refusalText(status),
  )
  const isAnyLimited = wanted.some(({ surfaces }) => surfaces !== undefined)
  const refuse = (error: ApiError, incoming: Incoming, outgoing: ServerResponse) => {
    const { refused } = options
    if (!refused) {
      const { status, body, headers } = refusal(STATUS[error.kind])
      outgoing.writeHead(status, { ...headers, 'Content-Length': body.length }).end(body)
      return
    }
    const response = refused(incoming, outgoing, error)
    // The library reads both, and they may be malformed.
    incoming.url = '/'
    incoming.headers.host = 'localhost'
    getRequestListener(() => response, below)(incoming, outgoing).catch(failed)
  }
  const turns = new RequestTurns(connections, (incoming: Incoming, outgoing) => {
    if (isAnyLimited) {
      const connection = connections.of(incoming.socket)
      // The peer has gone, and without its port the request would be served by every surface.
      if (!connection) {
        incoming.socket.destroy()
        return
      }
      incoming.surfaces = connection.surfaces
    }
    const objection = objectionTo(incoming)
    if (objection) {
      refuse(objection, incoming, outgoing)
      return
    }
    const { headers } = incoming
    if (headers.host) headers.host = plainHost(headers.host)
    handler(incoming, outgoing).catch(failed)
  })
  const take = (incoming: IncomingMessage, outgoing: ServerResponse) => turns.take(incoming, outgoing)
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, take)
  server.on('connect', (_request: IncomingMessage, socket: Socket) => connections.conclude(socket, 405))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => connections.refuse(error.code, socket))
  receive(server, connections, turns, timing)
  const ports = new MorePorts({
    ...{ allowHalfOpen: halfOpen(server), idle: timing.idle, warn },
    take: (raw, surfaces) => server.emit('connection', raw, surfaces),
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, () => resolve())
  }).catch((error) => {
    connections.close()
    throw error
  })
  const more = await ports.open(wanted).catch((error) => {
    server.close()
    connections.close()
    throw error
  })
  // No file descriptor is left for a new connection: the existing ones must go on.
  server.on('error', (error) => warn('a connection could not be accepted', error))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const name = isIP(host) === 6 ? `[${host}]` : host
  const scheme = pair ? 'https' : 'http'
  return {
    url: `${scheme}://${name}:${port}`,
    more: more.map((one) => `${scheme}://${one}`),
    certificate: () => pair?.cert,
    connections: () => connections.size,
    // One at a time: each tries a pair and a choice together, and serves both.
    reloadCertificate: () =>
      inTurn(async () => {
        if (!pair || !secure) return
        const next = secure.readPair(folders)
        if (!next || next.cert === pair.cert) return
        const context = server as TlsServer
        const usable = await usableChoice(chosen, secure, next, warn)
        context.setSecureContext({ ...next, ...secure.contextOptions(usable) })
        try {
          const served = await secure.servedFingerprint(reachable(address), port)
          if (served !== secure.fingerprint(next)) throw new Error('another certificate is served')
          pair = next
          choice = usable
        } catch (error) {
          context.setSecureContext({ ...pair, ...secure.contextOptions(choice) })
          throw error
        }
      }),
    spoken: () => (pair && secure ? secure.spokenBy(choice) : []),
    changeTls: (wanted, store) =>
      inTurn(async () => {
        if (pair && secure) await secure.tryChoice(pair, wanted)
        else if ((await import('./tls-context.ts')).spokenBy(wanted).length === 0) throw new Error('nothing is left')
        if (!store()) return
        chosen = wanted
        choice = wanted
        if (pair && secure) (server as TlsServer).setSecureContext({ ...pair, ...secure.contextOptions(choice) })
      }),
    close: () =>
      new Promise((resolve) => {
        // A kept-alive connection becomes idle only after its last answer, and would hold the port for half a minute.
        const idle = setInterval(() => server.closeIdleConnections(), 100)
        const closed = new Promise<void>((done) => server.close(() => done()))
        void Promise.all([closed, ports.close()]).then(() => {
          clearInterval(idle)
          connections.close()
          resolve()
        })
        server.closeIdleConnections()
        connections.stop()
      }),
  }
}

const DEFAULT_CHOICE: TlsChoice = { versions: ['TLSv1.2', 'TLSv1.3'] }

/** A choice that does not fit the certificate, or that only an earlier OpenSSL had, must not keep anybody out. */
async function usableChoice(
  chosen: TlsChoice,
  secure: typeof import('./secure.ts'),
  pair: Pair,
  warn: ListenOptions['warn'],
): Promise<TlsChoice> {
  if (chosen === DEFAULT_CHOICE) return chosen
  try {
    await secure.tryChoice(pair, chosen)
    return chosen
  } catch (error) {
    warn('nobody could connect with the TLS versions and ciphers that are set; the default is served', error)
    return DEFAULT_CHOICE
  }
}

/** Takes new connections over from Node: each needs a place first, and may turn out not to speak TLS. */
function receive(server: Server | TlsServer, connections: Connections, turns: RequestTurns, timing: Timing): void {
  const listeners = server.listeners('connection')
  const proceed = (raw: Socket) => {
    for (const listener of listeners) listener.call(server, raw)
  }
  server.removeAllListeners('connection')
  const tls = server.listenerCount('secureConnection') > 0
  if (tls) {
    server.prependListener('secureConnection', (socket) => connections.speak(socket))
    server.on('secureConnection', (socket: Socket) => turns.follow(socket))
  }
  server.on('connection', (raw: Socket, surfaces?: readonly string[]) => {
    if (!connections.enter(raw, surfaces)) return
    if (!tls) {
      connections.speak(raw)
      proceed(raw)
      turns.follow(raw)
      return
    }
    beginsPlain(raw, (plain) => {
      if (plain) answerPlain(raw, timing.grace, (text) => connections.end(raw, text))
      else proceed(raw)
    })
  })
}

/** Whether the server's own connections allow a half-open peer: those of other ports behave the same. */
const halfOpen = (server: Server | TlsServer) =>
  (server as unknown as { allowHalfOpen?: boolean }).allowHalfOpen === true

/** An address at which this machine can reach the port. */
function reachable(address: ReturnType<Server['address']>): string {
  const { address: own, family } = typeof address === 'object' && address ? address : { address: '', family: '' }
  if (own !== '' && own !== '0.0.0.0' && own !== '::') return own
  return family === 'IPv6' ? '::1' : '127.0.0.1'
}
