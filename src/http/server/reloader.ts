// Has the port serve the pair that is installed now, and tries again each minute until that has worked.

export interface ReloadOptions {
  /** Rejects when what is installed is not served. */
  reload: () => Promise<void>
  warn: (text: string, error?: unknown) => void
  /** Milliseconds to the next try. */
  every?: number
}

/**
 * What serves the installed pair, now and until that has worked: the test of it needs a descriptor and a place, which may be missing for a
 * moment, and nobody asks for the same certificate again.
 */
export function reloader({ reload, warn, every = 60_000 }: ReloadOptions): {
  ask: () => Promise<void>
  stop: () => void
} {
  let timer: NodeJS.Timeout | undefined
  let last = Promise.resolve()
  const attempt = (asked: boolean) => {
    clearTimeout(timer)
    last = last.then(reload).catch((error) => {
      if (asked)
        warn('the new certificate is not served; the old one is, and each minute the new one is tried again', error)
      clearTimeout(timer)
      timer = setTimeout(() => attempt(false), every)
      timer.unref()
    })
    return last
  }
  return { ask: () => attempt(true), stop: () => clearTimeout(timer) }
}
