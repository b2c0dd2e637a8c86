// What a component does once it is on the page. The trap is in the library's own useEffect: it waits for the next picture, and a component that
// is drawn twice before then has its effect run twice (two streams, of which one is never closed), one that is gone by then once too often.
import { useLayoutEffect } from 'hono/jsx/dom'

/** Runs `effect`, which may answer a function that undoes it, exactly once for each change of `deps`, when the component is part of the document; not at all when it has gone by then. */
export function useEffect(effect: () => unknown, deps?: readonly unknown[]): void {
  useLayoutEffect(() => {
    let isThere = true
    let cleanUp: unknown
    // The elements are put into the document after this, but without a pause.
    queueMicrotask(() => {
      if (isThere) cleanUp = effect()
    })
    return () => {
      isThere = false
      if (typeof cleanUp === 'function') cleanUp()
    }
  }, deps)
}
