// One sync for many callers: each waits for a sync that began after its call, and all who call while one is running
// share the next.

export class GroupCommit {
  private readonly sync: () => Promise<void>
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined

  constructor(sync: () => Promise<void>) {
    this.sync = sync
  }

  /** Resolves when everything written before this call is on disk; rejects with the error of the responsible sync. */
  wait(): Promise<void> {
    if (!this.running) return this.begin()
    // The running sync may have begun before the last write, so its end proves nothing about that write.
    this.next ??= this.running.then(
      () => this.begin(),
      () => this.begin(),
    )
    return this.next
  }

  private begin(): Promise<void> {
    this.next = undefined
    const run = this.sync().finally(() => {
      if (this.running === run) this.running = undefined
    })
    this.running = run
    return run
  }
}
