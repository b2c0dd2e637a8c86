// Data that a component shows: loaded when it appears, refreshed by a timer while the page is visible, after a change,
// and after the appliance refused because of too many requests.
import { useRef } from 'hono/jsx/dom'
import { Failure, request } from './api.ts'
import { useEffect, useState } from './hooks.ts'

/** Seconds until a failed load is retried. */
const AGAIN = 10

export interface Query<T> {
  data: T | undefined
  /** The version of `data`; a change that sends it as If-Match overwrites nobody else's change. */
  etag: string | undefined
  failure: Failure | undefined
  /** Reloads; resolves once the result is shown. */
  reload: () => Promise<void>
}

/** `path` null: nothing is loaded. `every`: seconds between refreshes while the page is visible. */
export function useQuery<T>(path: string | null, { every }: { every?: number } = {}): Query<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; etag?: string | undefined; failure?: Failure }>({
    path,
  })
  // Aborted when the component is removed: a response that nobody needs costs work and one of the browser's few
  // connections.
  const wanted = useRef(new AbortController())

  const ask = async (background: boolean) => {
    if (path === null) return
    const { signal } = wanted.current ?? new AbortController()
    try {
      const { data, headers } = await request<T>('GET', path, { background, signal })
      if (!signal.aborted) setState({ path, data, etag: headers.get('ETag') ?? undefined })
    } catch (error) {
      // While the connection is lost the old data stays: old numbers beside a warning are better than none.
      if (!signal.aborted)
        setState((before) => ({
          path,
          failure: asFailure(error),
          ...(before?.path === path && before.data !== undefined && { data: before.data, etag: before.etag }),
        }))
    }
  }
  useEffect(() => {
    const own = new AbortController()
    wanted.current = own
    void ask(false)
    const timer =
      path === null || every === undefined
        ? undefined
        : setInterval(() => document.visibilityState === 'visible' && void ask(true), every * 1000)
    return () => {
      own.abort()
      clearInterval(timer)
    }
  }, [path, every])
  const shown = state.path === path
  // A temporary failure may succeed soon; a refusal would only be repeated.
  const passing =
    shown && (state.failure?.status === 0 || (state.failure?.status ?? 0) >= 500 || state.failure?.status === 408)
  const wait = shown ? (state.failure?.retryAfter ?? (passing && every === undefined ? AGAIN : undefined)) : undefined
  useEffect(() => {
    if (wait === undefined) return
    const timer = setTimeout(() => void ask(true), wait * 1000)
    return () => clearTimeout(timer)
  }, [path, state.failure])
  return {
    data: shown ? state.data : undefined,
    etag: shown ? state.etag : undefined,
    failure: shown ? state.failure : undefined,
    reload: () => ask(false),
  }
}

export interface Action<A extends unknown[]> {
  /** Resolves to true on success. */
  run: (...args: A) => Promise<boolean>
  busy: boolean
  failure: Failure | undefined
  clear: () => void
}

/** An action of the user: busy until it ends, and the failure if it was refused. */
export function useAction<A extends unknown[]>(work: (...args: A) => Promise<unknown>): Action<A> {
  const [state, setState] = useState<{ busy: boolean; failure?: Failure }>({ busy: false })
  const run = async (...args: A) => {
    setState({ busy: true })
    try {
      await work(...args)
      setState({ busy: false })
      return true
    } catch (error) {
      setState({ busy: false, failure: asFailure(error) })
      return false
    }
  }
  return { run, busy: state.busy, failure: state.failure, clear: () => setState({ busy: false }) }
}

const asFailure = (error: unknown): Failure =>
  error instanceof Failure ? error : new Failure(0, error instanceof Error ? error.message : String(error))
