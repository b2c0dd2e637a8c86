// Which rows of a table are selected, and the bar with the buttons for them. A row that the search hides is not
// selected, so that nothing happens to a row that nobody sees.
import { useState } from '../hooks.ts'
import { Button } from './button.tsx'
import { type Children, keepFocus } from './layout.tsx'

export interface Selection<T> {
  /** In the order of the table. */
  rows: T[]
  /** The number of rows that the search finds, on all pages. */
  found: number
  isPaged: boolean
  /** All rows of the page are selected. */
  isWhole: boolean
  has: (row: T) => boolean
  set: (row: T, on: boolean) => void
  setShown: (on: boolean) => void
  all: () => void
  none: () => void
}

/** `found`: the rows on all pages; `shown`: those on this page. */
export function useSelection<T>(found: readonly T[], shown: readonly T[], id: (row: T) => string): Selection<T> {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const has = (row: T) => picked.has(id(row))
  const mark = (rows: readonly T[], on: boolean) =>
    setPicked((before) => {
      const after = new Set(before)
      for (const row of rows) on ? after.add(id(row)) : after.delete(id(row))
      return after
    })
  return {
    rows: picked.size === 0 ? [] : found.filter(has),
    found: found.length,
    isPaged: shown.length < found.length,
    isWhole: shown.length > 0 && shown.every(has),
    has,
    set: (row, on) => mark([row], on),
    setShown: (on) => mark(shown, on),
    all: () => setPicked(new Set(found.map(id))),
    none: () => setPicked(new Set()),
  }
}

/** It is always there: the table would jump under the mouse with the first selected row. */
export function SelectionBar<T>({
  selection: { rows, found, isPaged, all, none },
  what,
  actions,
}: {
  selection: Selection<T>
  what: string
  actions: (selected: T[]) => Children
}) {
  // The button that was pressed is gone afterwards.
  const then = (change: () => void) => () => {
    change()
    queueMicrotask(keepFocus)
  }
  return (
    <section class="actions selection" aria-label={`Selected ${what}`}>
      <span role="status" class={rows.length > 0 ? '' : 'muted'}>
        {rows.length.toLocaleString()} selected
      </span>
      {isPaged && rows.length < found ? <Button onClick={then(all)}>Select all {found.toLocaleString()}</Button> : null}
      {rows.length > 0 ? (
        <>
          <Button onClick={then(none)}>Select none</Button>
          {actions(rows)}
        </>
      ) : null}
    </section>
  )
}

export const Checkbox = ({ label, on, onSet }: { label: string; on: boolean; onSet: (on: boolean) => void }) => (
  <input
    type="checkbox"
    aria-label={label}
    checked={on}
    onInput={(event: Event) => onSet((event.currentTarget as HTMLInputElement).checked)}
  />
)
