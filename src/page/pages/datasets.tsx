// File systems and volumes as one tree per pool, with their usage. `-new` cannot be a dataset: their names begin with a
// letter.

import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes } from '../kit/format.ts'
import { Card, Meter, Note, Page, Table } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { CreateDataset } from './datasets/create.tsx'
import { OneDataset } from './datasets/one.tsx'
import type { Dataset } from './storage/api-types.ts'
import { useFilter } from './storage/filter.tsx'
import { ForOperators } from './storage/for-operators.tsx'

export const Datasets = ({ rest: [name, parent] }: PageProps) =>
  name === undefined ? (
    <List />
  ) : name === '-new' ? (
    <ForOperators title="Create a dataset or volume">
      <CreateDataset parent={parent ?? ''} />
    </ForOperators>
  ) : (
    <OneDataset name={name} />
  )

function List() {
  const query = useQuery<Dataset[]>('/api/v1/datasets', { every: 30 })
  const actions =
    may('operator') && query.data && query.data.length > 0 ? (
      <a class="button" href={link('datasets', '-new')}>
        Create dataset or volume
      </a>
    ) : null
  return (
    <Page
      title="Datasets and volumes"
      intro="A dataset is a file system that can be shared; a volume is a disk for iSCSI. Both use the space of their pool."
      actions={actions}
    >
      <Loaded query={query}>{(all) => <Pools all={all} />}</Loaded>
      <Curl lines={[{ path: '/api/v1/datasets' }, { path: '/api/v1/zvols' }]} />
    </Page>
  )
}

function Pools({ all }: { all: Dataset[] }) {
  const { shown, control } = useFilter(all, ({ name }) => name, 'datasets and volumes')
  const pools = [...new Set(shown.map(({ pool }) => pool))]
  if (all.length === 0)
    return (
      <Note title="There is no pool yet">
        <span>
          Datasets are created in a pool. <a href={link('pools')}>Go to pools</a>
        </span>
      </Note>
    )
  return (
    <>
      {control ? <Card>{control}</Card> : null}
      {pools.map((pool) => (
        <Card key={pool} title={pool}>
          <Tree label={`Datasets of ${pool}`} of={shown.filter((one) => one.pool === pool)} />
        </Card>
      ))}
    </>
  )
}

/** Sorted by path, not by character: `tank/a/x` comes before `tank/a-b`. */
const byPath = (a: Dataset, b: Dataset) => {
  const [left, right] = [a.name.replaceAll('/', '\0'), b.name.replaceAll('/', '\0')]
  return left < right ? -1 : left > right ? 1 : 0
}
const DEEPEST = 4

const Tree = ({ of, label }: { of: Dataset[]; label: string }) => (
  <Table
    label={label}
    rows={[...of].sort(byPath)}
    id={({ name }) => name}
    empty="The pool is empty."
    columns={[
      {
        title: 'Name',
        cell: ({ name }) => {
          const parts = name.split('/')
          return (
            <div class={`tree-${Math.min(parts.length - 1, DEEPEST)}`}>
              <a href={link('datasets', name)} aria-label={name}>
                {parts[parts.length - 1]}
              </a>
            </div>
          )
        },
      },
      { title: 'Type', cell: ({ type }) => (type === 'volume' ? 'volume' : 'dataset') },
      {
        title: 'Usage',
        // A volume's space is reserved when it is created: its bar would always be full.
        cell: ({ name, type, used, size }) =>
          type === 'volume' ? `a disk of ${bytes(size)}` : <Meter value={used} max={size} label={`${name}: used`} />,
      },
      { title: 'Used', cell: ({ used }) => bytes(used), number: true },
      { title: 'Available', cell: ({ available }) => bytes(available), number: true },
      { title: 'Mounted at', cell: ({ mountpoint }) => mountpoint ?? '' },
    ]}
  />
)
