// File systems and volumes of all pools as a tree, with their usage. `-new` cannot be a dataset: their names begin with a
// letter.

import { useMemo } from 'hono/jsx/dom'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes, plural } from '../kit/format.ts'
import { Card, Meter, Note, Page } from '../kit/layout.tsx'
import { ordered, parts } from '../kit/order.ts'
import type { PageProps } from '../kit/page-props.ts'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { CreateDataset } from './datasets/create.tsx'
import { OneDataset } from './datasets/one.tsx'
import { CreateShare } from './shares/create.tsx'
import { TakeSnapshots } from './snapshots/several.tsx'
import type { Dataset } from './storage/api-types.ts'
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
  const [shares, setShares] = useState(false)
  const actions =
    may('operator') && query.data && query.data.length > 0 ? (
      <>
        <Button kind="main" onClick={() => setShares(true)}>
          Create share…
        </Button>
        <a class="button" href={link('datasets', '-new')}>
          Create dataset or volume
        </a>
      </>
    ) : null
  return (
    <Page
      title="Datasets and volumes"
      intro="A dataset is a file system that can be shared; a volume is a disk for iSCSI. Both use the space of their pool."
      actions={actions}
    >
      <Loaded query={query}>{(all) => <Tree all={all} />}</Loaded>
      {shares ? <CreateShare first="smb" onClose={() => setShares(false)} onMade={query.reload} /> : null}
      <Curl lines={[{ path: '/api/v1/datasets' }, { path: '/api/v1/zvols' }]} />
    </Page>
  )
}

function Tree({ all }: { all: Dataset[] }) {
  const [chosen, setChosen] = useState<string[]>()
  const byPath = useMemo(() => ordered(all, ({ name }) => parts(name), false), [all])
  if (all.length === 0)
    return (
      <Note title="There is no pool yet">
        <span>
          Datasets are created in a pool. <a href={link('pools')}>Go to pools</a>
        </span>
      </Note>
    )
  return (
    <Card>
      <Table
        label="Datasets and volumes"
        what="datasets and volumes"
        rows={byPath}
        id={({ name }) => name}
        empty="There is no dataset."
        order={{ title: 'Name', down: false }}
        {...(may('operator') && {
          actions: (selected: Dataset[]) => (
            <Button onClick={() => setChosen(selected.map(({ name }) => name))}>
              Create {plural(selected.length, 'snapshot')}…
            </Button>
          ),
        })}
        columns={[
          { title: 'Name', by: ({ name }) => parts(name), cell: (dataset, flat) => <Name of={dataset} whole={flat} /> },
          { title: 'Type', by: wordOf, cell: wordOf },
          {
            title: 'Usage',
            by: ({ type, used, size }) => (type === 'volume' || size === 0 ? undefined : used / size),
            number: false,
            // A volume's space is reserved when it is created: its bar would always be full.
            cell: ({ name, type, used, size }) =>
              type === 'volume' ? (
                `a disk of ${bytes(size)}`
              ) : (
                <Meter value={used} max={size} label={`${name}: used`} />
              ),
          },
          { title: 'Used', by: ({ used }) => used, cell: ({ used }) => bytes(used), number: true },
          {
            title: 'Available',
            by: ({ available }) => available,
            cell: ({ available }) => bytes(available),
            number: true,
          },
          { title: 'Mounted at', by: ({ mountpoint }) => mountpoint, cell: ({ mountpoint }) => mountpoint ?? '' },
        ]}
      />
      {chosen ? <TakeSnapshots of={chosen} onClose={() => setChosen(undefined)} /> : null}
    </Card>
  )
}

const wordOf = ({ type }: Dataset) => (type === 'volume' ? 'volume' : 'dataset')

const DEEPEST = 4

/** Below its parent the last part is enough; the whole name where the parent is not the row above. */
function Name({ of: { name }, whole }: { of: Dataset; whole: boolean }) {
  const all = name.split('/')
  return (
    <div class={whole ? '' : `tree-${Math.min(all.length - 1, DEEPEST)}`}>
      <a href={link('datasets', name)} aria-label={name}>
        {whole ? name : all[all.length - 1]}
      </a>
    </div>
  )
}
