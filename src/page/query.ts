// What a component shows of the appliance: asked when it appears, again by the clock while somebody looks, again after a change, and when the
// appliance said that it was too much at once.
import { useRef } from 'hono/jsx/dom'
import { Failure, request } from './api.ts'
import { useEffect, useState } from './hooks.ts'

/** Seconds until a page asks again by itself for what it could not get. */
const AGAIN = 10

export interface Query<T> {
  data: T | undefined
  /** Which version `data` is; a change that sends it as If-Match overwrites nobody else's. */
  etag: string | undefined
  failure: Failure | undefined
  /** Asks again; resolves once the answer is shown. */
  reload: () => Promise<void>
}

/** `path` null: nothing is asked. `every`: seconds between two questions while the page is visible. */
export function useQuery<T>(path: string | null, { every }: { every?: number } = {}): Query<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; etag?: string | undefined; failure?: Failure }>({
    path,
  })
  // Ended with what it was for: an answer that nobody waits for costs the appliance work and the page one of its connections.
  const wanted = useRef(new AbortController())

  const ask = async (background: boolean) => {
    if (path === null) return
    const { signal } = wanted.current ?? new AbortController()
    try {
      const { data, headers } = await request<T>('GET', path, { background, signal })
      if (!signal.aborted) setState({ path, data, etag: headers.get('ETag') ?? undefined })
    } catch (error) {
      // What was shown stays while the connection is gone: old figures beside a warning are better than none.
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
  // What the appliance or the network could not do just now may go well soon; a refusal would be the same again.
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
  /** Resolves to whether it succeeded. */
  run: (...args: A) => Promise<boolean>
  busy: boolean
  failure: Failure | undefined
  clear: () => void
}

/** Something a person starts: busy until it has ended, and what it said when it was refused. */
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
