// What every surface gives to app.ts: its endpoints, its HTTP behavior, and its actions at start and stop.
import type { Finding } from '../features/check/finding.ts'
import type { Endpoint } from '../http/endpoint.ts'
import type { Surface } from '../http/surface.ts'

export interface Assembled<Deps> {
  surface: Surface
  endpoints: Endpoint<Deps>[]
  /** The dependencies of its handlers. */
  deps: Deps
  /**
   * Whether a path without an endpoint is refused in this surface's shape. If left out: none is, except that the first
   * surface answers the paths that no surface owns.
   */
  owns?: (path: string) => boolean
  /** Its OpenAPI document, as JSON text. */
  document?: () => string
  /** Starts background work; called once the port is open. */
  start?: () => void
  /** Ends the streams that would keep the port open. */
  hangUp?: () => void
  close?: () => void
}

/** Any assembled surface. Only its own `mount` may use its dependencies. */
export type AssembledSurface = Omit<Assembled<never>, 'deps'> & { deps: unknown }

/** What surfaces get besides the appliance: from the serving process, and from each other. */
export interface Site {
  /** Folder of the console's built page; undefined for the one beside the program. */
  page: string | undefined
  /** The certificate in use, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /** Problems found by the last check of the appliance. */
  findings: () => readonly Finding[]
  /** The OpenAPI documents of every enabled surface. */
  documents: () => string[]
}
