// Every connection to the port, from its accept: whether there is room for it, and when it times out. Node's own limits
// begin with HTTP; without these a peer could hold a connection by never finishing a TLS handshake, or by never
// reading.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { peerAddress } from './peer.ts'
import type { Places } from './places.ts'
import { refusalText, statusOfError, type UnparsedStatus } from './refusal.ts'
import type { Timing } from './timing.ts'

export interface Connection {
  /** The accepted TCP socket. */
  raw: Socket
  address: string
  /** Whether it still occupies a place. */
  placed: boolean
  /** The socket that HTTP runs over; undefined before the TLS handshake is done. */
  socket: Socket | undefined
  began: number
  /** Since when it has been idle. */
  since: number
  /** The answer to the latest request on it. */
  last: ServerResponse | undefined
  /** The surfaces that its port serves; undefined for all of them. */
  surfaces: readonly string[] | undefined
  /** How much the peer has read of our answer, and when that last changed. */
  taken: number
  moved: number
  /** A final answer was sent: further bytes are ignored. */
  ended: boolean
}

/**
 * Whether an answer was sent and Node is done with it. `writableFinished` is set too early, within the tick that wrote
 * it.
 */
export const isOver = (outgoing: ServerResponse) => outgoing.destroyed

/** The bytes of an answer to something that is not HTTP, for a connection to a port of these surfaces. */
export type Words = (status: UnparsedStatus, surfaces: readonly string[] | undefined) => string

export class Connections {
  private readonly all = new Map<string, Connection>()
  private readonly speaking = new Map<Socket, Connection>()
  private readonly places: Places
  private readonly timing: Timing
  private readonly timer: NodeJS.Timeout
  private readonly words: Words

  constructor(places: Places, timing: Timing, words: Words = refusalText) {
    this.places = places
    this.timing = timing
    this.words = words
    this.timer = setInterval(() => this.look(performance.now()), timing.look)
    this.timer.unref()
  }

  /** Registers a new connection; undefined, and closed without an answer, if there is no room for it. */
  enter(raw: Socket, surfaces?: readonly string[]): Connection | undefined {
    // Before TLS there is no other error listener, and an unhandled error ends the process.
    raw.on('error', () => raw.destroy())
    const key = nameOf(raw)
    const address = peerAddress(raw.remoteAddress)
    const now = performance.now()
    if (raw.remoteAddress !== undefined) this.makeRoom(address)
    // Without an address the peer has already gone: the connection must not be counted for any address.
    if (raw.remoteAddress === undefined || !this.places.take(address)) {
      raw.destroy()
      return undefined
    }
    const connection: Connection = {
      ...{ raw, address, placed: true, socket: undefined, began: now, since: now },
      ...{ last: undefined, surfaces, taken: 0, moved: now, ended: false },
    }
    this.all.set(key, connection)
    raw.once('close', () => {
      this.leave(connection)
      if (this.all.get(key) === connection) this.all.delete(key)
      if (connection.socket) this.speaking.delete(connection.socket)
    })
    return connection
  }

  /** HTTP begins on `socket`: the accepted socket itself, or TLS over it. */
  speak(socket: Socket): void {
    // Reading the address once makes Node cache it, even after the peer has gone.
    const connection = this.all.get(nameOf(socket))
    if (!connection) {
      socket.destroy()
      return
    }
    connection.socket = socket
    connection.since = performance.now()
    this.speaking.set(socket, connection)
  }

  get size(): number {
    return this.all.size
  }

  of(socket: Socket): Connection | undefined {
    return this.speaking.get(socket)
  }

  /** Handles an error of Node's parser or its timeout. */
  refuse(code: string | undefined, socket: Socket): void {
    const connection = this.speaking.get(socket)
    const status = statusOfError(code)
    if (connection?.ended) return
    if (!connection || status === undefined || !socket.writable) {
      socket.destroy()
      return
    }
    const { last } = connection
    // Browsers keep spare connections, and would show this answer as the response to their next request.
    if (status === 408 && (socket.bytesRead === 0 || (last && !isOver(last)))) {
      socket.destroy()
      return
    }
    this.conclude(socket, status)
  }

  /** Sends a final answer on a connection, once earlier requests have theirs. */
  conclude(socket: Socket, status: UnparsedStatus): void {
    const connection = this.speaking.get(socket)
    if (!connection) {
      socket.destroy()
      return
    }
    const text = this.words(status, connection.surfaces)
    const { last } = connection
    connection.ended = true
    socket.resume()
    if (!last || isOver(last)) this.end(socket, text)
    else if (last.req.complete) last.once('close', () => this.end(socket, text))
    // The malformed bytes are the body of that request: if its answer has not begun, this becomes the answer.
    else if (last.socket && !last.headersSent) this.end(socket, text)
    else socket.destroy()
  }

  /** Ends our side, and destroys the socket soon after, whether or not the peer closes its own. */
  end(socket: Socket, text: string): void {
    if (!socket.writable) {
      socket.destroy()
      return
    }
    socket.end(text)
    setTimeout(() => socket.destroy(), this.timing.grace).unref()
  }

  /** The server stops: connections without a request are closed. */
  stop(): void {
    for (const { raw, last } of this.all.values()) if (!last) raw.destroy()
  }

  close(): void {
    clearInterval(this.timer)
  }

  /**
   * When the server is full, silent connections are closed first, then idle ones; they never displace an active
   * request. Nothing is closed unless that makes room.
   */
  private makeRoom(address: string): void {
    const wanted = this.places.wanted(address)
    if (!wanted) return
    const going = new Set<Connection>()
    for (const mayGo of wanted.from) {
      for (const one of this.silentThenIdle(mayGo)) if (going.size < wanted.count) going.add(one)
    }
    if (going.size < wanted.count) return
    for (const one of going) {
      this.leave(one)
      one.raw.destroy()
    }
  }

  /**
   * Connections without a request, the oldest first; then idle ones of the address with the most connections, the
   * longest idle first.
   */
  private silentThenIdle(mayGo: (address: string) => boolean): Connection[] {
    const found = [...this.all.values()].filter(({ placed, address }) => placed && mayGo(address))
    const holds = ({ address }: Connection) => this.places.holds(address)
    return [
      ...found.filter(({ last }) => !last),
      ...found.filter(({ last }) => last && isOver(last)).sort((a, b) => holds(b) - holds(a) || a.since - b.since),
    ]
  }

  private leave(connection: Connection): void {
    if (connection.placed) this.places.leave(connection.address)
    connection.placed = false
  }

  private look(now: number): void {
    for (const connection of this.all.values()) if (this.isLost(connection, now)) connection.raw.destroy()
  }

  private isLost(connection: Connection, now: number): boolean {
    const { socket, last, raw } = connection
    const { handshake, headers, idle, stalled } = this.timing
    if (!socket) return now - connection.began > handshake
    const taken = socket.bytesWritten - socket.writableLength - queued(socket) - queued(raw)
    if (socket.writableLength === 0 || taken !== connection.taken) {
      connection.taken = taken
      connection.moved = now
    } else if (now - connection.moved > stalled) return true
    if (last && !isOver(last)) connection.since = now
    // Node closes idle connections and slow headers earlier. But it restarts that timer at each byte, even at an empty
    // line.
    return now - connection.since > headers + idle
  }
}

/** No two connections share both endpoints. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket) =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

/**
 * Bytes of a write that the kernel has not accepted yet. Node offers no other way to see that a large write makes
 * progress.
 */
const queued = (socket: Socket) =>
  (socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
