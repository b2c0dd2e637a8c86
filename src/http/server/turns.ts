// Handles one request at a time on each connection, and takes turns between connections. A peer can put a thousand
// requests into one packet (pipelining), and Node would parse them all before serving anyone else. Here the parser gets
// the next request once the answer before it was sent; bytes received meanwhile wait unparsed, and only some
// connections proceed in each tick of the event loop.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { canonicalAddress } from '../../auth/back-off.ts'
import { hasBody } from '../body/discard.ts'
import { type Connection, type Connections, isOver } from './connections.ts'

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void

const END_OF_HEADERS = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)
/**
 * Minimum of bytes parsed at once while a body is read: it may contain the end-of-headers sequence a thousand times.
 */
const STEP = 1024
/** Connections that proceed in one tick of the event loop: some milliseconds of work. */
const IN_ONE_TURN = 16
/**
 * Bytes waiting on the connections of one address: a client above it is cut off. And on all: the address with the most
 * loses a connection.
 */
const MOST_OF_ADDRESS = 4 << 20
const MOST_OF_ALL = 16 << 20
/**
 * Bytes waiting on one connection before reading from it stops. Reading continues until then, because that is how a
 * closed peer is noticed.
 */
const PAUSE = 64 << 10
/** Overhead of each waiting chunk: a peer may send single bytes. */
const PIECE = 256

interface Turn {
  connection: Connection
  socket: Socket
  address: string
  /** Node's own data listener: its parser. */
  parse: (bytes: Buffer) => void
  /** Bytes waiting for the current answer to be sent; undefined if there are none. */
  waiting: Buffer[] | undefined
  bytes: number
  /** Whether the parser may be inside a request's headers: the bytes it got last did not end any. */
  begun: boolean
  /** The last bytes it got while that is so: the end of headers may be split across chunks. */
  tail: Buffer
  /** Requests whose headers arrived together with the end of the previous body. */
  next: { incoming: IncomingMessage; outgoing: ServerResponse }[]
}

export class RequestTurns {
  private readonly connections: Connections
  private readonly serve: Serve
  private readonly turns = new Map<Socket, Turn>()
  private readonly ofAddress = new Map<string, number>()
  private bytes = 0
  /** Connections whose answer was sent, in the order in which they proceed. */
  private ready: Turn[] = []

  constructor(connections: Connections, serve: Serve) {
    this.connections = connections
    this.serve = serve
  }

  /** Takes over the data of a connection from Node, which has just attached its listener. */
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

  /** Registers a request whose headers are complete. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming
    const turn = this.turns.get(socket)
    // The previous answer closes the connection.
    if (!turn || !socket.writable) return
    const { last } = turn.connection
    turn.connection.last = outgoing
    // Node drops bytes that follow such a body, and would take the middle of the next request for its beginning.
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
      // Its parser may already belong to another connection; and once our side has ended, nothing can be answered.
      if (connection.ended || !socket.writable) return
      const { last } = connection
      const reading = last !== undefined && !last.req.complete
      const busy = last !== undefined && !reading && !isOver(last)
      // Headers that have begun continue: Node limits their time, however long the previous answer takes.
      if (turn.waiting || turn.next.length > 0 || (busy && !turn.begun)) {
        this.hold(turn, bytes.subarray(from))
        return
      }
      const end = (!reading && endAcross(turn.tail, bytes, from)) || endOfPiece(bytes, from, reading)
      const piece = from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end)
      const got = piece.length < END_OF_HEADERS.length ? Buffer.concat([turn.tail, piece]) : piece
      turn.begun = !endsHeaders(got)
      // A copy: a slice would keep the whole chunk in memory.
      turn.tail = turn.begun ? Buffer.from(got.subarray(1 - END_OF_HEADERS.length)) : NOTHING
      parse(piece)
      from += piece.length
      // Node pauses where a body or an answer is not consumed, and resumes by itself.
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
    // The slice keeps the whole buffer in memory.
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
    // The previous answer closes the connection.
    if (!socket.writable) {
      this.forget(turn)
      return
    }
    // A peer that does not read its answers is not served; Node does not read from it either.
    if (socket.writableNeedDrain) {
      socket.once('drain', () => this.queue(turn))
      return
    }
    const first = turn.next.shift()
    if (first) {
      this.serve(first.incoming, first.outgoing)
      if (turn.next.length > 0) this.after(first.outgoing, turn)
      // The waiting bytes may be the rest of its body, without which there is no answer.
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

  /** The connection with the most waiting bytes of the address with the most. */
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

/** Whether the bytes end with an end of headers. Byte by byte: a slice to compare would be garbage for each request. */
function endsHeaders(bytes: Buffer): boolean {
  const from = bytes.length - END_OF_HEADERS.length
  if (from < 0) return false
  for (let i = 0; i < END_OF_HEADERS.length; i++) if (bytes[from + i] !== END_OF_HEADERS[i]) return false
  return true
}

/** The end of headers that began in an earlier chunk; undefined if there is none. */
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
 * Where to stop: after the next end of headers, so that one request begins at a time. (Node also drops bytes that
 * follow the headers of an upgrade request.) While a body is read, not before a minimum of bytes.
 */
function endOfPiece(bytes: Buffer, from: number, reading: boolean): number {
  const end = bytes.indexOf(END_OF_HEADERS, reading ? from + STEP : from)
  return end < 0 ? bytes.length : end + END_OF_HEADERS.length
}
