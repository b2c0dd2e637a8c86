// Requests that come on one connection before the one ahead of them is answered (pipelining) wait for it, and each takes a turn of the
// event loop. A peer can put a thousand of them into one packet: handled as they come, they would hold everybody else up, and what a peer
// does not read would pile up here.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Connections, isOver } from './connections.ts'

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** Waiting requests of one connection above which nothing more is read from it, and below which it is again. */
const PAUSE = 16
const RESUME = 4
/** Waiting requests of all connections together: some kilobytes each. Who brings one more is cut off. */
const MOST = 8192

interface Queue {
  waiting: [IncomingMessage, ServerResponse][]
  paused: boolean
}

export class RequestTurns {
  private readonly connections: Connections
  private readonly serve: Serve
  private readonly queues = new Map<Socket, Queue>()
  private size = 0

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
    if (this.size >= MOST) {
      socket.destroy()
      return
    }
    let queue = this.queues.get(socket)
    if (!queue) {
      queue = { waiting: [], paused: false }
      this.queues.set(socket, queue)
      socket.once('close', () => this.forget(socket))
    }
    if (queue.waiting.length === 0) this.after(before, socket)
    this.size += 1
    // Not at once: the end of each request makes Node read on.
    if (queue.waiting.push([incoming, outgoing]) === PAUSE) setImmediate(() => this.pause(socket))
  }

  /** The next one is served once the answer ahead of it has gone, and others had their turn. */
  private after(outgoing: ServerResponse, socket: Socket): void {
    outgoing.once('close', () => setImmediate(() => this.next(socket)))
  }

  private next(socket: Socket): void {
    const queue = this.queues.get(socket)
    const [incoming, outgoing] = queue?.waiting.shift() ?? []
    if (!queue || !incoming || !outgoing) return
    this.size -= 1
    // The answer ahead said that it is the last.
    if (!socket.writable) {
      this.forget(socket)
      return
    }
    this.serve(incoming, outgoing)
    if (queue.waiting.length > 0) this.after(outgoing, socket)
    if (queue.paused && queue.waiting.length <= RESUME) {
      queue.paused = false
      socket.resume()
    }
  }

  private pause(socket: Socket): void {
    const queue = this.queues.get(socket)
    if (!queue || queue.waiting.length < PAUSE) return
    queue.paused = true
    socket.pause()
  }

  private forget(socket: Socket): void {
    this.size -= this.queues.get(socket)?.waiting.length ?? 0
    this.queues.delete(socket)
  }
}
