// Streams every change of one kind of object to all its readers as server-sent events. A reader stays for days but its
// credentials may not, so its permission is checked again at each heartbeat.
import type { ServerResponse } from 'node:http'
import { event, Readers } from './readers.ts'

/** The source of the changes. */
export interface Changes {
  /** What has changed since the last call. */
  look: () => { view: string; cursor: string }[]
  cursor: () => string
  /** The current views of everything that may have changed since this cursor; undefined when that is not known. */
  since: (cursor: string) => string[] | undefined
  all: () => string[]
}

export interface ChangeStreamOptions {
  changes: Changes
  /** The name of the events, and its plural. */
  name: string
  names: string
  /** Maximum number of readers at the same time. */
  most: number
  /** Milliseconds. */
  heartbeat: number
  warn: (text: string, error?: unknown) => void
}

export class ChangeStream {
  private readonly options: ChangeStreamOptions
  private readonly readers: Readers

  constructor(options: ChangeStreamOptions) {
    this.options = options
    this.readers = new Readers({ most: options.most, heartbeat: options.heartbeat, look: () => this.look() })
  }

  /**
   * The first events of a new reader, and its subscription. Both happen in one step, so that no change is missed in
   * between.
   */
  open(cursor: string | undefined, may: () => boolean): (outgoing: ServerResponse) => void {
    const { changes, name, names } = this.options
    this.readers.check()
    this.look()
    const missed = cursor === undefined ? undefined : changes.since(cursor)
    const views = missed ?? changes.all()
    const first = missed ? [] : [{ name: 'reset', data: JSON.stringify({ [names]: views.length }) }]
    const events = [...first, ...views.map((data) => ({ name, data }))]
    // Only the last event carries the cursor: a reader cut off before it receives all of them again.
    const frames = events.map(({ name, data }, i) =>
      event(name, data, i === events.length - 1 ? changes.cursor() : undefined),
    )
    return (outgoing) => {
      outgoing.write(`retry: 2000\n\n${frames.join('')}`)
      this.readers.join(outgoing, may)
    }
  }

  /** Every current view, the oldest first. */
  now(): string[] {
    this.look()
    return this.options.changes.all()
  }

  close(): void {
    this.readers.close()
  }

  private look(): void {
    const { changes, name, names, warn } = this.options
    try {
      const frames = changes.look().map(({ view, cursor }) => event(name, view, cursor))
      if (frames.length > 0) this.readers.send(frames.join(''))
    } catch (error) {
      // They reconnect, and receive either what they missed or the notice that it is not known.
      warn(`the ${names} cannot be read for their readers`, error)
      this.readers.cut()
    }
  }
}
