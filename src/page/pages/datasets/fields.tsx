// The fields of a dataset's or a volume's properties.
import { Field, Select, TextArea } from '../../kit/fields.tsx'
import { PROPERTIES, type Values } from './properties.ts'

export function PropertyFields({
  kind,
  values,
  onValues,
  isNew,
}: {
  kind: 'filesystem' | 'volume'
  values: Values
  onValues: (values: Values) => void
  isNew?: boolean
}) {
  const set = (name: string) => (value: string) => onValues({ ...values, fields: { ...values.fields, [name]: value } })
  return (
    <fieldset>
      <legend>Properties</legend>
      {PROPERTIES[kind]
        .filter(({ fixed }) => isNew || !fixed)
        .map(({ name, label, hint, choices }) => {
          const value = values.fields[name] ?? ''
          if (!choices)
            return (
              <Field key={name} name={`options.${name}`} label={label} hint={hint} value={value} onValue={set(name)} />
            )
          const all = value === '' || choices.includes(value) ? choices : [...choices, value]
          return (
            <Select
              key={name}
              name={`options.${name}`}
              label={label}
              hint={hint}
              value={value}
              onValue={set(name)}
              options={[['', 'Inherited'], ...all.map((choice): [string, string] => [choice, choice])]}
            />
          )
        })}
      <TextArea
        label="Other ZFS properties"
        hint="One name=value per line; removing a line restores the inherited value"
        rows={2}
        name="options"
        value={values.others}
        onValue={(others) => onValues({ ...values, others })}
      />
    </fieldset>
  )
}
