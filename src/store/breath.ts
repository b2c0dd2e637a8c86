// Splits long work into slices, so that other requests get a turn in between. Slices are measured in time, not in
// items, because machines differ in speed.

/** Milliseconds of work without a pause. */
const SLICE = 10

export class Breath {
  private since = performance.now()

  /**
   * Resolves immediately within a slice, and after a turn of the event loop beyond it. Call it after a millisecond of
   * work, not after each item.
   */
  async take(): Promise<void> {
    if (performance.now() - this.since < SLICE) return
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }
}
