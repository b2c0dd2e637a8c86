// The order of a table's rows and its search.
import { describe, expect, it } from 'vitest'
import { matching, ordered, parts, type Value } from '../../src/page/kit/order.ts'

const sorted = (values: Value[], down = false) =>
  ordered(
    values.map((value) => ({ value })),
    ({ value }) => value,
    down,
  ).map(({ value }) => value)

describe('the order of rows', () => {
  it('counts with the digits of a name', () => {
    expect(sorted(['fake10', 'Fake2', 'fake1'])).toEqual(['fake1', 'Fake2', 'fake10'])
    expect(sorted(['fake10', 'Fake2', 'fake1'], true)).toEqual(['fake10', 'Fake2', 'fake1'])
  })

  it('compares sizes and dates by value, not by their text', () => {
    expect(sorted([900, 1_073_741_824, 1024])).toEqual([900, 1024, 1_073_741_824])
  })

  it('keeps the children of a dataset below it', () => {
    const names = ['tank/a-b', 'tank/a/x', 'tank', 'tank/a', 'tank/a@one']
    expect(sorted(names.map(parts)).map((value) => (value as string[]).join('/'))).toEqual([
      'tank',
      'tank/a',
      'tank/a/one',
      'tank/a/x',
      'tank/a-b',
    ])
  })

  it('puts rows without a value last in both directions', () => {
    expect(sorted([undefined, 'b', '', 'a'])).toEqual(['a', 'b', undefined, ''])
    expect(sorted([undefined, 'b', '', 'a'], true)).toEqual(['b', 'a', undefined, ''])
  })

  it('keeps the order of rows with the same value', () => {
    const rows = [
      { at: 1, name: 'second' },
      { at: 0, name: 'first' },
      { at: 1, name: 'third' },
    ]
    const names = (down: boolean) => ordered(rows, ({ at }) => at, down).map(({ name }) => name)
    expect(names(false)).toEqual(['first', 'second', 'third'])
    expect(names(true)).toEqual(['second', 'third', 'first'])
  })
})

describe('the search', () => {
  it('finds rows that contain every word, in any order and case', () => {
    const rows = ['tank/data@daily-1', 'tank/data@weekly-1', 'tank/other@daily-1']
    const find = (wanted: string) => matching(rows, (row) => row, wanted)
    expect(find(' Daily  DATA ')).toEqual(['tank/data@daily-1'])
    expect(find('  ')).toEqual(rows)
    expect(find('monthly')).toEqual([])
  })
})
