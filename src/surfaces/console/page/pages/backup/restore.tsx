// Restoring: an archive replaces the data that is there. The trap: the answer comes when everything is done; a connection that is lost before
// says nothing of how it went, but the task does.
import { Failure } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Confirm } from '../../kit/dialog.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Button, FileField } from '../../kit/form.tsx'
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
  const { sent, send } = useSending('/api/v1/admin/backup/restore')
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
  const ask = useAction(async () => {
    if (!file) throw new Failure(0, 'Choose an archive first')
    void action.run()
  })
  return (
    <Card title="Restore">
      <p>
        Each file of the archive replaces the one of the same name; files that only the appliance has stay. The archive
        is looked through first: when something in it is not as it should be, or the restore fails half-way, everything
        stays as it was.
      </p>
      <FileField key={restored ? 'again' : 'first'} label="Backup archive" file={file} onFile={setFile} accept=".tar" />
      <Sending sent={sent} then="The archive is there. It is being checked and put in place…" />
      {restored ? <Note tone="ok">The backup was restored.</Note> : null}
      <FailureNote failure={action.failure} />
      <div class="actions">
        <Button kind="danger" busy={action.busy} disabled={!file} onClick={() => setAsking(true)}>
          Restore this archive
        </Button>
      </div>
      {task ? <TaskView key={task} id={task} /> : null}
      {asking && file ? (
        <Confirm title="Restore this archive?" submit="Replace the data" action={ask} onClose={() => setAsking(false)}>
          <p>
            {file.name}, {bytes(file.size)}
          </p>
          <Note tone="warning" title="What is there now is replaced">
            Data that has changed since the backup was made is lost. Make a backup of it first if you may need it.
          </Note>
        </Confirm>
      ) : null}
    </Card>
  )
}
