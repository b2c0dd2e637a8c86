// The order of a table's rows, and which of them a search finds. Without the document, so that it can be tested alone.

/** What a column sorts by. A path is a list of its parts: `tank/a/x` comes before `tank/a-b`. */
export type Value = string | number | boolean | undefined | readonly string[]

/** Digits count as a number (`fake2` before `fake10`), case does not count. */
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

export const parts = (path: string): readonly string[] => path.split(/[/@]/)

export function compare(a: Exclude<Value, undefined>, b: Exclude<Value, undefined>): number {
  if (typeof a === 'object' && typeof b === 'object') {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const order = collator.compare(a[i] ?? '', b[i] ?? '')
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if (typeof a === 'string' && typeof b === 'string') return collator.compare(a, b)
  return Number(a) - Number(b)
}

/** Sorted by `by`; rows of the same value keep their order, and rows without one come last in both directions. */
export function ordered<T>(rows: readonly T[], by: (row: T) => Value, down: boolean): T[] {
  const known: { row: T; value: Exclude<Value, undefined> }[] = []
  const unknown: T[] = []
  for (const row of rows) {
    const value = by(row)
    if (value === undefined || value === '') unknown.push(row)
    else known.push({ row, value })
  }
  known.sort((a, b) => (down ? compare(b.value, a.value) : compare(a.value, b.value)))
  return [...known.map(({ row }) => row), ...unknown]
}

const wordsOf = (text: string) => text.toLowerCase().split(/\s+/).filter(Boolean)

/** The rows whose text contains every word, in any order. `texts` are in lower case and belong to `rows` by place. */
export function matching<T>(rows: readonly T[], textOf: (row: T) => string, wanted: string): readonly T[] {
  const words = wordsOf(wanted)
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => textOf(row).includes(word)))
}
