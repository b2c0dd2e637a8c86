// Every change of a kind of thing, as one stream of server-sent events for all its readers. The trap: a reader stays for days, what lets it in
// does not; whether it may still read is asked at each heartbeat.
import type { ServerResponse } from 'node:http'
import { event, Readers } from './readers.ts'

/** Where the changes come from. */
export interface Changes {
  /** What is different since the last look. */
  look: () => { view: string; cursor: string }[]
  cursor: () => string
  /** The present views of what may have changed for a reader with this cursor; undefined when that cannot be told. */
  since: (cursor: string) => string[] | undefined
  all: () => string[]
}

export interface ChangeStreamOptions {
  changes: Changes
  /** What an event is called, and how several of them are. */
  name: string
  names: string
  /** Readers at the same time. */
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

  /** What a new reader has to hear first, and how it goes on. Both in one step: nothing can change in between. */
  open(cursor: string | undefined, may: () => boolean): (outgoing: ServerResponse) => void {
    const { changes, name, names } = this.options
    this.readers.check()
    this.look()
    const missed = cursor === undefined ? undefined : changes.since(cursor)
    const views = missed ?? changes.all()
    const first = missed ? [] : [{ name: 'reset', data: JSON.stringify({ [names]: views.length }) }]
    const events = [...first, ...views.map((data) => ({ name, data }))]
    // Only the last says where its reader is: whoever is cut off before it hears all of this again.
    const said = events.map(({ name, data }, i) =>
      event(name, data, i === events.length - 1 ? changes.cursor() : undefined),
    )
    return (outgoing) => {
      outgoing.write(`retry: 2000\n\n${said.join('')}`)
      this.readers.join(outgoing, may)
    }
  }

  /** Every view as it is now, the oldest first. */
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
      const said = changes.look().map(({ view, cursor }) => event(name, view, cursor))
      if (said.length > 0) this.readers.send(said.join(''))
    } catch (error) {
      // They come back, and hear what they missed or that it cannot be told.
      warn(`the ${names} cannot be read for their readers`, error)
      this.readers.cut()
    }
  }
}
