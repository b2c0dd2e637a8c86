// One dataset or volume: usage, local properties, permissions, quotas, and actions.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { bytes } from '../../kit/format.ts'
import { Card, Cards, Empty, Facts, Meter, Page, When } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { type DatasetDetails, one } from '../storage/api-types.ts'
import { Destroy } from '../storage/destroy.tsx'
import { EditDataset } from './edit.tsx'
import { DatasetPermissions } from './permissions.tsx'
import { readable } from './properties.ts'
import { DatasetQuotas } from './quotas.tsx'

export function OneDataset({ name }: { name: string }) {
  const path = one('datasets', name)
  const query = useQuery<DatasetDetails>(path)
  const [asked, setAsked] = useState<'edit' | 'destroy'>()
  const close = () => setAsked(undefined)
  const kind = query.data?.type === 'volume' ? 'volume' : 'dataset'
  // A pool's root dataset can be destroyed only with its pool.
  const isRoot = !name.includes('/')
  const actions =
    may('operator') && query.data ? (
      <>
        {kind === 'dataset' ? (
          <a class="button" href={link('datasets', '-new', name)}>
            Create child dataset
          </a>
        ) : null}
        <Button onClick={() => setAsked('edit')}>Edit…</Button>
        {isRoot ? null : (
          <Button kind="danger" onClick={() => setAsked('destroy')}>
            Destroy…
          </Button>
        )}
      </>
    ) : null
  return (
    <Page title={`${kind === 'volume' ? 'Volume' : 'Dataset'} ${name}`} actions={actions}>
      <p>
        <a href={link('datasets')}>All datasets and volumes</a> · <a href={link('snapshots', name)}>Snapshots</a>
      </p>
      <Loaded query={query}>{(dataset) => <Sections dataset={dataset} />}</Loaded>
      {query.data?.type === 'filesystem' ? <DatasetPermissions name={name} /> : null}
      {query.data?.type === 'filesystem' ? <DatasetQuotas name={name} /> : null}
      {asked === 'edit' ? (
        <EditDataset
          name={name}
          onClose={close}
          onDone={async () => {
            await query.reload()
            close()
          }}
        />
      ) : null}
      {asked === 'destroy' ? (
        <Destroy
          title={`Destroy ${kind} ${name}`}
          submit={`Destroy ${kind}`}
          name={name}
          path={path}
          recursive
          job="dataset.destroy"
          onClose={close}
          onDone={() => go('datasets')}
        >
          {({ destroys }) => (
            <p>
              {destroys.length > 1
                ? `These ${destroys.length} objects and all data in them will be destroyed:`
                : 'This and all data in it will be destroyed:'}
            </p>
          )}
        </Destroy>
      ) : null}
      <Curl
        lines={[
          { path },
          ...(may('operator')
            ? [
                { method: 'PUT', path, json: { options: { quota: '200G' } } },
                { method: 'DELETE', path: `${path}?dry_run=true` },
              ]
            : []),
        ]}
      />
    </Page>
  )
}

function Sections({ dataset }: { dataset: DatasetDetails }) {
  const { type, size, used, available, referenced, mountpoint, created_at, origin, options, pool } = dataset
  const set = Object.entries(options)
  return (
    <Cards>
      <Card title="Space">
        <Facts
          of={[
            ['Written', type === 'volume' ? <Meter value={referenced} max={size} label="Written" /> : undefined],
            ['Used', type === 'volume' ? undefined : <Meter value={used} max={size} label="Used" />],
            [type === 'volume' ? 'Allocated in the pool' : 'Including snapshots and children', bytes(used)],
            ['Referenced', bytes(referenced)],
            ['Available', bytes(available)],
            ['Size', type === 'volume' ? bytes(size) : undefined],
          ]}
        />
      </Card>
      <Card title="Details">
        <Facts
          of={[
            ['Type', type === 'volume' ? 'volume' : 'dataset'],
            ['Pool', <a href={link('pools', pool)}>{pool}</a>],
            ['Mounted at', mountpoint],
            ['Clone of', origin],
            ['Created', <When at={created_at} />],
          ]}
        />
      </Card>
      <Card title="Local properties">
        {set.length === 0 ? (
          <Empty>There are none: everything is inherited.</Empty>
        ) : (
          <Facts of={set.map(([name, value]) => [name, readable(name, value)])} />
        )}
      </Card>
    </Cards>
  )
}
