// Requests that come on one connection before the one ahead of them is answered (pipelining) wait for it, and each takes a turn of the
// event loop. A peer can put a thousand of them into one packet: handled as they come, they would hold everybody else up, and what a peer
// does not read would pile up here.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { canonicalAddress } from '../auth/back-off.ts'
import { type Connections, isOver } from './connections.ts'

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** Bytes of waiting requests of one connection from which nothing more is read from it, and below which it is again. */
const PAUSE = 32 << 10
const RESUME = 8 << 10
/** Bytes of all waiting requests of one address: who brings more is cut off. And of all: the address that has most loses a connection. */
const MOST_OF_ADDRESS = 4 << 20
const MOST_OF_ALL = 16 << 20
/** What a request without headers costs, and each text of its headers beside its length. */
const REQUEST = 2048
const TEXT = 32

interface Queue {
  waiting: { incoming: IncomingMessage; outgoing: ServerResponse; bytes: number }[]
  address: string
  bytes: number
  paused: boolean
}

export class RequestTurns {
  private readonly connections: Connections
  private readonly serve: Serve
  private readonly queues = new Map<Socket, Queue>()
  private readonly ofAddress = new Map<string, number>()
  private bytes = 0

  constructor(connections: Connections, serve: Serve) {
    this.connections = connections
    this.serve = serve
  }

  /** A request whose headers are here. One that nothing is ahead of is served at once. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming
    // The answer ahead said that it is the last.
    if (!socket.writable) return
    const connection = this.connections.of(socket)
    const before = connection?.last
    if (connection) connection.last = outgoing
    if (!before || isOver(before)) this.serve(incoming, outgoing)
    else this.wait(incoming, outgoing, before)
  }

  private wait(incoming: IncomingMessage, outgoing: ServerResponse, before: ServerResponse): void {
    const { socket } = incoming
    if (socket.destroyed) return
    const bytes = sizeOf(incoming)
    const queue = this.queues.get(socket) ?? this.begin(socket)
    if ((this.ofAddress.get(queue.address) ?? 0) + bytes > MOST_OF_ADDRESS) {
      this.cutOff(socket)
      return
    }
    while (this.bytes + bytes > MOST_OF_ALL) {
      const largest = this.largest()
      if (!largest) break
      this.cutOff(largest)
      if (largest === socket) return
    }
    if (queue.waiting.length === 0) this.after(before, socket)
    queue.waiting.push({ incoming, outgoing, bytes })
    this.count(queue, bytes)
    // Not at once: the end of each request makes Node read on.
    if (queue.bytes >= PAUSE && !queue.paused) {
      queue.paused = true
      setImmediate(() => queue.paused && socket.pause())
    }
  }

  private begin(socket: Socket): Queue {
    const address = canonicalAddress(this.connections.of(socket)?.address ?? '')
    const queue: Queue = { waiting: [], address, bytes: 0, paused: false }
    this.queues.set(socket, queue)
    socket.once('close', () => this.forget(socket))
    return queue
  }

  private count(queue: Queue, bytes: number): void {
    queue.bytes += bytes
    this.bytes += bytes
    const all = (this.ofAddress.get(queue.address) ?? 0) + bytes
    if (all > 0) this.ofAddress.set(queue.address, all)
    else this.ofAddress.delete(queue.address)
  }

  /** The connection that holds most of the address that holds most. */
  private largest(): Socket | undefined {
    const weight = ({ address, bytes }: Queue): [number, number] => [this.ofAddress.get(address) ?? 0, bytes]
    let found: [Socket, Queue] | undefined
    for (const one of this.queues) {
      if (one[1].bytes === 0) continue
      const [address, own] = weight(one[1])
      const [most, mostOwn] = found ? weight(found[1]) : [0, 0]
      if (address > most || (address === most && own > mostOwn)) found = one
    }
    return found?.[0]
  }

  private cutOff(socket: Socket): void {
    this.forget(socket)
    socket.destroy()
  }

  /** The next one is served once the answer ahead of it has gone, and others had their turn. */
  private after(outgoing: ServerResponse, socket: Socket): void {
    outgoing.once('close', () => setImmediate(() => this.next(socket)))
  }

  private next(socket: Socket): void {
    const queue = this.queues.get(socket)
    const first = queue?.waiting.shift()
    if (!queue || !first) return
    const { incoming, outgoing, bytes } = first
    this.count(queue, -bytes)
    // The answer ahead said that it is the last.
    if (!socket.writable) {
      this.forget(socket)
      return
    }
    this.serve(incoming, outgoing)
    if (queue.waiting.length > 0) this.after(outgoing, socket)
    if (queue.paused && queue.bytes <= RESUME) {
      queue.paused = false
      socket.resume()
    }
  }

  private forget(socket: Socket): void {
    const queue = this.queues.get(socket)
    if (!queue) return
    this.queues.delete(socket)
    queue.waiting = []
    this.count(queue, -queue.bytes)
  }
}

const sizeOf = ({ rawHeaders, url = '' }: IncomingMessage) =>
  rawHeaders.reduce((sum, { length }) => sum + length + TEXT, REQUEST + url.length)
