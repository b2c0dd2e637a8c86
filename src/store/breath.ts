// Long work in slices: between two of them everybody else has a turn. By time, not by count: what takes long on one machine is nothing on
// another.

/** Milliseconds of work without a pause. */
const SLICE = 10

export class Breath {
  private since = performance.now()

  /** Resolves at once within a slice, and after a turn of the event loop beyond it. Worth asking after a millisecond of work, not after each item. */
  async take(): Promise<void> {
    if (performance.now() - this.since < SLICE) return
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }
}
