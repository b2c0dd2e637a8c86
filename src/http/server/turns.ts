// One request after the other on each connection, and turns between connections. A peer can put a thousand requests into one packet
// (pipelining): Node would read them all before anybody else is heard. Here its parser gets the bytes of the next request once the answer
// before it has gone; what has come already waits unread, and only some connections are let on in each turn of the event loop.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { canonicalAddress } from '../../auth/back-off.ts'
import { hasBody } from '../body/discard.ts'
import { type Connection, type Connections, isOver } from './connections.ts'

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void

const END_OF_HEADERS = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)
/** Bytes that are parsed at once, at the least, while a body is read: it may contain the end of headers a thousand times. */
const STEP = 1024
/** Connections that are let on in one turn of the event loop: some milliseconds of work. */
const IN_ONE_TURN = 16
/** Bytes that wait on the connections of one address: who brings more is cut off. And on all: the address that has most loses a connection. */
const MOST_OF_ADDRESS = 4 << 20
const MOST_OF_ALL = 16 << 20
/** Bytes that wait on one connection from which nothing more is read from it. Until then it is: that is how one sees that a peer has gone. */
const PAUSE = 64 << 10
/** What each piece that waits costs beside its bytes: a peer may send them one by one. */
const PIECE = 256

interface Turn {
  connection: Connection
  socket: Socket
  address: string
  /** Node's own listener for what comes: its parser. */
  parse: (bytes: Buffer) => void
  /** What waits until the answer ahead has gone; undefined where nothing does. */
  waiting: Buffer[] | undefined
  bytes: number
  /** Whether its parser may be within the headers of a request: what it got last was no end of headers. */
  begun: boolean
  /** The last bytes that it got, while that is so: the end may lie across pieces. */
  tail: Buffer
  /** Requests whose headers came with the end of the body before them. */
  next: { incoming: IncomingMessage; outgoing: ServerResponse }[]
}

export class RequestTurns {
  private readonly connections: Connections
  private readonly serve: Serve
  private readonly turns = new Map<Socket, Turn>()
  private readonly ofAddress = new Map<string, number>()
  private bytes = 0
  /** Those whose answer has gone, in the order in which they are let on. */
  private ready: Turn[] = []

  constructor(connections: Connections, serve: Serve) {
    this.connections = connections
    this.serve = serve
  }

  /** Takes over what comes on a connection from Node, which has just begun to listen to it. */
  follow(socket: Socket): void {
    const connection = this.connections.of(socket)
    const [parse] = socket.listeners('data') as Turn['parse'][]
    if (!connection || !parse) return
    const address = canonicalAddress(connection.address)
    const turn: Turn = {
      ...{ connection, socket, address, parse },
      ...{ waiting: undefined, bytes: 0, begun: false, tail: NOTHING, next: [] },
    }
    this.turns.set(socket, turn)
    socket.off('data', parse)
    socket.on('data', (bytes: Buffer) => this.hear(turn, bytes))
    socket.once('close', () => this.forget(turn))
  }

