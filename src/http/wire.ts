// The wire habits of a dialect. A surface declares those that differ; the defaults are below. Handlers see no
// difference.
import { type QueryDialect, strictQuery } from './body/query.ts'

export interface Wire {
  /** How query strings and forms are read, and how wrong names and values are refused. */
  query: QueryDialect
  /**
   * A path with a trailing slash: the same path as without it; a different path, which must be declared with the slash;
   * or always refused.
   */
  trailingSlash: 'same' | 'distinct' | 'refuse'
  /** Whether a declared JSON body may be missing, empty, `null`, or without a content type. A missing body is `{}`. */
  body: 'required' | 'optional'
  /** HEAD, where GET is declared and changes nothing. */
  head: 'as-get' | 'refuse'
  /** OPTIONS: an empty 200 with `Allow` for anyone, or 405. */
  options: 'allow' | 'refuse'
}

const DEFAULT: Wire = {
  query: strictQuery,
  trailingSlash: 'same',
  body: 'required',
  head: 'as-get',
  options: 'refuse',
}

export const wireOf = ({ wire }: { wire?: Partial<Wire> }): Wire => ({ ...DEFAULT, ...wire })
