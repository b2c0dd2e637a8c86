// The devices of a pool: its groups and their disks, with state and errors.
import { Badge, Table } from '../../kit/layout.tsx'
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

const count = (errors: number) => (errors > 0 ? <Badge tone="error">{errors}</Badge> : errors)

export const Vdevs = ({ of, label }: { of: Vdev[]; label: string }) => (
  <Table
    label={label}
    rows={flat(of)}
    id={({ key }) => key}
    empty="No devices are known."
    columns={[
      { title: 'Device', cell: ({ name, depth }) => <div class={`tree-${depth}`}>{name}</div> },
      {
        title: 'Type',
        cell: ({ type, class: use, depth }) => (depth === 0 ? `${type}, ${use}` : type),
      },
      { title: 'State', cell: ({ state }) => <Badge tone={toneOf(state)}>{state}</Badge> },
      { title: 'Read errors', cell: ({ read_errors }) => count(read_errors), number: true },
      { title: 'Write errors', cell: ({ write_errors }) => count(write_errors), number: true },
      { title: 'Checksum errors', cell: ({ checksum_errors }) => count(checksum_errors), number: true },
      { title: 'Note', cell: ({ note }) => note ?? '' },
    ]}
  />
)
