// What every surface hands to app.ts: its endpoints, how it looks to HTTP, and what it does when the server starts and stops.
import type { Finding } from '../features/check/finding.ts'
import type { Endpoint } from '../http/endpoint.ts'
import type { Surface } from '../http/surface.ts'

export interface Assembled<Deps> {
  surface: Surface
  endpoints: Endpoint<Deps>[]
  /** What its handlers work with. */
  deps: Deps
  /** Whether a path that no endpoint took is refused in this surface's shape. Left out: none is, but those that no surface claims are the first one's. */
  owns?: (path: string) => boolean
  /** Its OpenAPI document, as JSON text. */
  document?: () => string
  /** Begins what runs beside the requests; called once the port is open. */
  start?: () => void
  /** Ends the streams that would keep the port from closing. */
  hangUp?: () => void
  close?: () => void
}

/** Any of them. Only its own `mount` may look into its dependencies. */
export type AssembledSurface = Omit<Assembled<never>, 'deps'> & { deps: unknown }

/** What surfaces get besides the appliance: from the process that serves, and from each other. */
export interface Site {
  /** Folder of the console's built page; undefined: the one that lies beside the program. */
  page: string | undefined
  /** The certificate that the port serves now, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /** What is wrong with the appliance, when it was last looked at. */
  findings: () => readonly Finding[]
  /** The OpenAPI documents of every surface that is on. */
  documents: () => string[]
}
