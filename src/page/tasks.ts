// Tasks followed by server-sent events: state and log as they are written. If the stream breaks (network, server
// restart), the browser reconnects with the last event's ID, which is the position in the log, so no line is lost or
// repeated.
import { useEffect, useState } from './hooks.ts'
import { Store } from './store.ts'
import { listen } from './stream.ts'

export interface Task {
  id: string
  type: string
  status: 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'
  /** Percent. */
  progress: number
  message: string
  /** The object that the task works on, if it has a name. */
  object?: string
  /** The user who started it. */
  by?: string
  error?: string
  created_at: string
  started_at?: string
  completed_at?: string
}

export const isOver = ({ status }: Task) => status !== 'pending' && status !== 'running'

/** Characters of a log that are kept on screen; the whole log can be downloaded. */
const MOST = 200_000

export interface Followed {
  task: Task | undefined
  log: string
  /** Whether the stream is open, or was closed because it was complete. */
  connected: boolean
}

/** Follows a task until its end, and then calls `onEnd` once. */
export function useTask(id: string | undefined, onEnd?: (task: Task) => void): Followed {
  const [state, setState] = useState<Followed>({ task: undefined, log: '', connected: true })
  useEffect(() => {
    setState({ task: undefined, log: '', connected: true })
    return id === undefined ? undefined : follow(id, setState, onEnd)
  }, [id])
  return state
}

function follow(id: string, setState: (change: (before: Followed) => Followed) => void, onEnd?: (task: Task) => void) {
  let offset = 0
  let last: Task | undefined
  const hear = (source: EventSource) => {
    source.addEventListener('task', ({ data }) => {
      const task: Task = JSON.parse(data)
      last = task
      setState((before) => ({ ...before, task, connected: true }))
    })
    source.addEventListener('log', ({ data }) => {
      const { text, next } = JSON.parse(data) as { text: string; next: number }
      offset = next
      setState((before) => ({ ...before, log: (before.log + text).slice(-MOST), connected: true }))
    })
    source.addEventListener('end', () => {
      stop()
      setState((before) => ({ ...before, connected: true }))
      if (last) onEnd?.(last)
    })
  }
  const stop = listen(
    () => `/console/tasks/${encodeURIComponent(id)}/events?offset=${offset}`,
    hear,
    () => setState((before) => ({ ...before, connected: false })),
  )
  return stop
}

/** The running tasks, for the badge in the header, and a signal when one of them ends. */
export const running = new Store<Task[]>([])
export const lastEnded = new Store<Task | undefined>(undefined)

/** Watches all tasks until the returned function is called. */
export function watchTasks(): () => void {
  const open = new Map<string, Task>()
  const stop = listen(
    () => '/console/events',
    (source) => {
      source.addEventListener('reset', () => open.clear())
      source.addEventListener('task', ({ data }) => {
        const task: Task = JSON.parse(data)
        const known = open.has(task.id)
        if (isOver(task)) open.delete(task.id)
        else open.set(task.id, task)
        if (known && isOver(task)) lastEnded.set(task)
        running.set([...open.values()])
      })
    },
  )
  return () => {
    stop()
    running.set([])
  }
}
