// Running uploads. They continue after leaving the page that started them: the header shows their progress, and the
// page shows them again on return.
import { Failure, upload } from './api.ts'
import { type Pace, PaceMeter } from './kit/pace.ts'
import { Store } from './store.ts'

export interface Upload extends Pace {
  /** The path that it is sent to: one upload at a time for each. */
  path: string
  /** `The update package` */
  what: string
  /** The page that started it. */
  page: string
  done: number
  total: number
  cancel: () => void
  /** Why it failed, if its page had been left by then. */
  failure?: Failure
}

export const uploads = new Store<Upload[]>([])

export const find = (path: string) => uploads.get().find((one) => one.path === path)

const without = (path: string) => uploads.get().filter((one) => one.path !== path)

const put = (entry: Upload) => {
  uploads.set([...without(entry.path), entry])
  addEventListener('beforeunload', ask)
}

export const forget = (path: string) => {
  uploads.set(without(path))
  if (uploads.get().every(({ failure }) => failure)) removeEventListener('beforeunload', ask)
}

/** Makes the browser ask before the window is closed. */
const ask = (event: Event) => event.preventDefault()

/** `isWatched`: whether the page that started it is still open and shows the outcome. */
export async function send<T>(
  about: Pick<Upload, 'path' | 'what' | 'page'>,
  form: Record<string, string | Blob | undefined>,
  isWatched: () => boolean,
): Promise<T> {
  if (find(about.path) && !find(about.path)?.failure) throw new Failure(0, `${about.what} is already being uploaded`)
  const stop = new AbortController()
  const meter = new PaceMeter()
  let entry: Upload = { ...about, done: 0, total: 0, speed: undefined, left: undefined, cancel: () => stop.abort() }
  put(entry)
  const progress = (done: number, total: number) => {
    entry = { ...entry, done, total, ...meter.add(performance.now(), done, total) }
    put(entry)
  }
  try {
    const answer = await upload<T>(about.path, form, progress, stop.signal)
    forget(about.path)
    return answer
  } catch (error) {
    forget(about.path)
    if (!isWatched() && !stop.signal.aborted && error instanceof Failure)
      uploads.set([...uploads.get(), { ...entry, failure: error }])
    throw error
  }
}
