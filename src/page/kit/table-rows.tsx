// The head and the rows of a table.

import type { Children } from './layout.tsx'
import type { Value } from './order.ts'
import { Checkbox, type Selection } from './selection.tsx'

export interface Column<T> {
  title: string
  /** `flat`: the rows around it are not its neighbors in the tree, so that it needs its whole name. */
  cell: (row: T, flat: boolean) => Children
  /** Numbers: right-aligned, with digits of equal width. */
  number?: boolean
  /** What the column sorts by; without it there is nothing to sort. Sizes and dates are numbers or ISO texts. */
  by?: (row: T) => Value
}

export interface Order {
  title: string
  down: boolean
}

/** On a narrow screen the style sheet turns rows into blocks, and some browsers then drop the table roles. */
export const IS = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  head: { role: 'columnheader' },
  first: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const

export function Head<T>({
  columns,
  order,
  onOrder,
  sortable,
  selection,
}: {
  columns: Column<T>[]
  order: Order | undefined
  onOrder: (order: Order) => void
  sortable: boolean
  selection: Selection<T> | undefined
}) {
  return (
    <thead {...IS.group}>
      <tr {...IS.row}>
        {selection ? (
          <th scope="col" class="choose" {...IS.head}>
            <Checkbox label="Select all on this page" on={selection.isWhole} onSet={selection.setShown} />
          </th>
        ) : null}
        {columns.map(({ title, number, by }) => {
          const own = order?.title === title ? order : undefined
          const sorted = own && (own.down ? 'descending' : 'ascending')
          return (
            <th
              key={title}
              scope="col"
              class={number ? 'number' : ''}
              {...IS.head}
              aria-sort={by && sortable ? (sorted ?? 'none') : undefined}
            >
              {by && sortable ? (
                <button type="button" class="sort" onClick={() => onOrder({ title, down: own ? !own.down : false })}>
                  {title}
                  <span aria-hidden="true">{own ? (own.down ? '▼' : '▲') : ''}</span>
                </button>
              ) : (
                title
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

export function Row<T>({
  row,
  columns,
  flat,
  index,
  select,
}: {
  row: T
  columns: Column<T>[]
  flat: boolean
  /** Its place in the whole list, where only a part of it is in the document. */
  index: number | undefined
  select: { name: string; on: boolean; set: (on: boolean) => void } | undefined
}) {
  return (
    <tr {...IS.row} aria-rowindex={index} class={select?.on ? 'chosen' : ''}>
      {select ? (
        <td class="choose" {...IS.cell}>
          <Checkbox label={`Select ${select.name}`} on={select.on} onSet={select.set} />
        </td>
      ) : null}
      {columns.map(({ title, cell, number }, i) =>
        i === 0 ? (
          <th key={title} scope="row" {...IS.first}>
            {cell(row, flat)}
          </th>
        ) : (
          <td key={title} class={number ? 'number' : ''} data-title={title} {...IS.cell}>
            <div>{cell(row, flat)}</div>
          </td>
        ),
      )}
    </tr>
  )
}
