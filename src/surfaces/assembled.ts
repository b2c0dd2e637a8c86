// What every surface gives to app.ts: its endpoints, its HTTP behavior, and its actions at start and stop.
import type { Finding } from '../features/check/finding.ts'
import type { Declared, Later } from '../http/pipeline/later.ts'
import type { Surface } from '../http/surface.ts'

export interface Assembled<Deps> extends Partial<Declared<Deps>> {
  surface: Surface
  /** The endpoints that are loaded with the first request that may be for one of them. */
  later?: Later<Declared<Deps>>
  /**
   * Whether a path without an endpoint is refused in this surface's shape. If left out: none is, except that the first
   * surface answers the paths that no surface owns.
   */
  owns?: (path: string) => boolean
  /** Its OpenAPI document, as JSON text. */
  document?: () => string | Promise<string>
  /** Starts background work; called once the port is open. */
  start?: () => void
  /** Ends the streams that would keep the port open. */
  hangUp?: () => void
  close?: () => void
}

/** Any assembled surface. Only its own `mount` may use its dependencies. */
export type AssembledSurface = Omit<Assembled<never>, 'deps' | 'later'> & { deps?: unknown; later?: Later }

/** What surfaces get besides the appliance: from the serving process, and from each other. */
export interface Site {
  /** Folder of the console's built page; undefined for the one beside the program. */
  page: string | undefined
  /** The certificate in use, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /** Problems found by the last check of the appliance. */
  findings: () => readonly Finding[]
  /** The OpenAPI documents of every enabled surface. */
  documents: () => Promise<string[]>
}
