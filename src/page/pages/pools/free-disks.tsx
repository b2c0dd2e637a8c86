// The free disks of a form, files that stand for disks where that is allowed, and what is overwritten.
import { Button } from '../../kit/button.tsx'
import { TextArea } from '../../kit/fields.tsx'
import { bytes, plural } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { compare } from '../../kit/order.ts'
import { session } from '../../session.ts'
import { words } from '../storage/api-types.ts'
import type { Disk, FreeDisk } from './types.ts'
import type { Groups } from './use-groups.ts'

/** fake2 before fake10. */
export const freeOf = (disks: readonly Disk[]): FreeDisk[] =>
  disks.filter(({ free }) => free).sort((a, b) => compare(a.device, b.device))

export const filesAsDisks = (text: string): FreeDisk[] =>
  [...new Set(words(text))].map((path) => ({ path, device: path }))

export const chosenOf = (disks: readonly FreeDisk[], { groupOf }: Groups) =>
  disks.filter(({ path }) => groupOf(path) !== '')

export const NoFreeDisk = ({ rescan }: { rescan: () => void }) => (
  <Note title="There is no free disk">
    <span>A disk is free when it holds nothing: no partition, no file system, no other pool.</span>
    <Button onClick={rescan}>Rescan</Button>
  </Note>
)

/** Each file is data unless it is put elsewhere. */
export function FileDisks({
  value,
  onValue,
  groups,
}: {
  value: string
  onValue: (value: string) => void
  groups: Groups
}) {
  if (!session.get().file_vdevs) return null
  const change = (text: string) => {
    const [before, after] = [words(value), words(text)]
    onValue(text)
    groups.assign(
      before.filter((path) => !after.includes(path)),
      '',
    )
    groups.assign(
      after.filter((path) => !before.includes(path)),
      'data',
    )
  }
  return (
    <TextArea
      label="Files as data disks"
      hint="For testing: one path per line"
      rows={2}
      value={value}
      onValue={change}
    />
  )
}

export const Overwritten = ({ disks }: { disks: readonly FreeDisk[] }) => {
  const real = disks.filter(({ size }) => size !== undefined)
  return real.length === 0 ? null : (
    <Note tone="warning" title={`${plural(real.length, 'disk')} will be overwritten`}>
      <ul>
        {real.map(({ path, device, size = 0, model, serial }) => (
          <li key={path}>
            {device}, {bytes(size)} {model} {serial}
          </li>
        ))}
      </ul>
    </Note>
  )
}
