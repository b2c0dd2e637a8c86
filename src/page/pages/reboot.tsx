// Reboots the appliance and waits until it is back. The request is answered before the machine goes down, so a response
// means "back" only after one request has failed.
import { call } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { Confirm } from '../kit/dialog.tsx'
import { Card, Note, Page, Progress } from '../kit/layout.tsx'
import { TaskView } from '../kit/task.tsx'
import { useAction } from '../query.ts'
import { connection, refreshSession } from '../session.ts'
import { Store, useStore } from '../store.ts'
import { newestTask } from './update.tsx'

const PATH = '/api/v1/admin/reboot'
/** Seconds between two checks whether it is down. */
const LOOK = 1

type Stage = 'none' | 'asked' | 'down' | 'back'
/** Kept outside the component: the session may have ended when the appliance is back. */
const stage = new Store<Stage>('none')
connection.subscribe(() => {
  const state = connection.get()
  if (state === 'lost' && stage.get() === 'asked') stage.set('down')
  if (state === 'up' && stage.get() === 'down') stage.set('back')
})

export function Reboot() {
  const now = useStore(stage)
  const [asking, setAsking] = useState(false)
  const [task, setTask] = useState<string>()
  const action = useAction(async () => {
    await call('POST', PATH)
    stage.set('asked')
    setAsking(false)
    setTask((await newestTask('reboot').catch(() => undefined))?.id)
  })
  useEffect(() => {
    if (now !== 'asked') return
    const timer = setInterval(() => void refreshSession(), LOOK * 1000)
    return () => clearInterval(timer)
  }, [now])
  return (
    <Page
      title="Reboot"
      intro="Everything on the appliance is unavailable until it is back. Running tasks are stopped."
    >
      <Card title="Reboot the appliance">
        <div role="status" aria-live="polite">
          {now === 'asked' ? <p>The appliance is shutting down…</p> : null}
          {now === 'down' ? <p>The appliance is rebooting. This page waits until it is back.</p> : null}
          {now === 'back' ? <Note tone="ok">The appliance is back.</Note> : null}
        </div>
        {now === 'asked' || now === 'down' ? <Progress label="Waiting for the appliance" /> : null}
        {task && now === 'asked' ? <TaskView key={task} id={task} /> : null}
        <div class="actions">
          <Button kind="danger" busy={now === 'down'} onClick={() => setAsking(true)}>
            Reboot
          </Button>
        </div>
      </Card>
      {asking ? (
        <Confirm title="Reboot the appliance?" submit="Reboot now" action={action} onClose={() => setAsking(false)}>
          <p>
            Shares, exports, targets and this page are unavailable for some minutes. Persistent state is saved first.
          </p>
        </Confirm>
      ) : null}
      <Curl lines={[{ method: 'POST', path: PATH }]} />
    </Page>
  )
}
