// The progress of an upload: bytes, speed, remaining time, and a cancel button. Once everything is sent the appliance
// only starts its work, so the bar does not show 100 % as if it were done.
import { useLayoutEffect, useRef } from 'hono/jsx/dom'
import { useStore } from '../store.ts'
import { forget, send as sendFile, type Upload, uploads } from '../uploads.ts'
import { Button } from './button.tsx'
import { FailureNote } from './failure.tsx'
import { bytes } from './format.ts'
import { Progress } from './layout.tsx'
import { duration } from './pace.ts'

/** Uploads a form with files; `sending` is set while that runs, even after leaving the page and coming back. */
export function useSending(path: string, what: string, page: string) {
  const sending = useStore(uploads).find((one) => one.path === path)
  const gone = useRef(false)
  useLayoutEffect(
    () => () => {
      gone.current = true
    },
    [],
  )
  const send = <T,>(form: Record<string, string | Blob | undefined>): Promise<T> =>
    sendFile<T>({ path, what, page }, form, () => !gone.current)
  return { sending, busy: sending !== undefined && !sending.failure, send }
}

/** `then`: what the appliance does once it has the whole file. */
export function Sending({ sending, then }: { sending: Upload | undefined; then: string }) {
  if (!sending) return null
  const { path, done, total, speed, left, cancel, failure } = sending
  if (failure)
    return (
      <div>
        <FailureNote failure={failure} />
        <Button kind="quiet" onClick={() => forget(path)}>
          Dismiss
        </Button>
      </div>
    )
  const whole = total > 0 && done >= total
  const pace = [
    ...(speed === undefined ? [] : [`${bytes(speed)}/s`]),
    ...(left === undefined || whole ? [] : [`about ${duration(left)} left`]),
  ]
  return (
    <div class="sending">
      <p role="status">{whole ? then : `Uploading: ${bytes(done)} of ${bytes(total)}`}</p>
      {whole ? null : <p class="muted">{pace.join(', ')}</p>}
      <Progress value={whole || total === 0 ? undefined : (100 * done) / total} label={whole ? then : 'Uploading'} />
      {whole ? null : (
        <div class="actions">
          <Button onClick={cancel}>Cancel upload</Button>
        </div>
      )}
    </div>
  )
}
