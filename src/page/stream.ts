// Server-sent events while the page is visible. A browser allows six connections per server for all tabs together, and
// a stream keeps one, so a hidden tab closes its stream; otherwise the seventh tab would wait forever.
import { refreshSession } from './session.ts'

const RETRY = 2000

/** `path` is called each time the stream opens, `hear` adds the listeners. Returns a function that closes it. */
export function listen(path: () => string, hear: (source: EventSource) => void, lost?: () => void): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const close = () => {
    source?.close()
    source = undefined
    clearTimeout(timer)
  }
  const open = () => {
    close()
    const opened = new EventSource(path())
    source = opened
    hear(opened)
    opened.onerror = () => {
      lost?.()
      // The browser reconnects by itself except after an error status: a starting server may send one, and so does one
      // whose session has ended, each time with an entry in its audit log.
      if (opened.readyState !== EventSource.CLOSED) return
      void refreshSession()
      timer = setTimeout(open, RETRY)
    }
  }
  const look = () => (document.visibilityState === 'hidden' ? close() : source || open())
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    document.removeEventListener('visibilitychange', look)
    close()
  }
}