  /** A request whose headers are here. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming
    const turn = this.turns.get(socket)
    // The answer ahead said that it is the last.
    if (!turn || !socket.writable) return
    const { last } = turn.connection
    turn.connection.last = outgoing
    // Node drops what comes with the end of such a body, and would take the middle of the next request for its beginning.
    if (incoming.headers.upgrade !== undefined && hasBody(incoming)) outgoing.shouldKeepAlive = false
    if (!last || isOver(last)) this.serve(incoming, outgoing)
    else {
      turn.next.push({ incoming, outgoing })
      if (turn.next.length === 1) this.after(last, turn)
    }
  }

  private hear(turn: Turn, bytes: Buffer): void {
    const { connection, socket, parse } = turn
    for (let from = 0; from < bytes.length; ) {
      // Its parser may be another connection's by now; and once our half has ended, nothing can be answered.
      if (connection.ended || !socket.writable) return
      const { last } = connection
      const reading = last !== undefined && !last.req.complete
      const busy = last !== undefined && !reading && !isOver(last)
      // Headers that have begun go on: Node gives them some seconds, however long the answer before them takes.
      if (turn.waiting || turn.next.length > 0 || (busy && !turn.begun)) {
        this.hold(turn, bytes.subarray(from))
        return
      }
      const piece = bytes.subarray(
        from,
        (!reading && endAcross(turn.tail, bytes, from)) || endOfPiece(bytes, from, reading),
      )
      const got = piece.length < END_OF_HEADERS.length ? Buffer.concat([turn.tail, piece]) : piece
      turn.begun = !got.subarray(-END_OF_HEADERS.length).equals(END_OF_HEADERS)
      // A copy: all that was read with it would stay in memory.
      turn.tail = turn.begun ? Buffer.from(got.subarray(1 - END_OF_HEADERS.length)) : NOTHING
      parse(piece)
      from += piece.length
      // Node stops it where a body, or an answer, is not taken, and lets it go on.
      if (socket.isPaused() && from < bytes.length) {
        socket.unshift(bytes.subarray(from))
        return
      }
    }
  }

  private hold(turn: Turn, rest: Buffer): void {
    const { socket, connection, next } = turn
    if (!turn.waiting) {
      turn.waiting = []
      if (next.length === 0 && connection.last) this.after(connection.last, turn)
    }
    turn.waiting.push(rest)
    // All that is read with it stays in memory.
    this.count(turn, turn.bytes + rest.buffer.byteLength + PIECE)
    if (turn.bytes > PAUSE) socket.pause()
    this.makeRoom(turn)
  }

  private after(outgoing: ServerResponse, turn: Turn): void {
    outgoing.once('close', () => this.queue(turn))
  }

  private queue(turn: Turn): void {
    if (this.ready.length === 0) setImmediate(() => this.letOn())
    this.ready.push(turn)
  }

  private letOn(): void {
    const now = this.ready.splice(0, IN_ONE_TURN)
    if (this.ready.length > 0) setImmediate(() => this.letOn())
    for (const turn of now) this.goOn(turn)
  }

  private goOn(turn: Turn): void {
    const { socket } = turn
    // The answer ahead said that it is the last.
    if (!socket.writable) {
      this.forget(turn)
      return
    }
    // A peer that does not read its answers is not served; Node wants nothing of it either.
    if (socket.writableNeedDrain) {
      socket.once('drain', () => this.queue(turn))
      return
    }
    const first = turn.next.shift()
    if (first) {
      this.serve(first.incoming, first.outgoing)
      if (turn.next.length > 0) this.after(first.outgoing, turn)
      // What waits may be the rest of its body, without which there is no answer.
      if (turn.next.length > 0 || !turn.waiting) return
    }
    const waited = turn.waiting ?? []
    turn.waiting = undefined
    this.count(turn, 0)
    socket.resume()
    this.hear(turn, waited.length === 1 && waited[0] ? waited[0] : Buffer.concat(waited))
  }

  private count(turn: Turn, bytes: number): void {
    const more = bytes - turn.bytes
    turn.bytes = bytes
    this.bytes += more
    const all = (this.ofAddress.get(turn.address) ?? 0) + more
    if (all > 0) this.ofAddress.set(turn.address, all)
    else this.ofAddress.delete(turn.address)
  }

  private makeRoom(turn: Turn): void {
    if ((this.ofAddress.get(turn.address) ?? 0) > MOST_OF_ADDRESS) turn.socket.destroy()
    while (this.bytes > MOST_OF_ALL) {
      const largest = this.largest()
      if (!largest) return
      this.forget(largest)
      largest.socket.destroy()
    }
  }

  /** The connection that holds most of the address that holds most. */
  private largest(): Turn | undefined {
    let found: Turn | undefined
    const most = (turn: Turn) => this.ofAddress.get(turn.address) ?? 0
    for (const turn of this.turns.values()) {
      if (turn.bytes === 0) continue
      const more = found ? most(turn) - most(found) || turn.bytes - found.bytes : 1
      if (more > 0) found = turn
    }
    return found
  }

  private forget(turn: Turn): void {
    if (!this.turns.delete(turn.socket)) return
    turn.next = []
    turn.waiting = undefined
    this.count(turn, 0)
  }
}

/** Where an end of headers ends that began in the pieces before; undefined where none did. */
function endAcross(tail: Buffer, bytes: Buffer, from: number): number | undefined {
  for (let known = tail.length; known > 0; known--) {
    const end = from + END_OF_HEADERS.length - known
    if (
      tail.subarray(-known).equals(END_OF_HEADERS.subarray(0, known)) &&
      bytes.subarray(from, end).equals(END_OF_HEADERS.subarray(known))
    )
      return end
  }
  return undefined
}

/**
 * Where to stop: behind the next end of headers, so that one request begins at a time. (Node also drops what it gets behind the headers of one
 * that asks for another protocol.) While a body is read, not before some bytes.
 */
function endOfPiece(bytes: Buffer, from: number, reading: boolean): number {
  const end = bytes.indexOf(END_OF_HEADERS, reading ? from + STEP : from)
  return end < 0 ? bytes.length : end + END_OF_HEADERS.length
}
