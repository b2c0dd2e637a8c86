// Where the appliance keeps its data. A change takes effect at the next boot, and moves no data.
import { FailureNote } from '../kit/failure.tsx'
import { Card, Facts, Page } from '../kit/layout.tsx'
import { useQuery } from '../query.ts'
import { Change } from './persistent-storage/change.tsx'
import { KINDS, PATH, type Stored, titleOf } from './persistent-storage/kinds.ts'

export function PersistentStorage() {
  const query = useQuery<Stored>(PATH)
  const none = query.failure?.status === 404
  // The types that the image offers are unknown until one is set; the appliance refuses the others.
  const stored: Stored | undefined = query.data ?? (none ? { options: Object.keys(KINDS) } : undefined)
  return (
    <Page
      title="Persistent storage"
      intro="Where the appliance keeps its data. A change takes effect at the next boot; existing data is not copied."
    >
      <Card title="Current setting">
        {none ? (
          <p>Nothing is configured: the data is where the image keeps it.</p>
        ) : (
          <FailureNote failure={query.failure} again={query.reload} />
        )}
        {query.data?.storage ? <Facts of={facts(query.data.storage)} /> : null}
      </Card>
      {stored ? <Change stored={stored} onDone={query.reload} /> : null}
    </Page>
  )
}

function facts({ type, ...members }: Record<string, string | number>): [string, string][] {
  const known = KINDS[String(type)]?.members ?? []
  const label = (name: string) => known.find((member) => member.name === name)?.label ?? name
  return [
    ['Type', titleOf(String(type))],
    ...Object.entries(members).map(([name, value]): [string, string] => [label(name), String(value)]),
  ]
}
