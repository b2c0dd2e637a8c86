// A filter for long lists. Only a limited number of rows is rendered, and the page says how many are not.
import { useState } from '../../hooks.ts'
import { Field } from '../../kit/fields.tsx'
import type { Children } from '../../kit/layout.tsx'

const MOST = 200

/** The rows that contain the typed text, at most 200, and the field for it once the list is long enough. */
export function useFilter<T>(rows: T[], text: (row: T) => string, what: string): { shown: T[]; control: Children } {
  const [wanted, setWanted] = useState('')
  const needle = wanted.trim().toLowerCase()
  const found = needle === '' ? rows : rows.filter((row) => text(row).toLowerCase().includes(needle))
  const shown = found.slice(0, MOST)
  const control =
    rows.length < 8 ? null : (
      <>
        <Field label={`Find ${what}`} value={wanted} onValue={setWanted} />
        <p class="muted" role="status">
          {found.length === rows.length
            ? `${rows.length.toLocaleString()} ${what}`
            : `${found.length.toLocaleString()} of ${rows.length.toLocaleString()} ${what}`}
          {found.length > shown.length ? `; the first ${shown.length} are shown` : ''}
        </p>
      </>
    )
  return { shown, control }
}
