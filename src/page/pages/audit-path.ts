// Where the audit page asks for its entries.
import { queryText } from '../query-text.ts'

/** The filters, as the query has them. */
export const NONE = { actor: '', action: '', resource: '', result: '', since: '', until: '' }
export type Filters = typeof NONE
export const LIMIT = 100

/** A date of the field is in the browser's time; the appliance wants an instant. */
export function pathOf({ since, until, ...terms }: Filters, before?: string): string {
  const query = new URLSearchParams({ limit: String(LIMIT) })
  for (const [name, value] of Object.entries(terms)) if (value.trim() !== '') query.set(name, value.trim())
  if (since) query.set('since', new Date(since).toISOString())
  if (until) query.set('until', new Date(until).toISOString())
  if (before) query.set('before', before)
  return `/api/v1/audit?${queryText(query)}`
}
