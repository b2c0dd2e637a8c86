// Free disks are put into groups: with the quick layout, or one by one. What speaks against the groups is shown below
// them.
import { Button } from '../../kit/button.tsx'
import { Field, Group as Fields, Select } from '../../kit/fields.tsx'
import { bytes } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { concerns, failWords } from './concerns.ts'
import { type Group, type Present, shapeOf, titleOf, usableIn, vdevWords, whyNot } from './groups.ts'
import { isDraid, LAYOUT_WORDS, LAYOUTS, type Layout, layoutsFor, mayFail, USES, type Use, usable } from './layouts.ts'
import { QuickLayout } from './quick-layout.tsx'
import type { FreeDisk } from './types.ts'
import type { Groups } from './use-groups.ts'

/** The first line of the menu for several disks. */
const NOTHING = '-'

export function ChooseDisks({
  disks,
  groups: all,
  first,
  present,
}: {
  disks: FreeDisk[]
  groups: Groups
  first: Layout
  /** The groups that the pool has already; undefined for a new pool. */
  present?: readonly Present[]
}) {
  const { groups } = all
  const sizes = new Map(disks.map(({ path, size }) => [path, size]))
  const sizeOf = (path: string) => sizes.get(path)
  const names = new Map(disks.map(({ path, device }) => [path, device]))
  const words = vdevWords(groups)
  const room = usableIn(groups, sizeOf)
  const menu = menuOf(groups)
  return (
    <>
      <QuickLayout free={disks} groups={all} first={first} />
      <Fields
        label="Disks"
        name="vdevs"
        wrong={whyNot(groups, present !== undefined)}
        part={(at) => names.get(words[Number(at)] ?? '') ?? words[Number(at)] ?? at}
      >
        <Table
          label="Free disks"
          what="disks"
          rows={disks}
          id={({ path }) => path}
          nameOf={({ device }) => device}
          order={{ title: 'Disk', down: false }}
          empty="There is no free disk."
          text={({ path, device, model = '', serial = '', slot = '' }) =>
            `${path} ${device} ${model} ${serial} ${slot}`
          }
          actions={(selected) => (
            <Menu
              label="Use of the selected disks"
              value={NOTHING}
              options={[[NOTHING, 'Use them for…'], ...menu]}
              onValue={(to) =>
                to === NOTHING
                  ? undefined
                  : all.assign(
                      selected.map(({ path }) => path),
                      to,
                    )
              }
            />
          )}
          columns={[
            { title: 'Disk', by: ({ device }) => device, cell: ({ device }) => <span class="break">{device}</span> },
            {
              title: 'Used for',
              cell: ({ path, device }) => (
                <Menu
                  label={`Use of ${device}`}
                  value={all.groupOf(path)}
                  options={menu}
                  onValue={(to) => all.assign([path], to)}
                />
              ),
            },
            {
              title: 'Size',
              by: ({ size }) => size,
              cell: ({ size }) => (size === undefined ? '' : bytes(size)),
              number: true,
            },
            { title: 'Serial number', by: ({ serial }) => serial, cell: ({ serial }) => serial ?? '' },
            { title: 'Model', by: ({ model }) => model, cell: ({ model }) => model ?? '' },
            { title: 'Slot', by: ({ slot }) => slot, cell: ({ slot }) => slot ?? '' },
          ]}
        />
      </Fields>
      {groups.map((group, at) =>
        group.disks.length > 0 || at === 0 || group.use === 'data' ? (
          <OneGroup key={group.id} group={group} all={all} sizeOf={sizeOf} names={names} />
        ) : null,
      )}
      <div role="status" class="listing">
        {room ? (
          <p>
            <strong>
              About {bytes(room)} will be usable{present ? ' in addition' : ''}.
            </strong>
          </p>
        ) : null}
        {concerns(groups, sizeOf, present).map((concern) => (
          <Note key={concern} tone="warning">
            {concern}
          </Note>
        ))}
      </div>
    </>
  )
}

function OneGroup({
  group,
  all: { groups, change, drop },
  sizeOf,
  names,
}: {
  group: Group
  all: Groups
  sizeOf: (path: string) => number | undefined
  names: ReadonlyMap<string, string>
}) {
  const { id, use, layout, spares, disks } = group
  const title = titleOf(group, groups)
  const layouts = layoutsFor(use)
  const sizes = disks.map(sizeOf).filter((size) => size !== undefined)
  const room = use === 'data' && sizes.length === disks.length ? usable(layout, sizes, spares) : 0
  return (
    <fieldset>
      <legend>{title}</legend>
      {layouts.length > 1 ? (
        <div class="pairs">
          <Select
            label={`Layout of ${title}`}
            value={layout}
            onValue={(value) => change(id, { layout: value as Layout })}
            options={layouts.map((one): [string, string] => [one, LAYOUT_WORDS[one]])}
          />
          {isDraid(layout) ? (
            <Field
              label="Distributed spares"
              type="number"
              min={0}
              max={100}
              value={String(spares)}
              onValue={(value) => change(id, { spares: Math.min(100, Math.max(0, Math.floor(Number(value)) || 0)) })}
            />
          ) : null}
        </div>
      ) : null}
      {disks.length > 0 ? (
        <>
          <p>
            {shapeOf(group)}
            {layouts.length > 1 ? `: ${failWords(mayFail(layout, disks.length))}` : ''}
            {room > 0 ? `, about ${bytes(room)} usable` : ''}
          </p>
          <p class="break">{disks.map((path) => names.get(path) ?? path).join(', ')}</p>
        </>
      ) : (
        <p>No disk is in this group yet: choose above which disks are used for it.</p>
      )}
      {groups.length > 1 ? (
        <div class="actions">
          <Button label={`Remove group ${title}`} onClick={() => drop(id)}>
            Remove group
          </Button>
        </div>
      ) : null}
    </fieldset>
  )
}

/** The groups that exist, the uses that have none yet, and further groups. */
function menuOf(groups: readonly Group[]): [value: string, text: string][] {
  const uses = Object.keys(USES) as Use[]
  const has = (use: Use) => groups.some((group) => group.use === use)
  return [
    ['', 'Not used'],
    ...groups.map((group): [string, string] => [
      group.id,
      `${titleOf(group, groups)}${layoutsFor(group.use).length > 1 ? ` (${LAYOUTS[group.layout]})` : ''}`,
    ]),
    ...uses.filter((use) => !has(use)).map((use): [string, string] => [use, USES[use]]),
    ...uses
      .filter((use) => has(use) && layoutsFor(use).length > 1)
      .map((use): [string, string] => [`new-${use}`, `New group: ${USES[use]}`]),
  ]
}

/** A table's title is no label for the field in it, so the label names the disk. */
const Menu = ({
  label,
  value,
  options,
  onValue,
}: {
  label: string
  value: string
  options: [value: string, text: string][]
  onValue: (value: string) => void
}) => (
  <select
    aria-label={label}
    value={value}
    onInput={(event: Event) => onValue((event.currentTarget as HTMLSelectElement).value)}
  >
    {options.map(([option, text]) => (
      <option key={option} value={option} selected={option === value}>
        {text}
      </option>
    ))}
  </select>
)
