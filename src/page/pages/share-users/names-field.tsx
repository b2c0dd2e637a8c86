// Several of the share users or groups that there are: boxes to check, or a list to type where there are too many of them.
import { Check, Group, TextArea } from '../../kit/fields.tsx'
import { names } from '../storage/api-types.ts'

/** More boxes than that are slower to look through than a name is to type. */
const MOST = 24

export function NamesField({
  label,
  name,
  hint,
  known,
  value,
  onValue,
}: {
  label: string
  name: string
  hint: string
  /** The names to choose from. */
  known: readonly string[]
  /** One name per line. */
  value: string
  onValue: (value: string) => void
}) {
  const chosen = names(value)
  const all = [...new Set([...known, ...chosen])].sort()
  const part = (at: string) => chosen[Number(at)] ?? at
  if (all.length === 0) return null
  if (all.length > MOST)
    return (
      <TextArea
        label={label}
        name={name}
        hint={`One name per line. ${hint}`}
        rows={6}
        part={part}
        value={value}
        onValue={onValue}
      />
    )
  const set = (one: string, on: boolean) =>
    onValue((on ? [...chosen, one] : chosen.filter((other) => other !== one)).join('\n'))
  return (
    <Group label={label} name={name} hint={hint} part={part}>
      {all.map((one) => (
        <Check key={one} label={one} checked={chosen.includes(one)} onChecked={(on) => set(one, on)} />
      ))}
    </Group>
  )
}
