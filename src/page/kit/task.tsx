// A task on a page: state, progress, and its log as it is written.
import { useRef } from 'hono/jsx/dom'
import { useEffect } from '../hooks.ts'
import { isOver, type Task, useTask } from '../tasks.ts'
import { Badge, Facts, Note, Progress, type Tone, When } from './layout.tsx'
import { duration } from './pace.ts'

const TONES: Record<Task['status'], Tone> = {
  pending: 'busy',
  running: 'busy',
  completed: 'ok',
  failed: 'error',
  cancelled: 'warning',
}

export const TaskBadge = ({ task }: { task: Pick<Task, 'status'> }) => (
  <Badge tone={TONES[task.status]}>{task.status}</Badge>
)

/** The error codes of a failed update in words (facts: jidoteki.md 5); a package's own script may write others. */
export const CODES: Record<string, string> = {
  E1000: 'The update script failed. See the log below.',
  E1001: 'This package is not newer than the installed version. Nothing was changed.',
  E1002: 'The package is valid, but its installation failed. The log below shows the step.',
  E1003: 'No package was found. Upload it again.',
  E1004: 'Another update is running. Wait until it has finished.',
  E1005:
    'The package is not for this appliance, is not signed by its vendor, or was damaged in transit. Nothing in it was run.',
}

/** What administrators call each kind of task; a kind that is missing here is shown by its name in the API. */
const WORDS: Record<string, string> = {
  backup: 'Backup',
  certs: 'Replace certificate',
  'dataset.destroy': 'Destroy dataset',
  'dataset.permissions': 'Set permissions of everything in',
  debug: 'Debug bundle',
  license: 'Install license',
  logs: 'Collect logs',
  'pool.create': 'Create pool',
  'pool.destroy': 'Destroy pool',
  'pool.export': 'Export pool',
  'pool.import': 'Import pool',
  'pool.scrub': 'Scrub pool',
  'pool.replace': 'Replace disk',
  'pool.attach': 'Attach disk',
  'pool.detach': 'Detach disk',
  'pool.online': 'Bring disk online',
  'pool.offline': 'Take disk offline',
  'pool.add': 'Add disks to pool',
  'pool.remove': 'Remove devices from pool',
  'pool.clear': 'Clear errors of pool',
  'pool.trim': 'Trim pool',
  'pool.upgrade': 'Upgrade pool',
  'pool.set': 'Set properties of pool',
  reboot: 'Reboot',
  restore: 'Restore backup',
  settings: 'Apply network settings',
  'snapshot.create': 'Create snapshot',
  'snapshot.prune': 'Delete old snapshots of',
  'snapshot.rollback': 'Roll back to',
  storage: 'Set up persistent storage',
  update: 'Update',
}

export const wordsOf = (type: string) => WORDS[type] ?? type
/** `Create pool tank` */
export const nameOfTask = ({ type, object }: Pick<Task, 'type' | 'object'>) =>
  object === undefined ? wordsOf(type) : `${wordsOf(type)} ${object}`

/** How long it took, or has been running. */
export const took = ({ created_at, started_at = created_at, completed_at }: Task) =>
  duration((new Date(completed_at ?? Date.now()).getTime() - new Date(started_at).getTime()) / 1000)

/** Follows a task and shows it. */
export function TaskView({
  id,
  onEnd,
  log = true,
  told,
}: {
  id: string
  onEnd?: (task: Task) => void
  log?: boolean
  /** The error is already shown above. */
  told?: boolean
}) {
  const { task, log: lines, connected } = useTask(id, onEnd)
  if (!task) return <p class="muted">Loading…</p>
  return (
    <div class="task">
      <div role="status" aria-live="polite">
        <TaskBadge task={task} /> {task.error ? null : task.message}
      </div>
      {isOver(task) ? null : <Progress value={task.progress} label={`${task.type}: ${task.message}`} />}
      {task.error && !told ? <Note tone="error">{task.error}</Note> : null}
      {connected ? null : (
        <Note tone="warning">Connection lost. The task continues on the appliance; reconnecting…</Note>
      )}
      {log ? <Log text={lines} /> : null}
      <Facts
        of={[
          ['Task', nameOfTask(task)],
          ['Started by', task.by],
          ['Started', <When at={task.created_at} />],
          ['Finished', task.completed_at ? <When at={task.completed_at} /> : undefined],
          ['Duration', took(task)],
          ['Task ID', task.id],
        ]}
      />
    </div>
  )
}

/** Scrolls along with the log, unless somebody has scrolled up to read. */
export function Log({ text }: { text: string }) {
  const element = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const pre = element.current
    if (pre && atEnd.current) pre.scrollTop = pre.scrollHeight
  }, [text])
  const scrolled = () => {
    const pre = element.current
    if (pre) atEnd.current = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 20
  }
  return (
    <pre class="log" ref={element} tabindex={0} role="log" aria-label="Log" aria-live="off" onScroll={scrolled}>
      {text || 'The log is empty.'}
    </pre>
  )
}
