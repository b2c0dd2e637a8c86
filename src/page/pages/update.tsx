// Software updates: uploads a package and follows it to the end. The update may restart this very server; the task
// stream reconnects by itself.
import { call } from '../api.ts'
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { Loaded } from '../kit/failure.tsx'
import { FileField } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Card, Note, Page } from '../kit/layout.tsx'
import { Sending, useSending } from '../kit/sending.tsx'
import { CODES, TaskView } from '../kit/task.tsx'
import { useAction, useQuery } from '../query.ts'
import { may } from '../session.ts'
import type { Task } from '../tasks.ts'

interface UpdateStatus {
  status?: string | null
  percentage?: number
  'error-message'?: string
  'error-code'?: string
}

/** The newest task of a kind, which is the one that a POST to the admin API has just started. */
export async function newestTask(type: string): Promise<Task | undefined> {
  return (await call<Task[]>('GET', '/console/tasks')).find((task) => task.type === type)
}

export function Update() {
  const version = useQuery<{ version: string }>('/api/v1/admin/version')
  const status = useQuery<UpdateStatus>('/api/v1/admin/update')
  const tasks = useQuery<Task[]>('/console/tasks')
  const [file, setFile] = useState<File>()
  const [sent, setSent] = useState(0)
  const { sending, busy, send } = useSending('/api/v1/admin/update', 'The update package', 'update')
  const [started, setStarted] = useState<string>()
  // Until the update that was started here has ended, the known outcome is the previous update's.
  const [current, setCurrent] = useState(true)
  const action = useAction(async () => {
    await send({ update: file })
    setCurrent(false)
    setStarted((await newestTask('update'))?.id)
    setSent(sent + 1)
    setFile(undefined)
  })
  // The outcome gives the reason; the task would only repeat it.
  const told = current && !status.failure && status.data?.status === 'failed'
  const latest = started ?? tasks.data?.find(({ type }) => type === 'update')?.id
  const ended = async () => {
    void version.reload()
    await status.reload()
    setCurrent(true)
  }
  return (
    <Page
      title="Update"
      intro="Packages are encrypted and signed by the vendor. A package is verified before anything in it is run, and refused if it is not newer than the installed version."
    >
      <Card title="Installed">
        <Loaded query={version}>{({ version: installed }) => <p>Version {installed}</p>}</Loaded>
      </Card>
      {may('administrator') ? (
        <Card title="Install a package">
          <Form action={{ ...action, busy: action.busy || busy }} submit="Upload and install">
            <FileField
              key={sent}
              label="Update package"
              name="update"
              required
              file={file}
              onFile={setFile}
              accept=".enc"
            />
            <Sending sending={sending} then="Package received. Reading it…" />
          </Form>
        </Card>
      ) : null}
      {latest ? (
        <Card title="Last update">
          {current && !status.failure ? <Outcome status={status.data} /> : null}
          <TaskView key={latest} id={latest} onEnd={() => void ended()} told={told} />
        </Card>
      ) : null}
      <Curl
        lines={[
          { method: 'POST', path: '/api/v1/admin/update', form: { update: '@package.enc' } },
          { path: '/api/v1/admin/update?wait=30' },
          { path: '/api/v1/admin/update/log' },
        ]}
      />
    </Page>
  )
}

function Outcome({ status }: { status: UpdateStatus | undefined }) {
  if (status?.status === 'success') return <Note tone="ok">The update was installed.</Note>
  if (status?.status !== 'failed') return null
  const code = status['error-code'] ?? ''
  return (
    <Note tone="error" title={status['error-message'] ?? 'The update failed'}>
      <span>
        {code ? `${code}: ` : ''}
        {CODES[code] ?? 'Reported by the script in the package.'}
      </span>
    </Note>
  )
}
