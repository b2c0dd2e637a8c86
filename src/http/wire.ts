// The habits of a dialect on the wire. A surface declares those that it has of its own; the rest is as below. Handlers see no difference.
import { type QueryDialect, strictQuery } from './body/query.ts'

export interface Wire {
  /** How query strings and forms are read, and what is said of a name or a value in them that is wrong. */
  query: QueryDialect
  /**
   * A path with a slash at its end: the same path as without; a path that is declared with its slash, and is not there otherwise; or never
   * there.
   */
  trailingSlash: 'same' | 'distinct' | 'refuse'
  /** Whether a JSON body that is declared may be missing, empty, `null`, or without a content type. What is missing is `{}`. */
  body: 'required' | 'optional'
  /** HEAD, where GET is declared and does not act. */
  head: 'as-get' | 'refuse'
  /** OPTIONS: an empty 200 with `Allow`, to anyone; or a wrong method. */
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
