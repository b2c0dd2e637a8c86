// Makes the port serve the installed certificate, and retries each minute until that has worked.

export interface ReloadOptions {
  /** Rejects when the installed certificate is not being served. */
  reload: () => Promise<void>
  warn: (text: string, error?: unknown) => void
  /** Milliseconds to the next try. */
  every?: number
}

/**
 * Loads the installed pair, now and until that has worked. Checking it needs a file descriptor and a connection, which
 * may be unavailable for a moment, and no later request would trigger the reload again.
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
