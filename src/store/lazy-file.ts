// A small file that is written shortly after a change in memory: many changes in a row cost one write. Only for data
// whose loss is acceptable (counters, known addresses); on a full disk it is lost at a restart, but the service goes
// on.
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

  /**
   * Writes pending changes now. Without changes it writes nothing: a server that could not start must not overwrite the
   * file of the running one.
   */
  save(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.file || !this.changed) return
    this.changed = false
    try {
      writeAtomic(this.file, this.render(), 0o600)
    } catch {
      // The next change retries.
    }
  }
}
