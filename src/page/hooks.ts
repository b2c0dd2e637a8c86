// State and effects of a component, in place of the library's own. The trap is in those: an effect waits for the next picture, so a component
// that is drawn twice before then has it run twice (two streams, of which one is never closed); and state that is set after its component has
// gone draws it again, below the next page.
import { useCallback, useState as useDomState, useLayoutEffect, useRef } from 'hono/jsx/dom'

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

type Change<T> = T | ((before: T) => T)

export function useState<T>(initial: T | (() => T)): [T, (change: Change<T>) => void]
export function useState<T>(): [T | undefined, (change: Change<T | undefined>) => void]
export function useState<T>(initial?: T | (() => T)) {
  const [value, setValue] = useDomState(initial as T | (() => T))
  const gone = useRef(false)
  useLayoutEffect(
    () => () => {
      gone.current = true
    },
    [],
  )
  // What comes too late (an answer that was waited for) is dropped.
  const set = useCallback((change: Change<T>) => {
    if (!gone.current) setValue(change)
  }, [])
  return [value, set]
}
