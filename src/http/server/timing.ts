// How long a peer may take for what: nothing that it does, or leaves undone, keeps its place for ever. In milliseconds.

export interface Timing {
  /** From the connection to the end of the TLS handshake. */
  handshake: number
  /** From the first byte of a request (or the connection) to the end of its headers. */
  headers: number
  /** Between an answer and the next request. */
  idle: number
  /** Without a byte of an answer taken. Generous: the kernel asks for more only once a third of a buffer of megabytes is free. */
  stalled: number
  /** From our end of a connection to its destruction, for the peer to read the last answer. */
  grace: number
  /** Between two looks at all connections. */
  look: number
}

export const TIMING: Timing = {
  handshake: 10_000,
  headers: 15_000,
  idle: 30_000,
  stalled: 60_000,
  grace: 2000,
  look: 1000,
}
