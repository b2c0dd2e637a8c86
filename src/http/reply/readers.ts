// Many readers of one stream of server-sent events. A reader that stops reading would make the server buffer everything
// for it: a connection with too much waiting is closed, and the client reconnects with its Last-Event-ID.
import type { ServerResponse } from 'node:http'
import { ApiError } from '../../errors.ts'

export interface ReadersOptions {
  /** Maximum number of readers at the same time. */
  most: number
  /** Milliseconds between two heartbeats. */
  heartbeat: number
  /** Called every quarter second while there are readers: one check for all of them. */
  look: () => void
}

/** Bytes that may wait for one reader. */
const BUFFER = 256 * 1024
const LOOK = 250
const HEARTBEAT = ': \n\n'
/** Readers written to before other requests get their turn: a thousand at once would delay them by 20 ms. */
const SLICE = 100

export class Readers {
  private readonly options: ReadersOptions
  /** Each reader with the check whether it may still read. */
  private readonly all = new Map<ServerResponse, () => boolean>()
  private readonly queue: { bytes: Buffer; readers: ServerResponse[] }[] = []
  private timers: NodeJS.Timeout[] = []
  private closed = false

  constructor(options: ReadersOptions) {
    this.options = options
  }

  get size(): number {
    return this.all.size
  }

  /** Throws when there is no room. Call it before the headers are sent. */
  check(): void {
    if (this.closed || this.all.size >= this.options.most)
      throw new ApiError('unavailable', 'Too many readers of events', { retryAfter: 5 })
  }

  /** `may` is called at each heartbeat. */
  join(outgoing: ServerResponse, may: () => boolean): void {
    this.all.set(outgoing, may)
    outgoing.once('close', () => this.leave(outgoing))
    // The client left, or the server stopped, while the headers were being sent.
    if (this.closed || outgoing.destroyed) this.end(outgoing)
    else if (this.timers.length === 0)
      this.timers = [setInterval(this.options.look, LOOK), setInterval(() => this.beat(), this.options.heartbeat)]
  }

  /** To the current readers: one that joins meanwhile has already received it. */
  send(text: string): void {
    this.queue.push({ bytes: Buffer.from(text), readers: [...this.all.keys()] })
    if (this.queue.length === 1) this.sendSome()
  }

  close(): void {
    this.closed = true
    this.cut()
  }

  /** Disconnects every reader; they may reconnect. */
  cut(): void {
    for (const reader of this.all.keys()) this.end(reader)
  }

  private sendSome(): void {
    const next = this.queue[0]
    if (!next) return
    for (const reader of next.readers.splice(0, SLICE)) this.write(reader, next.bytes)
    if (next.readers.length === 0) this.queue.shift()
    if (this.queue.length > 0) setImmediate(() => this.sendSome())
  }

  private write(reader: ServerResponse, bytes: Buffer): void {
    if (!this.all.has(reader)) return
    if (reader.writableLength > BUFFER) reader.destroy()
    else reader.write(bytes)
  }

  private beat(): void {
    for (const [reader, may] of this.all) if (!still(may)) this.end(reader)
    this.send(HEARTBEAT)
  }

  private end(reader: ServerResponse): void {
    this.leave(reader)
    reader.end()
  }

  private leave(reader: ServerResponse): void {
    if (!this.all.delete(reader) || this.all.size > 0) return
    for (const timer of this.timers) clearInterval(timer)
    this.timers = []
  }
}

function still(may: () => boolean): boolean {
  try {
    return may()
  } catch {
    return false
  }
}

/** One event of the stream. Without an id, the reader's Last-Event-ID stays. */
export const event = (name: string, data: string, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`
