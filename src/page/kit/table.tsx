// The table of every page: it sorts, searches and selects rows. Only one page of rows is in the document, so that a
// list of thousands is as quick as a short one; the search looks through all of them.
import { useMemo, useRef } from 'hono/jsx/dom'
import { useState } from '../hooks.ts'
import { type Children, Empty } from './layout.tsx'
import { matching, ordered } from './order.ts'
import { SelectionBar, useSelection } from './selection.tsx'
import { type Column, Head, IS, type Order, Row } from './table-rows.tsx'
import { Pager, Search } from './table-tools.tsx'

export interface TableProps<T> {
  label: string
  rows: readonly T[]
  columns: Column<T>[]
  id: (row: T) => string
  empty: Children
  /** What the rows are, in the plural. */
  what?: string
  /** What the search looks through; else the texts that the columns sort by. */
  text?: (row: T) => string
  /** The first order; else that of `rows`. */
  order?: Order
  /** The buttons for the selected rows: they make rows selectable. */
  actions?: ((selected: T[]) => Children) | undefined
  /** The name of a row in `Select NAME`; else its ID. */
  nameOf?: (row: T) => string
}

/** Rows in the document. */
const PAGE = 100
/** From here on there is a search. */
const LONG = 8

/** The first column names its row. On a narrow screen each row is a block with the titles beside the values. */
export function Table<T>(props: TableProps<T>) {
  const { label, rows, columns, id, empty, what = 'rows', text, order: first, nameOf = id } = props
  // A single row has its own buttons.
  const actions = rows.length > 1 ? props.actions : undefined
  const [order, setOrder] = useState<Order | undefined>(first)
  const [wanted, setWanted] = useState('')
  const [at, setAt] = useState(0)
  const region = useRef<HTMLElement>(null)

  const by = columns.find(({ title }) => title === order?.title)?.by
  const sorted = useMemo(
    () => (by ? ordered(rows, by, order?.down ?? false) : rows),
    [rows, order?.title, order?.down, by === undefined],
  )
  const texts = useMemo(() => new Map<T, string>(), [rows])
  const textOf = (row: T) => {
    const known = texts.get(row) ?? (text ? text(row) : textsOf(columns, row)).toLowerCase()
    texts.set(row, known)
    return known
  }
  const found = useMemo(() => matching(sorted, textOf, wanted), [sorted, wanted])
  const last = Math.max(0, Math.ceil(found.length / PAGE) - 1)
  const page = Math.min(at, last)
  const shown = found.slice(page * PAGE, (page + 1) * PAGE)
  const selection = useSelection(found, shown, id)

  if (rows.length === 0) return <Empty>{empty}</Empty>
  const search = (typed: string) => {
    setWanted(typed)
    setAt(0)
  }
  const turn = (to: number) => {
    setAt(to)
    region.current?.focus({ preventScroll: true })
    region.current?.scrollIntoView({ block: 'start' })
  }
  const isSorted = order !== undefined && (order.title !== first?.title || order.down !== first.down)
  const paged = last > 0
  return (
    // One element: of several, the library would move each at every change, and the focus would be lost.
    <div class="listing">
      {rows.length >= LONG ? (
        <Search what={what} wanted={wanted} onWanted={search} found={found.length} all={rows.length} />
      ) : null}
      {actions ? <SelectionBar selection={selection} what={what} actions={actions} /> : null}
      {found.length === 0 ? <Empty>No {what} match the search.</Empty> : null}
      {/* A scrolling region has to be reachable by keyboard (axe: scrollable-region-focusable). */}
      <section class="table" aria-label={label} tabindex={0} ref={region} hidden={found.length === 0}>
        <table
          class={columns.length > 2 ? 'stacks' : ''}
          {...IS.table}
          aria-rowcount={paged ? found.length + 1 : undefined}
        >
          <Head
            columns={columns}
            order={order}
            onOrder={(to) => {
              setOrder(to)
              setAt(0)
            }}
            sortable={rows.length > 1}
            selection={actions && selection}
          />
          <tbody {...IS.group}>
            {shown.map((row, i) => (
              <Row
                key={id(row)}
                row={row}
                columns={columns}
                flat={isSorted || found.length < rows.length}
                index={paged ? page * PAGE + i + 2 : undefined}
                select={actions && { name: nameOf(row), on: selection.has(row), set: (on) => selection.set(row, on) }}
              />
            ))}
          </tbody>
        </table>
      </section>
      {paged ? <Pager label={label} page={page} last={last} size={PAGE} all={found.length} onTurn={turn} /> : null}
    </div>
  )
}

/** A number or a date is found by its column's order, not by its digits. */
const textsOf = <T,>(columns: Column<T>[], row: T): string =>
  columns
    .map(({ by, number }) => {
      const value = number ? undefined : by?.(row)
      return typeof value === 'string' ? value : typeof value === 'object' ? value.join('/') : ''
    })
    .join(' ')
