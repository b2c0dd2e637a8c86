// Server-sent events for as long as somebody looks. The trap: a browser has six connections to one server for all its tabs together, and a
// stream keeps one of them; so a tab that nobody sees gives its own back, or the seventh tab would wait for ever.
import { refreshSession } from './session.ts'

const RETRY = 2000

/** `path` is asked at each opening, `hear` adds the listeners. Returns what ends it. */
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
      // The browser tries again by itself unless it was told no: a server that is just starting may say so, and one whose session has ended
      // does, each time with an entry in its audit log.
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
