// What the appliance said when it refused: its own words, and the id that its log knows the request by.
import type { Failure } from '../api.ts'
import type { Query } from '../query.ts'
import { type Children, Note } from './layout.tsx'

export function FailureNote({ failure }: { failure: Failure | undefined }) {
  if (!failure) return null
  const { message, code, details, requestId } = failure
  const where = details['field'] ?? details['object']
  return (
    <Note tone="error">
      <p>{message}</p>
      {where !== undefined ? <p class="muted">{String(where)}</p> : null}
      {code || requestId ? (
        <p class="muted">
          {code ? `${code} · ` : ''}
          {requestId ? `Request ${requestId}` : ''}
        </p>
      ) : null}
    </Note>
  )
}

/** The answer of a query once it is there; until then that it is being asked, or why there is none. */
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => Children }) {
  return (
    <>
      <FailureNote failure={query.failure} />
      {query.data === undefined ? (
        query.failure ? null : (
          <p class="muted">Asking the appliance…</p>
        )
      ) : (
        children(query.data)
      )}
    </>
  )
}
