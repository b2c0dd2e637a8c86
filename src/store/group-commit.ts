// One sync for many: whoever asks waits for one that began after he asked, and all who ask while one runs share the next.

export class GroupCommit {
  private readonly sync: () => Promise<void>
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined

  constructor(sync: () => Promise<void>) {
    this.sync = sync
  }

  /** Resolves when what was written before this call is safe; rejects with the error of the sync that should have made it so. */
  wait(): Promise<void> {
    if (!this.running) return this.begin()
    // The one that runs may have begun before the last write, so its end says nothing about that.
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
