// A mutex for each key: changes of the same object run one after the other, in the order of their requests. It works
// within this process only; against scripts and other programs use a kernel lock (lock.ts).

export class KeyedMutex {
  /** By key, the end of the last one in the queue. Unused keys are absent. */
  private readonly last = new Map<string, Promise<void>>()

  /** Resolves to a release function once the caller holds all of `keys`. */
  async take(keys: Iterable<string>): Promise<() => void> {
    const wanted = [...new Set(keys)]
    let resolve = () => {}
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    const before = wanted.map((key) => this.last.get(key))
    // Queues at all keys in one synchronous step: two callers are in the same order at every key, so there is no
    // deadlock.
    for (const key of wanted) this.last.set(key, promise)
    await Promise.all(before)
    return () => {
      for (const key of wanted) if (this.last.get(key) === promise) this.last.delete(key)
      resolve()
    }
  }

  /** Whether this key is held. */
  has(key: string): boolean {
    return this.last.has(key)
  }

  /** Keys that are held or waited for. */
  get size(): number {
    return this.last.size
  }
}
