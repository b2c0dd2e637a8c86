// The list of tasks, and one task with its log.
import { call } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { Curl } from '../kit/curl.tsx'
import { FailureNote, Loaded } from '../kit/failure.tsx'
import { Select } from '../kit/fields.tsx'
import { Card, Page, Stack } from '../kit/layout.tsx'
import type { PageProps } from '../kit/page-props.ts'
import { nameOfTask, TaskView, wordsOf } from '../kit/task.tsx'
import { useAction, useQuery } from '../query.ts'
import { link } from '../router.ts'
import { hasController, may } from '../session.ts'
import { useStore } from '../store.ts'
import { isOver, running, type Task } from '../tasks.ts'
import { TaskTable } from './overview.tsx'

export const Tasks = ({ rest: [id] }: PageProps) => (id === undefined ? <List /> : <One id={id} />)

function List() {
  const query = useQuery<Task[]>('/console/tasks', { every: 30 })
  const under = useStore(running)
  useEffect(() => void query.reload(), [under.map(({ id, status }) => id + status).join()])
  return (
    <Page title="Tasks" intro="Work that takes longer than a moment. It continues when you leave this page.">
      <Card>
        <Loaded query={query}>{(tasks) => <Filtered tasks={tasks} />}</Loaded>
      </Card>
      {hasController() ? <Curl lines={[{ path: '/api/v1/jobs' }]} /> : null}
    </Page>
  )
}

const STATES: Task['status'][] = ['running', 'pending', 'completed', 'failed', 'cancelled']

/** Frequent tasks, above all those of snapshot policies, would hide the others. */
function Filtered({ tasks }: { tasks: Task[] }) {
  const [type, setType] = useState('')
  const [state, setState] = useState('')
  const types = [...new Set(tasks.map((task) => task.type))].sort()
  const shown = tasks.filter((task) => (type === '' || task.type === type) && (state === '' || task.status === state))
  return (
    <Stack>
      <div class="columns">
        <Select
          label="Type"
          value={type}
          onValue={setType}
          options={[['', 'all'], ...types.map((one): [string, string] => [one, wordsOf(one)])]}
        />
        <Select
          label="State"
          value={state}
          onValue={setState}
          options={[['', 'all'], ...STATES.map((one): [string, string] => [one, one])]}
        />
      </div>
      <TaskTable tasks={shown} {...(tasks.length > 0 && { empty: 'No task matches the filters.' })} />
    </Stack>
  )
}

/** As the appliance decides: whoever may not start an update or a restore may not cancel one. */
const mayCancel = ({ type }: Task) => may(/^(?:dataset|snapshot|pool)\./.test(type) ? 'operator' : 'administrator')

function One({ id }: { id: string }) {
  const query = useQuery<Task>(`/console/tasks/${encodeURIComponent(id)}`)
  const cancel = useAction(async () => {
    await call('POST', `/api/v1/jobs/${encodeURIComponent(id)}/cancel`)
    await query.reload()
  })
  const stoppable = query.data && !isOver(query.data) && hasController() && mayCancel(query.data)
  return (
    <Page
      title={query.data ? `Task: ${nameOfTask(query.data)}` : 'Task'}
      actions={<a href={link('tasks')}>All tasks</a>}
    >
      <FailureNote failure={query.failure} again={query.reload} />
      {query.data ? (
        <Card
          actions={
            stoppable ? (
              <Button kind="danger" busy={cancel.busy} onClick={() => void cancel.run()}>
                Cancel task
              </Button>
            ) : null
          }
          title="Progress"
        >
          <FailureNote failure={cancel.failure} />
          <TaskView id={id} onEnd={() => void query.reload()} />
        </Card>
      ) : null}
      {hasController() ? <Curl lines={[{ path: `/api/v1/jobs/${id}` }, { path: `/api/v1/jobs/${id}/log` }]} /> : null}
    </Page>
  )
}
