// Permissions of a dataset's mount point: owner, group, mode and access control list (ACL).
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Card, Facts, Note } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { EditPermissions } from './permissions/edit.tsx'
import { type AclEntry, nameOf, type Permissions, permissionsPath, rightsOf, wordOf } from './permissions/types.ts'

export function DatasetPermissions({ name }: { name: string }) {
  const path = permissionsPath(name)
  const query = useQuery<Permissions>(path)
  const [edits, setEdits] = useState(false)
  const [told, setTold] = useState('')
  const isOperator = may('operator')
  return (
    <Card
      title="Permissions"
      actions={isOperator && query.data ? <Button onClick={() => setEdits(true)}>Edit permissions…</Button> : null}
    >
      <div role="status">{told ? <Note tone="ok">{told}</Note> : null}</div>
      <Loaded query={query}>{(shown) => <Shown of={shown} />}</Loaded>
      {edits ? (
        <EditPermissions
          name={name}
          onClose={() => {
            setEdits(false)
            // Also after a job that goes on: the mount point is changed first.
            void query.reload()
          }}
          onDone={async (text) => {
            await query.reload()
            setTold(text)
            setEdits(false)
          }}
        />
      ) : null}
      <Curl
        lines={[
          { path },
          ...(isOperator
            ? [{ method: 'PUT', path: `${path}?dry_run=true`, json: { owner: 'alice', mode: '2770', recursive: true } }]
            : []),
        ]}
      />
    </Card>
  )
}

interface Row {
  who: string
  kind: string
  now: string
  /** What new files begin with. */
  later: string | undefined
}

function Shown({ of }: { of: Permissions }) {
  const { path, owner, group, mode, acl, default_acl: inherited, without_acl: without } = of
  const rights = rightsOf(mode)
  const later = inherited ?? undefined
  const rows: Row[] = [
    { who: owner, kind: 'owner', now: rights.owner, later: later?.owner },
    { who: group, kind: 'owning group', now: rights.group, later: later?.group },
    { who: 'Others', kind: 'everybody else', now: rights.other, later: later?.other },
    ...entryRows(acl?.entries ?? [], later?.entries ?? []),
    ...(acl?.mask && acl.mask !== 'rwx'
      ? [{ who: 'Mask', kind: 'limits groups and named users', now: acl.mask, later: later?.mask }]
      : []),
  ]
  return (
    <>
      <Facts
        of={[
          ['Folder', path],
          ['Mode (chmod)', mode],
          ['Access control list (ACL)', without ?? (acl?.entries.length ? 'yes (getfacl, setfacl)' : 'no entries')],
          ['New files', startOf(of)],
        ]}
      />
      <Table
        label="Permissions"
        what="users and groups"
        rows={rows}
        id={({ kind, who }) => `${kind} ${who}`}
        nameOf={({ who }) => who}
        empty="There are no permissions."
        columns={[
          { title: 'Who', by: ({ who }) => who, cell: ({ who }) => who },
          { title: 'Kind', by: ({ kind }) => kind, cell: ({ kind }) => kind },
          { title: 'May', by: ({ now }) => now, cell: ({ now }) => (now ? wordOf(now) : 'not named') },
          ...(later
            ? [{ title: 'In new folders', by: (row: Row) => row.later ?? '', cell: (row: Row) => lastWord(row.later) }]
            : []),
        ]}
      />
    </>
  )
}

const lastWord = (letters: string | undefined) => (letters === undefined ? 'not named' : wordOf(letters))

function startOf({ mode, default_acl: inherited }: Permissions): string {
  const group = rightsOf(mode).setGroup ? 'belong to the owning group' : 'belong to the group of their creator'
  return inherited ? `${group}, and begin with the default list` : group
}

/** An entry of either list, in one row. */
function entryRows(now: readonly AclEntry[], later: readonly AclEntry[]): Row[] {
  const keyOf = (entry: AclEntry) => `${entry.type} ${entry.id}`
  const of = (list: readonly AclEntry[], key: string) => list.find((entry) => keyOf(entry) === key)?.permissions
  const all = new Map([...now, ...later].map((entry) => [keyOf(entry), entry]))
  return [...all].map(([key, entry]) => ({
    who: nameOf(entry),
    kind: entry.type,
    now: of(now, key) ?? '',
    later: of(later, key),
  }))
}
