// What a handler gives back: data, never a path that somebody else opens. The surface adds its headers.
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { OpenFile } from './open-file.ts'

export interface Reply {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array | Readable
  /** In place of a body: an open file, of which a part may be asked for. Whoever answers closes it. */
  file?: OpenFile
  /** Parts of the body may be asked for, as of a file. */
  bytes?: true
  /** What `resource.version` would tell after it, where the handler has it at hand. */
  version?: unknown
  /** Takes the connection over once its headers are on their way: a stream that has no end of its own. */
  follow?: (outgoing: ServerResponse) => void
}

export const JSON_TYPE = 'application/json'
export const TEXT_TYPE = 'text/plain'
export const EVENTS_TYPE = 'text/event-stream'

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return jsonText(JSON.stringify(value), status, headers)
}

/** JSON that is text already: a file kept verbatim, or a long list. */
export function jsonText(body: string | Uint8Array, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'Content-Type': JSON_TYPE, ...headers }, body }
}

/** An answer without a body. */
export const nothing = (status = 204, headers: Record<string, string> = {}): Reply => ({ status, headers, body: '' })

export function text(body: string | Uint8Array, headers: Record<string, string> = {}): Reply {
  return { status: 200, headers: { 'Content-Type': TEXT_TYPE, ...headers }, body }
}

/** A stream of events. Behind one that ended there is nothing to reuse; a proxy in front must pass on each event at once, and keep none. */
export const events = (follow: NonNullable<Reply['follow']>): Reply => ({
  status: 200,
  headers: {
    'Content-Type': EVENTS_TYPE,
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
    Connection: 'close',
  },
  body: '',
  follow,
})
