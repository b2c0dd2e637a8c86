// Time limits for peers: nothing that a peer does, or fails to do, holds its place for ever. In milliseconds.

export interface Timing {
  /** From the connection to the end of the TLS handshake. */
  handshake: number
  /** From the first byte of a request (or the connection) to the end of its headers. */
  headers: number
  /** Idle time between an answer and the next request. */
  idle: number
  /**
   * Without progress in sending an answer. Generous: the kernel asks for more only once a third of a buffer of
   * megabytes is free.
   */
  stalled: number
  /** From ending our side of a connection to its destruction, for the peer to read the last answer. */
  grace: number
  /** Between two checks of all connections. */
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
