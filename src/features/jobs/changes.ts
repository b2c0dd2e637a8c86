// Every change of every job's view, and how far a reader has read. Clocks are set back and servers restart, so neither says what a reader
// has seen; ids on disk do, which only grow, and the views of jobs that have ended, which never change.
import { createHash } from 'node:crypto'
import type { Folders } from '../../folders.ts'
import { isFinal, readTask, type Task, taskIds } from '../../tasks/task.ts'

export interface Change {
  /** The view, as JSON text. */
  view: string
  /** What a reader that has this and everything before it knows. */
  cursor: string
}

interface Known {
  view: string | undefined
  final: boolean
}

/** Open jobs that a cursor names; with more of them it names none, and its reader gets everything. */
const MOST_OPEN = 32
const CURSOR = /^(0|[A-Za-z0-9-]{1,64})((?:;[A-Za-z0-9-]{1,64}~[\w-]{0,6}){0,32})$/

export class JobChanges {
  private readonly folders: Folders
  private readonly show: (task: Task) => unknown
  private readonly known = new Map<string, Known>()

  constructor(folders: Folders, show: (task: Task) => unknown) {
    this.folders = folders
    this.show = show
  }

  /** What is different since the last look. A job that has ended is not read again. */
  look(): Change[] {
    const changes: Change[] = []
    const ids = taskIds(this.folders).reverse()
    const there = new Set(ids)
    for (const id of this.known.keys()) if (!there.has(id)) this.known.delete(id)
    for (const id of ids) {
      const before = this.known.get(id)
      if (before?.final) continue
      const task = readTask(this.folders, id)
      const view = task && JSON.stringify(this.show(task))
      this.known.set(id, { view, final: task !== undefined && isFinal(task) })
      if (view !== undefined && view !== before?.view) changes.push({ view, cursor: this.cursor() })
    }
    return changes
  }

  /** The newest job, and those that may still change with the view that was last sent. */
  cursor(): string {
    const open = [...this.known].filter(([, { final }]) => !final).map(([id, { view }]) => `${id}~${digest(view)}`)
    const newest = [...this.known.keys()].reduce((a, b) => (a > b ? a : b), '0')
    return open.length > MOST_OPEN ? '' : [newest, ...open].join(';')
  }

  /** The present views of all that may have changed since this cursor; undefined when that cannot be determined. */
  since(cursor: string): string[] | undefined {
    const [, newest = '', rest = ''] = CURSOR.exec(cursor) ?? []
    const open = new Map(
      rest
        .split(';')
        .slice(1)
        .map((one) => one.split('~', 2) as [string, string]),
    )
    // What is gone may have changed before it went, and others may have come and gone.
    if (newest === '' || ![...open.keys(), ...(newest === '0' ? [] : [newest])].every((id) => this.known.has(id)))
      return undefined
    return this.views((id, view) => id > newest || newest === '0' || (open.has(id) && open.get(id) !== digest(view)))
  }

  all(): string[] {
    return this.views(() => true)
  }

  private views(wanted: (id: string, view: string) => boolean): string[] {
    return [...this.known].flatMap(([id, { view }]) => (view !== undefined && wanted(id, view) ? [view] : []))
  }
}

/** Short: it only distinguishes one view of a job from the next, and forging one gains nothing. */
const digest = (view = '') => createHash('sha256').update(view).digest('base64url').slice(0, 6)
