// An error of the appliance: its message, and the request ID by which the log has it.
import { CANCELLED, type Failure } from '../api.ts'
import type { Query } from '../query.ts'
import { Button } from './button.tsx'
import { type Children, Note } from './layout.tsx'

export const RequestLine = ({ failure: { code, requestId } }: { failure: Failure }) =>
  code || requestId ? (
    <span class="muted request">
      {code ? `${code} · ` : ''}
      {requestId ? `Request ${requestId}` : ''}
    </span>
  ) : null

/** `again` repeats the request that failed. */
export function FailureNote({ failure, again }: { failure: Failure | undefined; again?: () => unknown }) {
  if (!failure) return null
  const { message, details, errors } = failure
  if (failure.code === CANCELLED) return <Note>{message}</Note>
  const where = details['field'] ?? details['object']
  // Several errors are listed; the message repeats the first.
  const others = errors.length > 1 ? errors : []
  return (
    <Note tone="error">
      {others.length > 0 ? (
        <ul>
          {others.map((error) => (
            <li key={error.field + error.message}>
              {readable(error.field)}: {error.message}
            </li>
          ))}
        </ul>
      ) : (
        <p>{message}</p>
      )}
      {where !== undefined && others.length === 0 ? <p class="muted">{readable(String(where))}</p> : null}
      <RequestLine failure={failure} />
      {again ? (
        <div class="actions">
          <Button onClick={() => void again()}>Try again</Button>
        </div>
      ) : null}
    </Note>
  )
}

/** `quota` for `options.quota`, `clients, number 3` for `clients.2`; the name of an object stays as it is. */
function readable(where: string): string {
  if (where.includes('/') || where.includes('@')) return where
  const [name = '', part = ''] = where.replace(/^(options|network|app)\./, '').split('.')
  return /^[0-9]+$/.test(part) ? `${name}, number ${Number(part) + 1}` : part ? `${name}: ${part}` : name
}

/** The data of a query once it is loaded; until then a loading text or the error. */
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => Children }) {
  return (
    <>
      <FailureNote failure={query.failure} again={query.reload} />
      {query.data === undefined ? query.failure ? null : <p class="muted">Loading…</p> : children(query.data)}
    </>
  )
}
