// One disk: what it is, its health and self-tests; start a test, switch its LED, wipe it.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { FailureNote, Loaded } from '../../kit/failure.tsx'
import { bytes } from '../../kit/format.ts'
import { Badge, Card, Cards, Facts, Note, Page, Progress, When } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { type Query, useAction, useQuery } from '../../query.ts'
import { link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { Destroy } from '../storage/destroy.tsx'
import { type DiskDetails, HEALTH_TONES, kindText, usesText } from './types.ts'

export function OneDisk({ id }: { id: string }) {
  const path = one('disks', id)
  const query = useQuery<DiskDetails>(path, { every: 30 })
  const [wiping, setWiping] = useState(false)
  const close = () => setWiping(false)
  const done = async () => {
    await query.reload()
    close()
  }
  const inUse = query.data?.uses.some(({ active }) => active)
  const actions =
    may('operator') && query.data ? (
      <Button kind="danger" onClick={() => setWiping(true)} why={inUse ? 'It is in use' : undefined}>
        Wipe…
      </Button>
    ) : null
  return (
    <Page title={`Disk ${query.data?.kernel_name ?? id}`} actions={actions}>
      <p>
        <a href={link('disks')}>All disks</a>
      </p>
      <Loaded query={query}>{(disk) => <Sections disk={disk} path={path} query={query} />}</Loaded>
      {wiping ? (
        <Destroy
          title="Wipe this disk"
          submit="Wipe disk"
          name={query.data?.serial ?? id}
          path={`${path}/wipe`}
          method="POST"
          job="disk.wipe"
          onClose={close}
          onDone={done}
        >
          {() => (
            <p>Labels and the partition table are removed. Data is not overwritten, but it can no longer be used:</p>
          )}
        </Destroy>
      ) : null}
      <Curl
        lines={[
          { path },
          ...(may('operator')
            ? [
                { method: 'POST', path: `${path}/test`, json: { type: 'short' } },
                { method: 'POST', path: `${path}/locate`, json: { on: true } },
                { method: 'POST', path: `${path}/wipe?dry_run=true` },
              ]
            : []),
        ]}
      />
    </Page>
  )
}

interface SectionProps {
  disk: DiskDetails
  path: string
  query: Query<DiskDetails>
}

function Sections({ disk, path, query }: SectionProps) {
  const { health, pool } = disk
  const count = (value: number | undefined) => (value === undefined ? undefined : `${value}`)
  return (
    <>
      {health.problems.length > 0 ? (
        <Note
          tone={HEALTH_TONES[health.state]}
          title={health.state === 'failing' ? 'The disk is failing' : 'Watch this disk'}
        >
          <ul>
            {health.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Note>
      ) : null}
      <Cards halves>
        <Card title="Disk">
          <Facts
            of={[
              ['Model', disk.model],
              ['Serial number', disk.serial],
              ['Slot', disk.slot ? `${disk.slot} of enclosure ${disk.enclosure}` : undefined],
              ['Port', disk.port],
              ['Used by', pool ? <a href={link('pools', pool)}>{usesText(disk)}</a> : usesText(disk)],
              ['Size', bytes(disk.size)],
              ['Type', kindText(disk)],
              ['Firmware', disk.firmware],
              ['WWN', disk.wwn],
              ['Name', disk.id],
              ['Device', disk.device],
              ['Paths', disk.paths?.join(', ')],
            ]}
          />
          {may('operator') ? <Locate disk={disk} path={path} query={query} /> : null}
        </Card>
        <Card title="Health">
          <Facts
            of={[
              ['State', <Badge tone={HEALTH_TONES[health.state]}>{health.state}</Badge>],
              ['Why', health.reason],
              [
                'Temperature',
                health.temperature === undefined
                  ? undefined
                  : `${health.temperature} °C${health.hot ? ', too hot' : ''}`,
              ],
              ['Power-on hours', count(health.power_on_hours)],
              ['Reallocated sectors', count(health.reallocated)],
              ['Pending sectors', count(health.pending)],
              ['Uncorrectable errors', count(health.uncorrectable)],
              ['Media errors', count(health.media_errors)],
              ['Life used', health.percentage_used === undefined ? undefined : `${health.percentage_used} %`],
              ['Checked', health.checked_at ? <When at={health.checked_at} /> : undefined],
            ]}
          />
        </Card>
        <SelfTests disk={disk} path={path} query={query} />
        {disk.partitions.length > 0 ? (
          <Card title="Partitions" wide>
            <Table
              label="Partitions"
              what="partitions"
              empty="The disk has no partitions."
              rows={disk.partitions}
              id={({ device }) => device}
              columns={[
                { title: 'Device', cell: ({ device }) => device },
                { title: 'Size', cell: ({ size }) => bytes(size), number: true },
                {
                  title: 'Holds',
                  cell: ({ file_system, label }) => [file_system, label].filter(Boolean).join(' ') || '–',
                },
                { title: 'Mounted at', cell: ({ mount_points }) => mount_points.join(', ') || '–' },
              ]}
            />
          </Card>
        ) : null}
      </Cards>
    </>
  )
}

function Locate({ disk, path, query }: SectionProps) {
  const action = useAction(async (on: boolean) => {
    await call('POST', `${path}/locate`, { json: { on } })
    await query.reload()
  })
  return (
    <>
      <FailureNote failure={action.failure} />
      <div class="actions">
        {disk.locate === true ? null : (
          <Button busy={action.busy} onClick={() => void action.run(true)}>
            Turn on the LED
          </Button>
        )}
        {disk.locate === false ? null : (
          <Button busy={action.busy} onClick={() => void action.run(false)}>
            Turn off the LED
          </Button>
        )}
      </div>
    </>
  )
}

function SelfTests({ disk, path, query }: SectionProps) {
  const { health, self_tests } = disk
  const action = useAction(async (type: 'short' | 'long') => {
    await call('POST', `${path}/test`, { json: { type } })
    await query.reload()
  })
  const why = health.test_running ? 'A self-test is running' : undefined
  const minutes = (value: number | undefined) => (value === undefined ? '' : ` (${value} min)`)
  return (
    <Card title="Self-tests" wide>
      {health.test_running ? <Progress value={health.test_progress} label="Self-test" /> : null}
      <FailureNote failure={action.failure} />
      {may('operator') ? (
        <div class="actions">
          <Button busy={action.busy} why={why} onClick={() => void action.run('short')}>
            {`Start short test${minutes(health.short_minutes)}`}
          </Button>
          <Button busy={action.busy} why={why} onClick={() => void action.run('long')}>
            {`Start long test${minutes(health.long_minutes)}`}
          </Button>
        </div>
      ) : null}
      <Table
        label="Self-tests"
        what="self-tests"
        rows={self_tests.map((test, i) => ({ ...test, i }))}
        id={({ i }) => `${i}`}
        empty="The disk has no self-test in its log."
        columns={[
          { title: 'Test', cell: ({ type }) => type },
          {
            title: 'Result',
            cell: ({ status }) => (
              <Badge tone={status === 'passed' ? 'ok' : status === 'failed' ? 'error' : 'quiet'}>{status}</Badge>
            ),
          },
          { title: 'At (power-on hours)', cell: ({ hours }) => hours ?? '–', number: true },
          { title: 'In the disk’s words', cell: ({ message }) => message },
        ]}
      />
    </Card>
  )
}
