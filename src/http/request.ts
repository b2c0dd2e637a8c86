// One request on its way through the server. Below surface.ts, so that code that only reads a request does not depend
// on surfaces.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../auth/principal.ts'
import type { Target } from './pipeline/path.ts'

/** `surfaces`: the names of those that the receiving port serves; undefined for all of them. */
export type Incoming = IncomingMessage & { surfaces?: readonly string[] | undefined }

/** node-server's environment: Node's request and response. */
export type Env = {
  Bindings: {
    incoming?: Incoming
    outgoing?: ServerResponse
    target?: Target
    /** Why endpoints that the request may be for could not be loaded. */
    unloaded?: unknown
  }
}

/** What the pipeline uses of Hono's Context. */
export interface Asked {
  env: Env['Bindings'] | undefined
  req: {
    method: string
    /** The path as routed: decoded except for encoded slashes. */
    path: string
    url: string
    raw: Pick<globalThis.Request, 'signal'>
    header: (name: string) => string | undefined
  }
}

export interface Request {
  /** GET for a HEAD, which is handled as one. */
  method: string
  /** The request was a HEAD: the answer has no body. */
  head: boolean
  /** Decoded, without the query. */
  path: string
  /** The declared path that it was routed to; empty if there is none. */
  template: string
  /** The caller's address, as seen through trusted proxies. */
  address: string
  id: string
  started: number
  incoming: Incoming | undefined
  outgoing: ServerResponse | undefined
  /**
   * Set during authentication: the request carried a session cookie and no other credentials, and the cookie was not
   * accepted.
   */
  cookie: CookieRefusal | undefined
}

/**
 * Why a cookie was not accepted: the session has ended, a change lacks the CSRF header, or another site sent the
 * request.
 */
export interface CookieRefusal {
  why: 'over' | 'csrf' | 'site'
  /** The session's owner, if the session is in force. */
  principal?: Principal
}
