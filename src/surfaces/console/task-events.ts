// Every change of every task for the console: the list, and the stream for all readers. The list is made from the
// stream's data, so that finished tasks are never read again, however many there are.

import type { TaskFacts } from '../../features/console-overview/attention.ts'
import { type TaskView, viewTask } from '../../features/jobs/about.ts'
import { JobChanges } from '../../features/jobs/changes.ts'
import { isRefusal } from '../../features/jobs/refusal.ts'
import type { Folders } from '../../folders.ts'
import { ChangeStream } from '../../http/reply/change-stream.ts'
import type { Tasks } from '../../tasks/tasks.ts'

interface TaskEventsOptions {
  folders: Folders
  tasks: Tasks
  most: number
  /** Milliseconds. */
  heartbeat: number
  warn: (text: string, error?: unknown) => void
}

export class TaskEvents {
  private readonly tasks: Tasks
  private readonly stream: ChangeStream

  constructor({ folders, tasks, most, heartbeat, warn }: TaskEventsOptions) {
    this.tasks = tasks
    const changes = new JobChanges(folders, (task) => ({
      ...viewTask(folders, task),
      ...(isRefusal(folders, task) && { refused: true }),
    }))
    this.stream = new ChangeStream({ changes, name: 'task', names: 'tasks', most, heartbeat, warn })
  }

  open(cursor: string | undefined, may: () => boolean) {
    return this.stream.open(cursor, may)
  }

  /** Every task, the newest first, after those that died were given a final status. */
  async all(): Promise<(TaskView & TaskFacts)[]> {
    const open = this.read().filter(({ status }) => status === 'pending' || status === 'running')
    await Promise.all(open.map(({ id }) => this.tasks.settle(id)))
    return this.read()
  }

  close(): void {
    this.stream.close()
  }

  private read(): (TaskView & TaskFacts)[] {
    return this.stream
      .now()
      .map((view) => JSON.parse(view) as TaskView & TaskFacts)
      .sort((a, b) => (a.id < b.id ? 1 : -1))
  }
}
