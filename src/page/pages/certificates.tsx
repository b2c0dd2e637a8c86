// The certificate that the port serves, and replacing it. A browser that does not know the new certificate refuses this
// page's requests until somebody reloads the page and accepts it.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { FileField } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { moment, plural } from '../kit/format.ts'
import { Badge, Card, Facts, Note, Page } from '../kit/layout.tsx'
import { Sending, useSending } from '../kit/sending.tsx'
import { TaskView } from '../kit/task.tsx'
import { type Query, useAction, useQuery } from '../query.ts'
import { may } from '../session.ts'
import type { Task } from '../tasks.ts'
import { newestTask } from './update.tsx'

interface Certificate {
  subject: string
  issuer: string
  names: string[]
  not_before: string
  not_after: string
  days_left: number
  fingerprint256: string
  self_signed: boolean
  key: string
}

const PATH = '/api/v1/admin/certs'
const SERVED = '/console/certificate'

export function Certificates() {
  const query = useQuery<Certificate>(SERVED)
  return (
    <Page title="Certificates" intro="The certificate that identifies this appliance to browsers and scripts.">
      <Card title="Current certificate">
        {query.failure?.status === 404 ? (
          <p>The appliance itself serves no certificate. A proxy in front of it has to encrypt the connection.</p>
        ) : (
          <FailureNote failure={query.failure} again={query.reload} />
        )}
        {query.data ? <Served certificate={query.data} /> : null}
      </Card>
      {may('administrator') ? <Replace query={query} /> : null}
      <Curl
        lines={[
          {
            method: 'POST',
            path: PATH,
            form: { public: '@appliance.pem', private: '@appliance.key', ca: '@ca.pem' },
          },
          { path: `${PATH}?wait=30` },
        ]}
      />
    </Page>
  )
}

function Served({ certificate }: { certificate: Certificate }) {
  const { subject, issuer, names, not_before, not_after, days_left, fingerprint256, self_signed, key } = certificate
  return (
    <Facts
      of={[
        ['Names', names.length > 0 ? names.join(', ') : 'none'],
        ['Subject', subject],
        ['Issuer', self_signed ? 'self-signed' : issuer],
        ['Valid from', moment(not_before)],
        [
          'Valid until',
          <>
            {moment(not_after)} <Left days={days_left} />
          </>,
        ],
        ['Key', key],
        ['SHA-256', <code>{fingerprint256}</code>],
      ]}
    />
  )
}

/**
 * The port serves the new pair shortly after the task has ended. Installing the same pair again, or a browser that
 * refuses it, ends the waiting.
 */
async function untilOther(before: string | undefined): Promise<void> {
  for (let left = 20; left > 0; left--) {
    const now = await call<Certificate>('GET', SERVED, { background: true }).catch(() => undefined)
    if (now === undefined || now.fingerprint256 !== before) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const Left = ({ days }: { days: number }) =>
  days < 0 ? (
    <Badge tone="error">expired</Badge>
  ) : (
    <Badge tone={days <= 30 ? 'warning' : 'ok'}>{plural(days, 'day')} left</Badge>
  )

function Replace({ query }: { query: Query<Certificate> }) {
  const [files, setFiles] = useState<{ public?: File; private?: File; ca?: File }>({})
  const [task, setTask] = useState<string>()
  const [replaced, setReplaced] = useState(false)
  const { sending, busy, send } = useSending(PATH, 'The certificate', 'certificates')
  const action = useAction(async () => {
    setReplaced(false)
    await send({ ...files })
    setTask((await newestTask('certs'))?.id)
    setFiles({})
  })
  const taken = async ({ status }: Task) => {
    if (status !== 'completed') return
    await untilOther(query.data?.fingerprint256)
    setReplaced(true)
    await query.reload()
  }
  return (
    <Card title="Replace certificate">
      <p>
        Certificate and key are tested in a TLS handshake first; if they do not match, the current certificate stays in
        use. No connection is dropped. If your browser does not trust the new certificate, reload this page and accept
        it.
      </p>
      <Form key={task ?? 'first'} action={{ ...action, busy: action.busy || busy }} submit="Replace certificate">
        <FileField
          label="Certificate"
          hint="PEM; intermediate certificates may follow, in order"
          file={files.public}
          name="public"
          required
          onFile={(file) => setFiles((now) => ({ ...now, public: file }))}
        />
        <FileField
          label="Private key"
          hint="PEM, not encrypted: RSA or ECDSA"
          file={files.private}
          name="private"
          required
          onFile={(file) => setFiles((now) => ({ ...now, private: file }))}
        />
        <FileField
          label="CA certificate (optional)"
          hint="PEM: the intermediate or root certificate"
          file={files.ca}
          name="ca"
          onFile={(file) => setFiles((now) => ({ ...now, ca: file }))}
        />
        <Sending sending={sending} then="Files received." />
      </Form>
      {task ? <TaskView key={task} id={task} onEnd={(ended) => void taken(ended)} /> : null}
      {replaced ? (
        <Note tone="ok" title="The new certificate is in use">
          <span>Your browser may ask you to trust it when the page is reloaded.</span>
          <div class="actions">
            <Button onClick={() => location.reload()}>Reload page</Button>
          </div>
        </Note>
      ) : null}
    </Card>
  )
}
