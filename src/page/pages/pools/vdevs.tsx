// The devices of a pool: its groups and their disks, with state and errors.
import { Badge, type Children } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { toneOf, type Vdev } from './types.ts'

interface Row extends Vdev {
  depth: number
  key: string
}

const flat = (vdevs: Vdev[], depth = 0, above = ''): Row[] =>
  vdevs.flatMap((vdev, i) => {
    const key = `${above}/${i}`
    return [{ ...vdev, depth, key }, ...flat(vdev.children ?? [], depth + 1, key)]
  })

const hasNotes = (vdevs: Vdev[]): boolean => vdevs.some(({ note, children = [] }) => note || hasNotes(children))

const sumOf = (row: Vdev) => row.read_errors + row.write_errors + row.checksum_errors

const Errors = ({ of }: { of: Vdev }) => {
  const counts = [
    [of.read_errors, 'read'],
    [of.write_errors, 'write'],
    [of.checksum_errors, 'checksum'],
  ].filter(([count]) => count !== 0)
  if (counts.length === 0) return 'none'
  return <Badge tone="error">{counts.map(([count, kind]) => `${count} ${kind}`).join(', ')}</Badge>
}

/** `actions`: the buttons of a device. */
export const Vdevs = ({
  of,
  label,
  actions,
}: {
  of: Vdev[]
  label: string
  actions?: ((vdev: Vdev) => Children) | undefined
}) => (
  <Table
    label={label}
    what="devices"
    rows={flat(of)}
    id={({ key }) => key}
    empty="No devices are known."
    columns={[
      {
        title: 'Device',
        by: ({ name }) => name,
        cell: ({ name, depth }, flat) => <div class={flat ? '' : `tree-${depth}`}>{name}</div>,
      },
      {
        title: 'Type',
        by: ({ type }) => type,
        cell: ({ type, class: use, depth }) => (depth === 0 ? `${type}, ${use}` : type),
      },
      { title: 'State', by: ({ state }) => state, cell: ({ state }) => <Badge tone={toneOf(state)}>{state}</Badge> },
      { title: 'Errors', by: sumOf, cell: (row) => <Errors of={row} /> },
      ...(hasNotes(of) ? [{ title: 'Note', by: ({ note }: Row) => note, cell: ({ note }: Row) => note ?? '' }] : []),
      ...(actions ? [{ title: 'Actions', cell: (row: Row) => <div class="wrap">{actions(row)}</div> }] : []),
    ]}
  />
)
