// The audit log, newest first, loaded page by page: the next page begins after the last entry shown.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { Field, Select } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Badge, Card, Page, When } from '../kit/layout.tsx'
import { Table } from '../kit/table.tsx'
import { useAction, useQuery } from '../query.ts'
import { type Filters, LIMIT, NONE, pathOf } from './audit-path.ts'
import { useNames } from './storage/names.ts'

interface Entry {
  id: string
  actor: string
  actor_name?: string
  action: string
  resource: string
  result: 'success' | 'failure'
  message?: string
  ip?: string
  user_agent?: string
  request_id?: string
  timestamp: string
}

export function Audit() {
  const [typed, setTyped] = useState(NONE)
  const [filters, setFilters] = useState(NONE)
  const search = useAction(async () => setFilters(typed))
  const path = pathOf(filters)
  const set = (name: keyof Filters) => (value: string) => setTyped({ ...typed, [name]: value })
  return (
    <Page title="Audit log" intro="Every change and every refused request. The log detects when somebody alters it.">
      <Card title="Filters">
        <Form action={search} submit="Search">
          <div class="columns">
            <Field label="User" value={typed.actor} onValue={set('actor')} hint="Name or ID of an account, or token" />
            <Field label="Action" value={typed.action} onValue={set('action')} hint="Such as pools.create" />
            <Field
              label="Resource"
              value={typed.resource}
              onValue={set('resource')}
              hint="Such as datasets/tank; includes everything below it"
            />
            <Select
              label="Result"
              value={typed.result}
              onValue={set('result')}
              options={[
                ['', 'any'],
                ['success', 'success'],
                ['failure', 'failure'],
              ]}
            />
            <Field label="From" type="datetime-local" value={typed.since} onValue={set('since')} />
            <Field label="Until" type="datetime-local" value={typed.until} onValue={set('until')} />
          </div>
        </Form>
      </Card>
      <Entries key={path} filters={filters} />
      <Curl lines={[{ path: pathOf(typed) }]} />
    </Page>
  )
}

/**
 * Older entries may have a name for the token, which is not shown. A name that was only claimed is not an account's.
 */
function who({ actor, actor_name }: Entry, nameOf: (object: string) => string | undefined): string {
  if (actor === 'token') return 'API token'
  if (actor === 'nobody') return actor_name === undefined ? 'nobody' : `nobody (claimed to be ${actor_name})`
  return actor_name ?? nameOf(`users/${actor}`) ?? actor
}

/** The name of the object; its ID is shown as a detail, for scripts. */
const Named = ({ resource, name }: { resource: string; name: string | undefined }) =>
  name === undefined ? (
    resource
  ) : (
    <>
      {name} <span class="request muted">{resource}</span>
    </>
  )

function Entries({ filters }: { filters: Filters }) {
  const query = useQuery<Entry[]>(pathOf(filters))
  const nameOf = useNames()
  const [older, setOlder] = useState<Entry[]>([])
  const [whole, setWhole] = useState(false)
  const rows = [...(query.data ?? []), ...older]
  const last = rows.at(-1)
  const next = useAction(async () => {
    if (!last) return
    const page = await call<Entry[]>('GET', pathOf(filters, last.id))
    setOlder((now) => [...now, ...page])
    setWhole(page.length < LIMIT)
  })
  const isMore = query.data !== undefined && query.data.length === LIMIT && !whole
  return (
    <Card>
      <FailureNote failure={query.failure} again={query.reload} />
      {query.data ? (
        <Table
          label="Audit log"
          rows={rows}
          id={({ id }) => id}
          empty="No entry matches the filters."
          columns={[
            { title: 'Time', cell: ({ timestamp }) => <When at={timestamp} /> },
            { title: 'User', cell: (entry) => who(entry, nameOf) },
            { title: 'Action', cell: ({ action }) => action },
            { title: 'Resource', cell: ({ resource }) => <Named resource={resource} name={nameOf(resource)} /> },
            {
              title: 'Result',
              cell: ({ result, message }) => (
                <>
                  <Badge tone={result === 'success' ? 'ok' : 'error'}>{result}</Badge> {message}
                </>
              ),
            },
            {
              title: 'Address',
              cell: ({ ip, request_id }) => (
                <>
                  {ip} {request_id ? <code class="request muted">{request_id}</code> : null}
                </>
              ),
            },
          ]}
        />
      ) : query.failure ? null : (
        <p class="muted">Loading…</p>
      )}
      <FailureNote failure={next.failure} />
      {isMore ? (
        <div class="actions">
          <Button busy={next.busy} onClick={() => void next.run()}>
            Show older entries
          </Button>
        </div>
      ) : null}
    </Card>
  )
}
