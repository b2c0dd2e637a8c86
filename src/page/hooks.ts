// useState and useEffect, in place of the library's. The library runs an effect at the next animation frame: a
// component that is rendered twice before then runs it twice (two streams, of which one is never closed), and setting
// state after a component was removed renders it again below the next page.
import { useCallback, useState as useDomState, useLayoutEffect, useRef } from 'hono/jsx/dom'

/**
 * Runs `effect` exactly once for each change of `deps`, when the component is in the document; never if it has been
 * removed by then. `effect` may return a cleanup function.
 */
export function useEffect(effect: () => unknown, deps?: readonly unknown[]): void {
  useLayoutEffect(() => {
    let isThere = true
    let cleanUp: unknown
    // The elements are inserted after this call, but in the same task.
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
  // A result that arrives after the component was removed is dropped.
  const set = useCallback((change: Change<T>) => {
    if (!gone.current) setValue(change)
  }, [])
  return [value, set]
}
