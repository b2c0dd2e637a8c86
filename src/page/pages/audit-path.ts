// The path of the audit page's query.
import { queryText } from '../query-text.ts'

/** The filters, named as in the query. */
export const NONE = { actor: '', action: '', resource: '', result: '', since: '', until: '' }
export type Filters = typeof NONE
export const LIMIT = 100

/** The date field is in the browser's time zone; the appliance expects an instant. */
export function pathOf({ since, until, ...terms }: Filters, before?: string): string {
  const query = new URLSearchParams({ limit: String(LIMIT) })
  for (const [name, value] of Object.entries(terms)) if (value.trim() !== '') query.set(name, value.trim())
  if (since) query.set('since', new Date(since).toISOString())
  if (until) query.set('until', new Date(until).toISOString())
  if (before) query.set('before', before)
  return `/api/v1/audit?${queryText(query)}`
}
