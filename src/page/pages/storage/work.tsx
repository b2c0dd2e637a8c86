// A change of storage: answered at once when it was quick, else with its job. The trap: while the request is held nothing comes back, so what
// the task says of itself is shown from the stream of all tasks.
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
  /** What goes on after the answer. */
  job: string | undefined
  ended: (task: Task) => void
}

/** `done` hears of it when the change is made: with the answer, or with the end of its job. */
export function useWork(send: () => Promise<Answer<unknown>>, done: () => unknown): Work {
  const [job, setJob] = useState<string>()
  // Whoever has gone to another page meanwhile is not fetched back.
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

/** The word for closing the form: what is under way goes on without it. */
export const leaving = ({ action }: Work) => (action.busy ? 'Close' : 'Cancel')

/** What a running change says; `type` is the job's. */
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

/** The job, once there is one, in the place of the form that began it. */
export const JobView = ({ job, ended, close }: { job: string; ended: Work['ended']; close: () => void }) => (
  <>
    <TaskView id={job} onEnd={ended} />
    <div class="actions">
      <Button onClick={close}>Close</Button>
    </div>
  </>
)
