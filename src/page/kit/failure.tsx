// What the appliance said when it refused: its own words, and the id that its log knows the request by.
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

/** `again`: asks once more, for what a page wanted to show. */
export function FailureNote({ failure, again }: { failure: Failure | undefined; again?: () => unknown }) {
  if (!failure) return null
  const { message, details, errors } = failure
  if (failure.code === CANCELLED) return <Note>{message}</Note>
  const where = details['field'] ?? details['object']
  // Several are told one by one; the first of them is the message as well.
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

/** The answer of a query once it is there; until then that it is being asked, or why there is none. */
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => Children }) {
  return (
    <>
      <FailureNote failure={query.failure} again={query.reload} />
      {query.data === undefined ? query.failure ? null : <p class="muted">Loading…</p> : children(query.data)}
    </>
  )
}
