// A value that several components share and observe.
import { useEffect, useState } from './hooks.ts'
export class Store<T> {
  private value: T
  private readonly listeners = new Set<() => void>()

  constructor(value: T) {
    this.value = value
  }

  get = (): T => this.value

  set(value: T): void {
    if (Object.is(value, this.value)) return
    this.value = value
    for (const listener of this.listeners) listener()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

export function useStore<T>(store: Store<T>): T {
  const [, show] = useState({ value: store.get() })
  useEffect(() => {
    const look = () => show((shown) => (Object.is(shown.value, store.get()) ? shown : { value: store.get() }))
    // It may have changed since the component was rendered.
    look()
    return store.subscribe(look)
  }, [store])
  return store.get()
}
