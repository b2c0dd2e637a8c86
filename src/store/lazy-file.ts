// A small file that follows what is in memory a moment later: many changes in a row cost one write. What it holds may be lost (counters,
// acquaintances), and a disk that is full costs their survival, not the service.
import { writeAtomic } from './atomic.ts'

export class LazyFile {
  private readonly file: string | undefined
  private readonly render: () => string
  private readonly delay: number
  private timer: NodeJS.Timeout | undefined
  private changed = false

  /** Without a file everything stays in memory. `delay`: milliseconds from a change to the write. */
  constructor(file: string | undefined, render: () => string, delay = 100) {
    this.file = file
    this.render = render
    this.delay = delay
  }

  soon(): void {
    this.changed = true
    if (!this.file || this.timer) return
    this.timer = setTimeout(() => this.save(), this.delay)
    this.timer.unref()
  }

  /** Writes now what changed. A server that could not start must not overwrite what the running one wrote: without a change it writes nothing. */
  save(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.file || !this.changed) return
    this.changed = false
    try {
      writeAtomic(this.file, this.render(), 0o600)
    } catch {
      // The next change tries again.
    }
  }
}
