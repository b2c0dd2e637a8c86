// What stands above and below a long table: its search with the number of rows found, and its pages.
import { Button } from './button.tsx'
import { Field } from './fields.tsx'

/** Enter would send the form around the table. */
const still = (event: KeyboardEvent) => event.key === 'Enter' && event.preventDefault()

export function Search({
  what,
  wanted,
  onWanted,
  found,
  all,
}: {
  what: string
  wanted: string
  onWanted: (wanted: string) => void
  found: number
  all: number
}) {
  return (
    <div class="search">
      <Field label={`Find ${what}`} value={wanted} onValue={onWanted} autocomplete="off" onKeyDown={still} />
      <p class="muted" role="status">
        {found === all
          ? `${all.toLocaleString()} ${what}`
          : `${found.toLocaleString()} of ${all.toLocaleString()} ${what}; the search hides ${(all - found).toLocaleString()}`}
      </p>
    </div>
  )
}

export function Pager({
  label,
  page,
  last,
  size,
  all,
  onTurn,
}: {
  label: string
  page: number
  last: number
  size: number
  all: number
  onTurn: (page: number) => void
}) {
  const from = page * size + 1
  const to = Math.min(all, (page + 1) * size)
  return (
    <nav class="actions" aria-label={`Pages of ${label}`}>
      {page > 0 ? <Button onClick={() => onTurn(0)}>First page</Button> : null}
      {page > 0 ? <Button onClick={() => onTurn(page - 1)}>Previous page</Button> : null}
      <span class="muted">
        Rows {from.toLocaleString()} to {to.toLocaleString()} of {all.toLocaleString()}
      </span>
      {page < last ? <Button onClick={() => onTurn(page + 1)}>Next page</Button> : null}
      {page < last ? <Button onClick={() => onTurn(last)}>Last page</Button> : null}
    </nav>
  )
}
