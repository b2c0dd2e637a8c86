// A component's own state. The trap: hono draws a component that is gone again when its state is set a second time, and what a person left while
// it was asking or sending would stand below the next page; so what comes too late is dropped here.
import { useCallback, useState as useDomState, useLayoutEffect, useRef } from 'hono/jsx/dom'

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
  const set = useCallback((change: Change<T>) => {
    if (!gone.current) setValue(change)
  }, [])
  return [value, set]
}
