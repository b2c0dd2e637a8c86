// The disks of the appliance: what uses each, how it is, and where it is.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Select } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { bytes } from '../kit/format.ts'
import { Badge, Card, Facts, Page } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { Table } from '../kit/table.tsx'
import { type Query, useAction, useQuery } from '../query.ts'
import { link } from '../router.ts'
import { may } from '../session.ts'
import { OneDisk } from './disks/one.tsx'
import { type Disk, EVERY, HEALTH_TONES, type Health, kindText, usesText } from './disks/types.ts'

const COLLECTION = '/api/v1/disks'
const TESTS = '/api/v1/disk-tests'

export const Disks = ({ rest: [id] }: PageProps) => (id === undefined ? <List /> : <OneDisk id={id} />)

/** The disks to look at come first. */
const URGENCY: readonly Health['state'][] = ['failing', 'warning', 'unknown', 'standby', 'good']

/** What the search looks through. */
const textOf = (disk: Disk): string => {
  const { id, kernel_name, model, serial, wwn, slot, port, health } = disk
  return [id, kernel_name, model, serial, wwn, slot, port, kindText(disk), usesText(disk), health.state].join(' ')
}

interface Tests {
  short: string
  long: string
}

function List() {
  const query = useQuery<Disk[]>(COLLECTION, { every: 60 })
  const tests = useQuery<Tests>(TESTS)
  return (
    <Page
      title="Disks"
      intro="Every disk of the appliance. The serial number and the slot show which one to pull. A disk that sleeps is not woken: its last known values are shown."
    >
      <Loaded query={query}>
        {(disks) => (
          <Card>
            <Table
              label="Disks"
              what="disks"
              rows={disks}
              id={({ id }) => id}
              text={textOf}
              empty="The appliance has no disk that a pool could be made of."
              columns={[
                {
                  title: 'Disk',
                  by: ({ kernel_name }) => kernel_name,
                  cell: ({ id, kernel_name, model }) => (
                    <>
                      <a href={link('disks', id)}>{kernel_name}</a> <span class="muted">{model ?? id}</span>
                    </>
                  ),
                },
                { title: 'Serial number', by: ({ serial = '' }) => serial, cell: ({ serial }) => serial ?? '–' },
                {
                  title: 'Slot',
                  by: ({ slot, port = '' }) => slot ?? port,
                  cell: ({ slot, port }) => slot ?? port ?? '–',
                },
                { title: 'Size', by: ({ size }) => size, cell: ({ size }) => bytes(size), number: true },
                { title: 'Type', by: kindText, cell: kindText },
                {
                  title: 'Used by',
                  by: usesText,
                  cell: (disk) =>
                    disk.free ? (
                      <Badge tone="quiet">free</Badge>
                    ) : disk.pool === undefined ? (
                      usesText(disk)
                    ) : (
                      <a href={link('pools', disk.pool)}>{usesText(disk)}</a>
                    ),
                },
                {
                  title: 'Health',
                  by: ({ health }) => URGENCY.indexOf(health.state),
                  cell: ({ health: { state, problems, reason } }) => (
                    <>
                      <Badge tone={HEALTH_TONES[state]}>{state}</Badge>{' '}
                      <span class="muted">{problems[0] ?? reason ?? ''}</span>
                    </>
                  ),
                },
                {
                  title: 'Temperature',
                  by: ({ health }) => health.temperature ?? 0,
                  cell: ({ health: { temperature, hot } }) =>
                    temperature === undefined ? (
                      '–'
                    ) : hot ? (
                      <Badge tone="warning">{`${temperature} °C`}</Badge>
                    ) : (
                      `${temperature} °C`
                    ),
                  number: true,
                },
              ]}
            />
          </Card>
        )}
      </Loaded>
      <Loaded query={tests}>{(found) => <TestSchedule found={found} query={tests} />}</Loaded>
      <Curl lines={[{ path: COLLECTION }, { path: TESTS }]} />
    </Page>
  )
}

function TestSchedule({ found, query }: { found: Tests; query: Query<Tests> }) {
  const [short, setShort] = useState(found.short)
  const [long, setLong] = useState(found.long)
  const action = useAction(async () => {
    await call('PUT', TESTS, { json: { short, long } })
    await query.reload()
  })
  const textOf = (every: string) => EVERY.find(([word]) => word === every)?.[1] ?? every
  return (
    <Card title="Scheduled self-tests">
      {may('operator') ? (
        <Form action={action} submit="Save schedule" done="The schedule was saved.">
          <p class="muted">
            Disks test themselves while they are used. A test that was missed while the appliance was off is made up.
          </p>
          <Select label="Short test (minutes)" name="short" value={short} onValue={setShort} options={EVERY} />
          <Select label="Long test (hours)" name="long" value={long} onValue={setLong} options={EVERY} />
        </Form>
      ) : (
        <Facts
          of={[
            ['Short test', textOf(found.short)],
            ['Long test', textOf(found.long)],
          ]}
        />
      )}
    </Card>
  )
}
