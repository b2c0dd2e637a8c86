// A field that selects an existing dataset or volume.
import { useEffect } from '../../hooks.ts'
import { Field, Select } from '../../kit/fields.tsx'
import type { Children } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import type { Dataset } from './api-types.ts'

/** Above this number a text field replaces the list. */
const MOST = 500

export function DatasetField({
  label,
  type,
  value,
  onValue,
  hint,
  name,
  required,
  pools,
  fits = () => true,
}: {
  label: string
  name?: string
  required?: boolean
  /** With a single pool, preselect its root dataset. */
  pools?: boolean
  type?: Dataset['type']
  value: string
  onValue: (name: string) => void
  hint?: Children
  fits?: (dataset: Dataset) => boolean
}) {
  const { data, failure } = useQuery<Dataset[]>(`/api/v1/datasets${type ? `?type=${type}` : ''}`)
  const names = data?.filter(fits).map((dataset) => dataset.name) ?? []
  const roots = pools ? names.filter((one) => !one.includes('/')) : []
  const only = names.length === 1 ? names[0] : roots.length === 1 ? roots[0] : undefined
  useEffect(() => {
    if (only !== undefined && value === '') onValue(only)
  }, [only])
  // While loading, show a disabled list, not a text field that would turn into one.
  if (!data && !failure)
    return <Select label={label} hint={hint} value="" onValue={onValue} options={[['', 'Loading…']]} disabled />
  if (!data || data.length > MOST)
    return (
      <Field
        label={label}
        name={name}
        value={value}
        onValue={onValue}
        hint={hint}
        placeholder="tank/data"
        required={required ?? false}
      />
    )
  const none = names.length === 0 ? 'None available' : 'Choose one'
  return (
    <Select
      label={label}
      name={name}
      hint={hint}
      value={value}
      onValue={onValue}
      required={required ?? false}
      options={[['', none], ...names.map((one): [string, string] => [one, one])]}
    />
  )
}
