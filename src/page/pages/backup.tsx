// Backup and restore. To the appliance both are tasks of the kind `backup`, and so is deleting an archive: only one
// runs at a time, and the newest task is not always the one that made the archive.
import { call } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Confirm } from '../kit/dialog.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { Badge, Card, Facts, keepFocus, Page } from '../kit/layout.tsx'
import { TaskView } from '../kit/task.tsx'
import { useAction, useQuery } from '../query.ts'
import { may } from '../session.ts'
import { Restore } from './backup/restore.tsx'
import { newestTask } from './update.tsx'

interface BackupStatus {
  status: string
  filesize?: string
  sha256?: string
}

const PATH = '/api/v1/admin/backup'

export function Backup() {
  return (
    <Page
      title="Backup and restore"
      intro="A backup is one archive of the data that the vendor selected. The appliance keeps only one: download it to a safe place."
    >
      <Current />
      {may('administrator') ? <Restore /> : null}
      <Curl
        lines={[
          { method: 'POST', path: PATH, form: { action: 'START' } },
          { path: `${PATH}?wait=30` },
          { path: `${PATH}/download`, output: 'backup.tar' },
          { method: 'POST', path: PATH, form: { action: 'STOP' } },
          { method: 'POST', path: `${PATH}/restore`, form: { archive: '@backup.tar' } },
        ]}
      />
    </Page>
  )
}

function Current() {
  const query = useQuery<BackupStatus>(PATH, { every: 10 })
  const [task, setTask] = useState<string>()
  const [removing, setRemoving] = useState(false)
  const act = async (action: 'START' | 'STOP') => {
    await call('POST', PATH, { form: { action } })
    setTask((await newestTask('backup'))?.id)
    await query.reload()
  }
  const start = useAction(() => act('START'))
  const stop = useAction(async () => {
    await act('STOP')
    setRemoving(false)
  })
  const { data, failure } = query
  // 404 is an expected response: there is no backup.
  const none = failure?.status === 404
  const status = none ? undefined : data
  // The button that deleted it disappears with it.
  useEffect(() => keepFocus(), [none])
  const isRunning = status?.status === 'running'
  return (
    <Card title="Backup on the appliance">
      {none ? <p>There is no backup on the appliance.</p> : <FailureNote failure={failure} again={query.reload} />}
      {status ? <BackupFacts status={status} /> : null}
      {may('administrator') ? (
        <>
          <FailureNote failure={start.failure} />
          <div class="actions">
            {status?.status === 'success' ? (
              <a class="button" href={`${PATH}/download`} download>
                Download
              </a>
            ) : null}
            <Button kind="main" busy={start.busy || isRunning} onClick={() => void start.run()}>
              {status?.status === 'success' ? 'Create a new backup' : 'Create backup'}
            </Button>
            {status ? (
              <Button kind="danger" onClick={() => setRemoving(true)}>
                {isRunning ? 'Stop backup' : 'Delete backup'}
              </Button>
            ) : null}
          </div>
          {status?.status === 'success' ? (
            <p class="hint">A new backup replaces this one. Compare your downloaded file with its SHA-256.</p>
          ) : null}
        </>
      ) : null}
      {task ? <TaskView key={task} id={task} onEnd={() => void query.reload()} /> : null}
      {removing ? (
        <Confirm
          title={isRunning ? 'Stop the backup?' : 'Delete the backup?'}
          submit={isRunning ? 'Stop backup' : 'Delete backup'}
          action={stop}
          onClose={() => setRemoving(false)}
        >
          <p>
            {isRunning
              ? 'The part that has been written is deleted.'
              : 'The archive on the appliance is deleted. Copies that you downloaded are not affected.'}
          </p>
        </Confirm>
      ) : null}
    </Card>
  )
}

function BackupFacts({ status: { status, filesize, sha256 } }: { status: BackupStatus }) {
  const tone = status === 'success' ? 'ok' : status === 'running' ? 'busy' : 'error'
  const text = { success: 'complete', running: 'running', failed: 'failed' }[status] ?? status
  return (
    <Facts
      of={[
        ['State', <Badge tone={tone}>{text}</Badge>],
        ['Size', filesize],
        ['SHA-256', sha256 ? <code>{sha256}</code> : undefined],
      ]}
    />
  )
}
