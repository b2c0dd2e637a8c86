// Restoring a backup. The response comes when everything is done; if the connection is lost before that, the task has
// the outcome.
import { useState } from '../../hooks.ts'
import { Confirm } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { FileField } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes } from '../../kit/format.ts'
import { Card, Note } from '../../kit/layout.tsx'
import { Sending, useSending } from '../../kit/sending.tsx'
import { TaskView } from '../../kit/task.tsx'
import { useAction } from '../../query.ts'
import { newestTask } from '../update.tsx'

export function Restore() {
  const [file, setFile] = useState<File>()
  const [asking, setAsking] = useState(false)
  const [restored, setRestored] = useState(false)
  const [task, setTask] = useState<string>()
  const { sending, busy, send } = useSending('/api/v1/admin/backup/restore', 'The backup archive', 'backup')
  const action = useAction(async () => {
    setAsking(false)
    setRestored(false)
    setTask(undefined)
    const before = (await newestTask('restore'))?.id
    try {
      await send({ archive: file })
      setRestored(true)
      setFile(undefined)
    } finally {
      const after = await newestTask('restore').catch(() => undefined)
      if (after && after.id !== before) setTask(after.id)
    }
  })
  const review = useAction(async () => setAsking(true))
  const ask = useAction(async () => void action.run())
  return (
    <Card title="Restore">
      <p>
        Files in the archive replace files of the same name; all other files on the appliance are kept. The archive is
        checked first: if it contains anything unexpected, or the restore fails, nothing is changed.
      </p>
      <Form action={{ ...review, busy: action.busy || busy }} submit="Restore archive" kind="danger">
        <FileField
          key={restored ? 'again' : 'first'}
          label="Backup archive"
          name="archive"
          required
          file={file}
          onFile={setFile}
          accept=".tar"
        />
        <Sending sending={sending} then="Archive received. Checking and restoring it…" />
      </Form>
      {restored ? <Note tone="ok">The backup was restored.</Note> : null}
      {/* The task says it already. */}
      {task ? null : <FailureNote failure={action.failure} />}
      {task ? <TaskView key={task} id={task} /> : null}
      {asking && file ? (
        <Confirm title="Restore this archive?" submit="Replace data" action={ask} onClose={() => setAsking(false)}>
          <p>
            {file.name}, {bytes(file.size)}
          </p>
          <Note tone="warning" title="Current data will be replaced">
            Changes made since that backup are lost. Create a new backup first if you may need them.
          </Note>
        </Confirm>
      ) : null}
    </Card>
  )
}
