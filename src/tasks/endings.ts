// How many tasks ended in each state since the start, for /metrics. Counted in memory, because old tasks are removed
// from disk.
import type { Task } from './task.ts'

export class TaskEndings {
  private readonly counts = new Map<string, { kind: string; status: string; count: number }>()

  add({ kind, status }: Task): void {
    const key = `${kind} ${status}`
    const entry = this.counts.get(key) ?? { kind, status, count: 0 }
    entry.count += 1
    this.counts.set(key, entry)
  }

  all(): { kind: string; status: string; count: number }[] {
    return [...this.counts.values()]
  }
}
