// Information for technical support: logs, the debug bundle, versions and services.
import { Curl } from '../kit/curl.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { moment } from '../kit/format.ts'
import { Badge, Card, Cards, Facts, Page } from '../kit/layout.tsx'
import { Table } from '../kit/table.tsx'
import { useQuery } from '../query.ts'
import { link } from '../router.ts'
import { hasController, may } from '../session.ts'

const ADMIN = '/api/v1/admin'

export function Support() {
  return (
    <Page title="Support" intro="Logs and information for technical support.">
      <Cards>
        {may('administrator') ? <Bundles /> : null}
        <Services />
        <Build />
        <Changelog />
      </Cards>
      <Curl
        lines={[
          { path: `${ADMIN}/logs`, output: 'logs.tar.gz' },
          { path: `${ADMIN}/debug`, output: 'debug-bundle.tar' },
          { path: `${ADMIN}/services` },
          { path: `${ADMIN}/build` },
          { path: `${ADMIN}/build/sbom`, output: 'edge-admin.cdx.json' },
          { path: `${ADMIN}/changelog` },
        ]}
      />
    </Page>
  )
}

const Bundles = () => (
  <Card title="Downloads">
    <p>
      Both are created when you download them, which may take a minute. Secrets in the logs are redacted; only the
      vendor can open the debug bundle.
    </p>
    <div class="actions">
      <a class="button" href={`${ADMIN}/logs`} download="logs.tar.gz">
        Download logs
      </a>
      <a class="button" href={`${ADMIN}/debug`} download="debug-bundle.tar">
        Download debug bundle
      </a>
    </div>
    <p class="hint">
      If a download fails, its <a href={link('tasks')}>task</a> says why.
    </p>
    {hasController() ? (
      <p>
        The <a href={link('audit')}>audit log</a> records who changed what.
      </p>
    ) : null}
    <p>
      API manual: <a href="/docs">interactive</a> or <a href="/docs/API.html">printable</a>.
    </p>
  </Card>
)

function Services() {
  const query = useQuery<{ services: Record<string, string>[] }>(`${ADMIN}/services`, { every: 30 })
  const rows = query.data?.services.flatMap((one) => Object.entries(one))
  return (
    <Card title="Services">
      <FailureNote failure={query.failure} again={query.reload} />
      {rows ? (
        <Table
          label="Services"
          rows={rows}
          id={([name]) => name}
          empty="The image defines no services."
          columns={[
            { title: 'Service', cell: ([name]) => name },
            {
              title: 'State',
              cell: ([, state]) => <Badge tone={state === 'running' ? 'ok' : 'warning'}>{state}</Badge>,
            },
          ]}
        />
      ) : null}
    </Card>
  )
}

function Build() {
  const query = useQuery<Record<string, unknown>>(`${ADMIN}/build`)
  return (
    <Card title="Build">
      {query.failure?.status === 404 ? (
        <p class="muted">The image contains no build information.</p>
      ) : (
        <FailureNote failure={query.failure} again={query.reload} />
      )}
      {query.data ? <Facts of={Object.entries(query.data).map(([name, value]) => [name, built(name, value)])} /> : null}
      <p>
        Third-party components of Edge Admin, with versions and licenses:{' '}
        <a href={`${ADMIN}/build/sbom`} download="edge-admin.cdx.json">
          software bill of materials
        </a>{' '}
        (CycloneDX).
      </p>
    </Card>
  )
}

/** Vendors store seconds since 1970 there. */
function built(name: string, value: unknown): string {
  const seconds = Number(value)
  return /date|time/i.test(name) && seconds > 1e9 && seconds < 1e11
    ? moment(new Date(seconds * 1000).toISOString())
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)
}

function Changelog() {
  const query = useQuery<string>(`${ADMIN}/changelog`)
  return (
    <Card title="Changelog" wide>
      {query.failure?.status === 404 ? (
        <p class="muted">There is no changelog.</p>
      ) : (
        <FailureNote failure={query.failure} again={query.reload} />
      )}
      {query.data === undefined ? null : (
        <pre class="block" tabindex={0}>
          {String(query.data)}
        </pre>
      )}
    </Card>
  )
}
