// A mutex for each key: changes of one thing run one after the other, in the order in which they asked. It holds within this process only;
// what a script or another program may change meanwhile needs a kernel lock (lock.ts).

export class KeyedMutex {
  /** The end of whoever came last, by key. A key that nobody wants is not here. */
  private readonly last = new Map<string, Promise<void>>()

  /** Resolves when all of `keys` are the caller's, to the function that gives them back. */
  async take(keys: Iterable<string>): Promise<() => void> {
    const wanted = [...new Set(keys)]
    let resolve = () => {}
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    const before = wanted.map((key) => this.last.get(key))
    // All places in one synchronous step: two callers meet in the same order at every key, so neither waits for the other.
    for (const key of wanted) this.last.set(key, promise)
    await Promise.all(before)
    return () => {
      for (const key of wanted) if (this.last.get(key) === promise) this.last.delete(key)
      resolve()
    }
  }

  /** Whether somebody has this key. */
  has(key: string): boolean {
    return this.last.has(key)
  }

  /** Keys that somebody has or waits for. */
  get size(): number {
    return this.last.size
  }
}
