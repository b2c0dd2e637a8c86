// One request on its way through, and what lies underneath it. Below surface.ts, so that what only reads a request knows no surface.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../auth/principal.ts'
import type { Target } from './pipeline/path.ts'

/** `surfaces`: those that the port on which it came serves, by name; undefined for all of them. */
export type Incoming = IncomingMessage & { surfaces?: readonly string[] | undefined }

/** node-server's environment: the request and response underneath. */
export type Env = {
  Bindings: { incoming?: Incoming; outgoing?: ServerResponse; target?: Target }
}

export interface Request {
  /** GET for a HEAD, which is answered as one. */
  method: string
  /** It was a HEAD: the answer has no body. */
  head: boolean
  /** Decoded, without the query. */
  path: string
  /** The declared path that it was routed to; empty where there is none. */
  template: string
  /** The caller's, past the proxies that are trusted. */
  address: string
  id: string
  started: number
  incoming: Incoming | undefined
  outgoing: ServerResponse | undefined
  /** Set during authentication: the request carried a session cookie and no other credentials, and the cookie was not accepted. */
  cookie: CookieRefusal | undefined
}

/** Why a cookie was not accepted: its session is over, a change came without the header, another site sent the request. */
export interface CookieRefusal {
  why: 'over' | 'csrf' | 'site'
  /** Whose it is, where its session is in force. */
  principal?: Principal
}
