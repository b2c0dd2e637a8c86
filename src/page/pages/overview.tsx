// The first page: health, running work, and what needs attention.
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { bytes } from '../kit/format.ts'
import { Badge, Card, Cards, Facts, Meter, Note, Page, When } from '../kit/layout.tsx'
import { Table } from '../kit/table.tsx'
import { nameOfTask, TaskBadge, took } from '../kit/task.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { hasController } from '../session.ts'
import type { Task } from '../tasks.ts'
import { type Pool, roomOf } from './pools/types.ts'

interface Use {
  used: string
  total: string
  percentage: number
}

interface Attention {
  severity: 'warning' | 'error'
  subject: string
  message: string
  mend: string
  link: string
}

export interface OverviewData {
  version: string | null
  health: { disk: Use; memory: Use; cpu: { num: number; load: string; cpu5min: number } }
  history: { at: string; disk: number; memory: number; cpu: number }[]
  services: { name: string; running: boolean }[]
  tasks: Task[]
  pools: Pick<Pool, 'name' | 'health' | 'size' | 'allocated' | 'free' | 'usable' | 'usable_free'>[]
  storage: {
    storage: { dataset_count: number; zvol_count: number; snapshot_count: number }
    services: { smb_shares: number; nfs_exports: number; iscsi_targets: number }
  } | null
  attention: Attention[]
}

export function Overview() {
  const query = useQuery<OverviewData>('/console/overview', { every: 30 })
  return (
    <Page title="Overview">
      <Loaded query={query}>{(data) => <Sections data={data} />}</Loaded>
      <Curl
        lines={[
          { path: '/api/v1/admin/health' },
          { path: '/api/v1/admin/version' },
          ...(hasController() ? [{ path: '/api/v1/dashboard' }] : []),
        ]}
      />
    </Page>
  )
}

function Sections({ data }: { data: OverviewData }) {
  const { health, history, storage } = data
  return (
    <>
      <section aria-label="What needs attention" class="cards">
        {data.attention.length === 0 ? (
          <Note tone="ok">Nothing needs your attention.</Note>
        ) : (
          data.attention.map(({ severity, subject, message, mend, link: to }) => (
            <Note key={subject + message} tone={severity} title={`${subject}: ${message}`}>
              <span>
                {mend} {to ? <a href={to}>Open page</a> : null}
              </span>
            </Note>
          ))
        )}
      </section>
      <Cards>
        <Card title="Health">
          <Chart
            name="Processor"
            samples={history}
            of="cpu"
            now={history.at(-1)?.cpu}
            detail={`of ${health.cpu?.num} cores, load ${health.cpu?.load}`}
          />
          <Chart
            name="Memory"
            samples={history}
            of="memory"
            now={health.memory?.percentage}
            detail={`${health.memory?.used} of ${health.memory?.total}`}
          />
          <Chart
            name="Data disk"
            samples={history}
            of="disk"
            now={health.disk?.percentage}
            detail={`${health.disk?.used} of ${health.disk?.total}`}
          />
        </Card>
        <Card title="System">
          <Facts
            of={[
              ['Version', data.version ?? 'unknown'],
              ['Datasets', storage?.storage.dataset_count],
              ['Volumes', storage?.storage.zvol_count],
              ['Snapshots', storage?.storage.snapshot_count],
              ['SMB shares', storage?.services.smb_shares],
              ['NFS exports', storage?.services.nfs_exports],
              ['iSCSI targets', storage?.services.iscsi_targets],
            ]}
          />
          <h3>Services</h3>
          <Facts
            of={data.services.map(({ name, running }) => [
              name,
              <Badge tone={running ? 'ok' : 'warning'}>{running ? 'running' : 'not running'}</Badge>,
            ])}
          />
        </Card>
        {storage ? (
          <Card title="Pools">
            <Table
              label="Pools"
              rows={data.pools}
              id={({ name }) => name}
              empty="There is no pool yet."
              columns={[
                { title: 'Pool', cell: ({ name }) => <a href={link('pools', name)}>{name}</a> },
                {
                  title: 'State',
                  cell: ({ health }) => <Badge tone={health === 'ONLINE' ? 'ok' : 'error'}>{health}</Badge>,
                },
                {
                  title: 'Used',
                  cell: (pool) => {
                    const { size, free } = roomOf(pool)
                    return <Meter value={size - free} max={size} label={`${pool.name}: used`} />
                  },
                },
                { title: 'Free', cell: (pool) => bytes(roomOf(pool).free), number: true },
                { title: 'Size', cell: (pool) => bytes(roomOf(pool).size), number: true },
              ]}
            />
          </Card>
        ) : null}
        <Card title="Recent tasks" actions={<a href={link('tasks')}>All tasks</a>} wide>
          <TaskTable tasks={data.tasks} />
        </Card>
      </Cards>
    </>
  )
}

export const TaskTable = ({ tasks, empty = 'There is no task yet.' }: { tasks: Task[]; empty?: string }) => (
  <Table
    label="Tasks"
    what="tasks"
    rows={tasks}
    id={({ id }) => id}
    empty={empty}
    columns={[
      { title: 'Task', by: nameOfTask, cell: (task) => <a href={link('tasks', task.id)}>{nameOfTask(task)}</a> },
      { title: 'Started by', by: ({ by }) => by, cell: ({ by }) => by ?? '' },
      { title: 'State', by: ({ status }) => status, cell: (task) => <TaskBadge task={task} /> },
      // The last step of a completed task adds nothing to its state.
      { title: 'Step', cell: ({ status, message, error }) => error ?? (status === 'completed' ? '' : message) },
      {
        title: 'Started',
        by: ({ created_at }) => Date.parse(created_at),
        cell: ({ created_at }) => <When at={created_at} />,
      },
      { title: 'Duration', cell: took },
    ]}
  />
)

/** Percentages of the last hour with the current number beside them: screen readers get only the number. */
function Chart({
  name,
  samples,
  of,
  now = 0,
  detail,
}: {
  name: string
  samples: OverviewData['history']
  of: 'cpu' | 'memory' | 'disk'
  now?: number
  detail: string
}) {
  const end = samples.length > 0 ? new Date(samples[samples.length - 1]?.at ?? 0).getTime() : 0
  const points = samples.map((sample) => {
    const x = 120 - (end - new Date(sample.at).getTime()) / 30_000
    return `${x.toFixed(1)},${(40 - 0.4 * Math.min(100, sample[of])).toFixed(1)}`
  })
  const first = points[0]?.split(',')[0]
  return (
    <figure class="chart">
      <figcaption>
        <span>{name}</span>
        <span class="muted">{detail}</span>
        <strong>{Math.round(now)}%</strong>
      </figcaption>
      <svg viewBox="0 0 120 40" preserveAspectRatio="none" role="img" aria-label={`${name} over the last hour`}>
        {/* The middle, so that a line has something to be read against. */}
        <line class="scale" x1="0" y1="20" x2="120" y2="20" />
        {points.length > 1 ? (
          <>
            <polygon class="area" points={`${first},40 ${points.join(' ')} 120,40`} />
            <polyline class="line" points={points.join(' ')} />
          </>
        ) : null}
      </svg>
      <p class="hint axis">
        {points.length > 1 ? (
          <>
            <span>an hour ago</span>
            <span>0 to 100%</span>
            <span>now</span>
          </>
        ) : (
          'The graph starts within a minute.'
        )}
      </p>
    </figure>
  )
}
