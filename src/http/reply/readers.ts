// Many readers of one stream of server-sent events. The trap: a reader that does not read makes the server keep everything for it; so a
// connection that has too much waiting is cut, and its reader comes back with its Last-Event-ID.
import type { ServerResponse } from 'node:http'
import { ApiError } from '../../errors.ts'

export interface ReadersOptions {
  /** Readers at the same time. */
  most: number
  /** Milliseconds from one sign of life to the next. */
  heartbeat: number
  /** Called every quarter second while there are readers: the one look for all of them. */
  look: () => void
}

/** Bytes that may wait for one reader. */
const BUFFER = 256 * 1024
const LOOK = 250
const HEARTBEAT = ': \n\n'
/** Readers written to before other requests have their turn: a thousand at once would hold them up for 20 ms. */
const SLICE = 100

export class Readers {
  private readonly options: ReadersOptions
  /** With the question whether each may still read. */
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

  /** Throws when there is no room. Asked before the headers are sent. */
  check(): void {
    if (this.closed || this.all.size >= this.options.most)
      throw new ApiError('unavailable', 'Too many readers of events', { retryAfter: 5 })
  }

  /** `may` is asked at each heartbeat. */
  join(outgoing: ServerResponse, may: () => boolean): void {
    this.all.set(outgoing, may)
    outgoing.once('close', () => this.leave(outgoing))
    // It went, or the server stopped, while its headers were made.
    if (this.closed || outgoing.destroyed) this.end(outgoing)
    else if (this.timers.length === 0)
      this.timers = [setInterval(this.options.look, LOOK), setInterval(() => this.beat(), this.options.heartbeat)]
  }

  /** To those who are here now: whoever comes while it goes out has heard it already. */
  send(text: string): void {
    this.queue.push({ bytes: Buffer.from(text), readers: [...this.all.keys()] })
    if (this.queue.length === 1) this.sendSome()
  }

  close(): void {
    this.closed = true
    this.cut()
  }

  /** Sends everybody away; they may come back. */
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

/** One event of the stream. Without an id, its reader's Last-Event-ID stays. */
export const event = (name: string, data: string, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`
