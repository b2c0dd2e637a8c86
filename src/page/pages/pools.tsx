// The list of pools; creating, importing and extending one. `-new` and `-import` cannot be pools: their names begin with a letter.

import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes } from '../kit/format.ts'
import { Badge, Card, Meter, Page } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { AddDisks } from './pools/add.tsx'
import { CreatePool } from './pools/create.tsx'
import { ImportPools } from './pools/import.tsx'
import { OnePool } from './pools/one.tsx'
import { ScrubCell } from './pools/scrub.tsx'
import { type Pool, roomOf, toneOf } from './pools/types.ts'
import { ForOperators } from './storage/for-operators.tsx'

export const Pools = ({ rest: [name, part] }: PageProps) =>
  name === undefined ? (
    <List />
  ) : name === '-new' ? (
    <ForOperators title="Create a pool">
      <CreatePool />
    </ForOperators>
  ) : name === '-import' ? (
    <ImportPools />
  ) : part === '-add' ? (
    <ForOperators title={`Add disks to ${name}`}>
      <AddDisks name={name} />
    </ForOperators>
  ) : (
    <OnePool name={name} />
  )

function List() {
  const query = useQuery<Pool[]>('/api/v1/pools', { every: 15 })
  const actions = may('operator') ? (
    <>
      <a class="button" href={link('pools', '-import')}>
        Import pool
      </a>
      <a class="button" href={link('pools', '-new')}>
        Create pool
      </a>
    </>
  ) : null
  return (
    <Page
      title="Pools"
      intro="A pool combines disks into one storage space. Datasets and volumes are created in a pool."
      actions={actions}
    >
      <Loaded query={query}>
        {(pools) => (
          <Card>
            <Table
              label="Pools"
              what="pools"
              rows={pools}
              id={({ guid }) => guid}
              empty={
                may('operator') ? (
                  <>
                    There is no pool yet. <a href={link('pools', '-new')}>Create one</a> from free disks, or{' '}
                    <a href={link('pools', '-import')}>import one</a> from the disks of another machine.
                  </>
                ) : (
                  'There is no pool yet.'
                )
              }
              columns={[
                { title: 'Pool', by: ({ name }) => name, cell: ({ name }) => <a href={link('pools', name)}>{name}</a> },
                {
                  title: 'State',
                  by: ({ health }) => health,
                  cell: ({ health }) => <Badge tone={toneOf(health)}>{health}</Badge>,
                },
                {
                  title: 'Used',
                  by: (pool) => 1 - roomOf(pool).free / (roomOf(pool).size || 1),
                  cell: (pool) => {
                    const { size, free } = roomOf(pool)
                    return <Meter value={size - free} max={size} label={`${pool.name}: used`} />
                  },
                },
                {
                  title: 'Free',
                  by: (pool) => roomOf(pool).free,
                  cell: (pool) => bytes(roomOf(pool).free),
                  number: true,
                },
                {
                  title: 'Size',
                  by: (pool) => roomOf(pool).size,
                  cell: (pool) => bytes(roomOf(pool).size),
                  number: true,
                },
                { title: 'Last scrub', cell: ({ name }) => <ScrubCell name={name} /> },
              ]}
            />
          </Card>
        )}
      </Loaded>
      <Curl lines={[{ path: '/api/v1/pools' }]} />
    </Page>
  )
}
