// Fields for a dataset or a volume that is there.
import { Field, Select } from '../../kit/form.tsx'
import type { Children } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import type { Dataset } from './words.ts'

/** More than so many are typed, not chosen from a list. */
const MOST = 500

export function DatasetField({
  label,
  type,
  value,
  onValue,
  hint,
  fits = () => true,
}: {
  label: string
  type?: Dataset['type']
  value: string
  onValue: (name: string) => void
  hint?: Children
  fits?: (dataset: Dataset) => boolean
}) {
  const { data, failure } = useQuery<Dataset[]>(`/api/v1/datasets${type ? `?type=${type}` : ''}`)
  // Not a field that becomes a list under somebody's hands.
  if (!data && !failure)
    return <Select label={label} hint={hint} value="" onValue={onValue} options={[['', 'Asking…']]} disabled />
  if (!data || data.length > MOST)
    return <Field label={label} value={value} onValue={onValue} hint={hint} placeholder="tank/data" required />
  const names = data.filter(fits).map(({ name }) => name)
  const none = names.length === 0 ? 'There is none' : 'Choose one'
  return (
    <Select
      label={label}
      hint={hint}
      value={value}
      onValue={onValue}
      options={[['', none], ...names.map((name): [string, string] => [name, name])]}
    />
  )
}
