// What a handler returns: data or an open file, never a path for another part to open. The surface adds its headers.
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { OpenFile } from './open-file.ts'

export interface Reply {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array | Readable
  /** An open file in place of a body, of which a range may be requested. The code that sends it closes it. */
  file?: OpenFile
  /** Ranges of the body may be requested, as of a file. */
  bytes?: true
  /** The result of `resource.version` after the request, where the handler already has it. */
  version?: unknown
  /** Takes over the connection once the headers are sent, for a stream without an end. */
  follow?: (outgoing: ServerResponse) => void
}

export const JSON_TYPE = 'application/json'
export const TEXT_TYPE = 'text/plain'
export const EVENTS_TYPE = 'text/event-stream'

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return jsonText(JSON.stringify(value), status, headers)
}

/** JSON that is already text: a file kept verbatim, or a long list. */
export function jsonText(body: string | Uint8Array, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'Content-Type': JSON_TYPE, ...headers }, body }
}

/** An answer without a body. */
export const nothing = (status = 204, headers: Record<string, string> = {}): Reply => ({ status, headers, body: '' })

export function text(body: string | Uint8Array, headers: Record<string, string> = {}): Reply {
  return { status: 200, headers: { 'Content-Type': TEXT_TYPE, ...headers }, body }
}

/**
 * An event stream. Its connection cannot be reused; a proxy in front must forward each event at once and store none.
 */
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
