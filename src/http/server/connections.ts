// Every connection to the port, from the moment that the kernel hands it over: whether there is a place for it, and when its time is over.
// Node's own limits begin with HTTP, so that a peer who never finishes a TLS handshake, or never reads, would be nobody's business.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { peerAddress } from './peer.ts'
import type { Places } from './places.ts'
import { refusalText, statusOfError, type UnparsedStatus } from './refusal.ts'
import type { Timing } from './timing.ts'

export interface Connection {
  /** As the kernel gave it. */
  raw: Socket
  address: string
  /** Whether it has its place still. */
  placed: boolean
  /** What HTTP is spoken over; undefined before a TLS handshake is done. */
  socket: Socket | undefined
  began: number
  /** Since when nothing is under way on it. */
  since: number
  /** The answer to the newest request on it. */
  last: ServerResponse | undefined
  /** The surfaces that its port serves; undefined for all of them. */
  surfaces: readonly string[] | undefined
  /** What the peer has taken of our bytes, and when that last changed. */
  taken: number
  moved: number
  /** The last words were said: what still comes is not answered. */
  ended: boolean
}

/** Whether an answer has gone, and Node has done with it. `writableFinished` is true too early: within the turn that wrote it. */
export const isOver = (outgoing: ServerResponse) => outgoing.destroyed

/** The bytes of an answer to what is no HTTP, for a connection to a port of these surfaces. */
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

  /** A new connection; undefined, and closed without a word, where there is no place for it. */
  enter(raw: Socket, surfaces?: readonly string[]): Connection | undefined {
    // Nobody else listens for errors before TLS is spoken, and an error that nobody hears ends the process.
    raw.on('error', () => raw.destroy())
    const key = nameOf(raw)
    const address = peerAddress(raw.remoteAddress)
    const now = performance.now()
    if (raw.remoteAddress !== undefined) this.makeRoom(address)
    // Without an address the peer has gone already: nothing of it may be anybody's.
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

  /** HTTP begins on it, over `socket`: itself, or TLS. */
  speak(socket: Socket): void {
    // Asked once, its address is remembered, also after the peer has gone.
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

  /** What Node's parser or its timer complains of. */
  refuse(code: string | undefined, socket: Socket): void {
    const connection = this.speaking.get(socket)
    const status = statusOfError(code)
    if (connection?.ended) return
    if (!connection || status === undefined || !socket.writable) {
      socket.destroy()
      return
    }
    const { last } = connection
    // Browsers keep connections in reserve, and would show the words as the answer to what they ask next.
    if (status === 408 && (socket.bytesRead === 0 || (last && !isOver(last)))) {
      socket.destroy()
      return
    }
    this.conclude(socket, status)
  }

  /** The last words on a connection, once the requests before have their answers. */
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
    // It is the body of that very request that is no HTTP: nothing else will be its answer, if none has begun.
    else if (last.socket && !last.headersSent) this.end(socket, text)
    else socket.destroy()
  }

  /** Ends our half, and soon the rest, whether or not the peer closes its own. */
  end(socket: Socket, text: string): void {
    if (!socket.writable) {
      socket.destroy()
      return
    }
    socket.end(text)
    setTimeout(() => socket.destroy(), this.timing.grace).unref()
  }

  /** The server stops: what has not asked anything yet is closed. */
  stop(): void {
    for (const { raw, last } of this.all.values()) if (!last) raw.destroy()
  }

  close(): void {
    clearInterval(this.timer)
  }

  /** Where no place is left, who says nothing goes, then who rests after an answer: they keep out nobody who asks. None goes in vain. */
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

  /** Those that have not asked anything, the oldest first; then those that rest, of the address that has most, the longest at rest first. */
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
    // Node ends an idle connection, and slow headers, before this. But it forgets the time at each byte, also at an empty line.
    return now - connection.since > headers + idle
  }
}

/** No two connections have the same ends. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket) =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

/** Bytes of a write that the kernel has not taken yet. Node offers no other way to see that a large one moves. */
const queued = (socket: Socket) =>
  (socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
