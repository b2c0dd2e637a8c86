// Quotas of users and groups on a dataset, beside what they use.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Field, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Card } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { useAction, useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { exactSize, ifMatch, one } from '../storage/api-types.ts'

interface Quota {
  id: number
  name?: string
  used: number
  quota?: number
}
interface Quotas {
  users: Quota[]
  groups: Quota[]
}
type Kind = 'users' | 'groups'
interface Row extends Quota {
  kind: Kind
}

export function DatasetQuotas({ name }: { name: string }) {
  const path = one('quotas', name)
  const query = useQuery<Quotas>(path)
  const [edited, setEdited] = useState<Row | 'new'>()
  const isOperator = may('operator')
  return (
    <Card
      title="Quotas of users and groups"
      actions={isOperator ? <Button onClick={() => setEdited('new')}>Set a quota…</Button> : null}
    >
      <Loaded query={query}>
        {({ users, groups }) => (
          <Table
            label="Quotas of users and groups"
            what="users and groups"
            rows={[
              ...users.map((one_) => ({ ...one_, kind: 'users' as const })),
              ...groups.map((one_) => ({ ...one_, kind: 'groups' as const })),
            ]}
            id={({ kind, id }) => `${kind} ${id}`}
            nameOf={titleOf}
            empty="Nobody uses this dataset yet."
            columns={[
              { title: 'Name', by: titleOf, cell: titleOf },
              { title: 'Kind', by: ({ kind }) => kind, cell: ({ kind }) => kind.slice(0, -1) },
              { title: 'Used', by: ({ used }) => used, cell: ({ used }) => bytes(used), number: true },
              {
                title: 'Quota',
                by: ({ quota }) => quota ?? Number.MAX_SAFE_INTEGER,
                cell: ({ quota }) => (quota === undefined ? 'none' : bytes(quota)),
                number: true,
              },
              ...(isOperator
                ? [
                    {
                      title: 'Actions',
                      cell: (row: Row) => (
                        <Button label={`Edit the quota of ${titleOf(row)}`} onClick={() => setEdited(row)}>
                          Edit…
                        </Button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
      {edited ? (
        <QuotaDialog
          path={path}
          row={edited === 'new' ? undefined : edited}
          etag={query.etag}
          onClose={() => setEdited(undefined)}
          onDone={async () => {
            await query.reload()
            setEdited(undefined)
          }}
        />
      ) : null}
      <Curl lines={[{ path }]} />
    </Card>
  )
}

const titleOf = ({ name, id }: Quota) => name ?? String(id)

function QuotaDialog({
  path,
  row,
  etag,
  onClose,
  onDone,
}: {
  path: string
  row: Row | undefined
  etag: string | undefined
  onClose: () => void
  onDone: () => Promise<void>
}) {
  const [kind, setKind] = useState<Kind>(row?.kind ?? 'users')
  const [name, setName] = useState('')
  const [quota, setQuota] = useState(row?.quota === undefined ? '' : exactSize(String(row.quota)))
  const who = row ? { id: row.id } : /^[0-9]+$/.test(name) ? { id: Number(name) } : { name }
  const json = { [kind]: [{ ...who, quota: quota === '' ? null : quota }] }
  const action = useAction(async () => {
    await call('PUT', path, { json, ...ifMatch(etag) })
    await onDone()
  })
  const at = `${kind}.0`
  return (
    <Dialog title={row ? `Quota of ${titleOf(row)}` : 'Set a quota'} onClose={onClose}>
      <Form action={action} submit="Save" cancel={onClose}>
        {row ? null : (
          <>
            <Select
              label="Kind"
              value={kind}
              onValue={(value) => setKind(value as Kind)}
              options={[
                ['users', 'User'],
                ['groups', 'Group'],
              ]}
            />
            <Field
              label="Name or number"
              name={`${at}.name ${at}.id ${at}`}
              value={name}
              onValue={setName}
              autocomplete="off"
              required
            />
          </>
        )}
        <Field
          label="Quota"
          name={`${at}.quota`}
          value={quota}
          onValue={setQuota}
          hint="Such as 10G; leave empty for no limit"
        />
      </Form>
      <Curl lines={[{ method: 'PUT', path, json }]} />
    </Dialog>
  )
}
