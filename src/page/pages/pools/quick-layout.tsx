// "12 disks as 2 groups of 6 in RAID-Z2": fills the data groups, which can be changed afterwards.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Field, Select } from '../../kit/fields.tsx'
import { bytes } from '../../kit/format.ts'
import { failWords } from './concerns.ts'
import { spread, usableIn, type Wanted } from './groups.ts'
import { LAYOUT_WORDS, LAYOUTS, type Layout, layoutsFor, leastDisks, mayFail } from './layouts.ts'
import type { FreeDisk } from './types.ts'
import type { Groups } from './use-groups.ts'

export function QuickLayout({ free, groups, first }: { free: readonly FreeDisk[]; groups: Groups; first: Layout }) {
  const [count, setCount] = useState('1')
  const [width, setWidth] = useState('')
  const [layout, setLayout] = useState<Layout>(first)
  const wanted: Wanted = { groups: Number(count), width: Number(width), layout }
  const problem = whyNot(wanted, free.length)
  const disks = problem === undefined ? spread(wanted, free) : undefined
  const sizes = new Map(free.map(({ path, size }) => [path, size]))
  const room =
    disks &&
    usableIn(
      disks.map((paths, at) => ({ id: String(at), use: 'data', layout, spares: 0, disks: paths })),
      (path) => sizes.get(path),
    )
  return (
    <fieldset>
      <legend>Quick layout</legend>
      <div class="pairs">
        <Field label="Groups (vdevs)" type="number" min={1} max={64} value={count} onValue={setCount} />
        <Field label="Disks per group" type="number" min={1} max={255} value={width} onValue={setWidth} />
        <Select
          label="Layout"
          value={layout}
          onValue={(value) => setLayout(value as Layout)}
          options={layoutsFor('data').map((one): [string, string] => [one, LAYOUT_WORDS[one]])}
        />
      </div>
      {disks ? (
        <p>
          {disks.flat().length} disks as {wanted.groups} {wanted.groups === 1 ? 'group' : 'groups'} of {wanted.width} in{' '}
          {LAYOUTS[layout]}: {failWords(mayFail(layout, wanted.width))} in each group
          {room ? `, about ${bytes(room)} usable` : ''}.
        </p>
      ) : null}
      <div class="actions">
        <Button why={problem} onClick={() => disks && groups.fill(wanted, disks)}>
          Fill the groups
        </Button>
      </div>
    </fieldset>
  )
}

function whyNot({ groups, width, layout }: Wanted, free: number): string | undefined {
  if (![groups, width].every((value) => Number.isInteger(value) && value > 0))
    return `Enter the number of groups and of disks per group; ${free} disks are free.`
  if (width < leastDisks(layout)) return `${LAYOUTS[layout]} needs at least ${leastDisks(layout)} disks per group.`
  return groups * width > free ? `That needs ${groups * width} disks; ${free} are free.` : undefined
}
