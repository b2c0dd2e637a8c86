// A change of storage: answered immediately if it is quick, else with its job. While the request is waiting, the
// messages of its task are shown from the stream of all tasks.
import { useLayoutEffect, useRef } from 'hono/jsx/dom'
import type { Answer } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Progress } from '../../kit/layout.tsx'
import { TaskView } from '../../kit/task.tsx'
import { type Action, useAction } from '../../query.ts'
import { useStore } from '../../store.ts'
import { running, type Task } from '../../tasks.ts'

export interface Work {
  action: Action<[]>
  /** The job that continues after the response. */
  job: string | undefined
  ended: (task: Task) => void
}

/** Calls `done` when the change is complete: after the response, or at the end of its job. */
export function useWork(send: () => Promise<Answer<unknown>>, done: () => unknown): Work {
  const [job, setJob] = useState<string>()
  // Do not navigate if the user has already left the page.
  const gone = useRef(false)
  useLayoutEffect(
    () => () => {
      gone.current = true
    },
    [],
  )
  const action = useAction(async () => {
    const { status, data } = await send()
    if (status === 202) setJob((data as Task).id)
    else if (!gone.current) await done()
  })
  const ended = ({ status }: Task) => {
    if (status === 'completed') void done()
  }
  return { action, job, ended }
}

/** The text of the close button: a running change continues without the form. */
export const leaving = ({ action }: Work) => (action.busy ? 'Close' : 'Cancel')

/** The progress of a running change; `type` is the job's. */
export function UnderWay({ busy, type }: { busy: boolean; type: string }) {
  const tasks = useStore(running)
  if (!busy) return null
  const task = tasks.find((one) => one.type === type)
  return (
    <div role="status">
      <p class="muted">{task ? task.message : 'Running…'}</p>
      <Progress value={task?.progress || undefined} label={task?.message ?? 'Running'} />
    </div>
  )
}

/** The job, shown in place of the form that started it. */
export const JobView = ({ job, ended, close }: { job: string; ended: Work['ended']; close: () => void }) => (
  <>
    <TaskView id={job} onEnd={ended} />
    <div class="actions">
      <Button onClick={close}>Close</Button>
    </div>
  </>
)
