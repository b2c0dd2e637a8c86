// Who has mounted the NFS exports.
import { Loaded } from '../../kit/failure.tsx'
import { Badge, Card } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { useQuery } from '../../query.ts'

interface Client {
  address: string
  state: 'connected' | 'remembered'
  version: string
  name?: string
  path?: string
}

export const CLIENTS = '/api/v1/exports/nfs/clients'

export function Clients() {
  const query = useQuery<Client[]>(CLIENTS, { every: 30 })
  return (
    <Card title="Clients">
      <Loaded query={query}>
        {(clients) => (
          <Table
            label="Clients"
            what="clients"
            rows={clients}
            id={(client) => String(clients.indexOf(client))}
            empty="No client has mounted an export."
            columns={[
              { title: 'Client', by: ({ address }) => address, cell: ({ address }) => address },
              {
                title: 'State',
                by: ({ state }) => state,
                cell: ({ state }) =>
                  state === 'connected' ? <Badge tone="ok">connected</Badge> : <Badge tone="quiet">may be gone</Badge>,
              },
              { title: 'Version', by: ({ version }) => version, cell: ({ version }) => `NFSv${version}` },
              {
                title: 'Name or folder',
                by: ({ name, path }) => path ?? name,
                cell: ({ name, path }) => path ?? name ?? '',
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
