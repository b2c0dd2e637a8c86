// A response as it came: status, headers, body. A stream of events has no end, so it is shown while it arrives and can
// be stopped; binary bodies are not read.
import type { Failure } from '../api.ts'
import { send } from '../api.ts'
import { Button } from '../kit/button.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { Badge } from '../kit/layout.tsx'
import { refreshSession } from '../session.ts'

/** Characters of a body that are shown. */
const MOST = 200_000

export interface Received {
  status: number
  headers: [name: string, value: string][]
  body: string
}

const isText = (type: string) => /^(text\/|application\/(json|xml))/.test(type)

/**
 * Sends the request and reports the response: once, or repeatedly for a stream. When `signal` stops it, what has
 * arrived stays.
 */
export async function receive(
  { method, path, headers }: { method: string; path: string; headers: Record<string, string> },
  body: FormData | string | undefined,
  signal: AbortSignal,
  tell: (received: Received) => void,
): Promise<void> {
  try {
    const response = await send(method, path, { headers, signal, ...(body !== undefined && { body }) })
    const { status } = response
    const head = { status, headers: [...response.headers] }
    const type = response.headers.get('Content-Type') ?? ''
    tell({ ...head, body: '' })
    if (response.body === null) return
    if (!isText(type)) {
      await response.body.cancel()
      tell({
        ...head,
        body: `(${response.headers.get('Content-Length') ?? 'some'} bytes of ${type || 'no known type'})`,
      })
      return
    }
    let text = ''
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      text = (text + value).slice(0, MOST)
      if (type.startsWith('text/event-stream')) tell({ ...head, body: text })
    }
    tell({ ...head, body: pretty(text) })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    // The call may have ended the session, or changed its rights.
    if (method !== 'GET') void refreshSession()
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

export function AnswerView({
  received,
  failure,
  busy,
  onStop,
}: {
  received: Received | undefined
  failure: Failure | undefined
  busy: boolean
  onStop: () => void
}) {
  return (
    <div class="answer">
      <h4>Response</h4>
      <FailureNote failure={failure} />
      {received ? (
        <>
          <p role="status">
            <Badge tone={received.status < 400 ? 'ok' : 'error'}>{received.status}</Badge>
          </p>
          <details>
            <summary>{received.headers.length} headers</summary>
            <pre class="block" tabindex={0}>
              {received.headers.map(([name, value]) => `${name}: ${value}`).join('\n')}
            </pre>
          </details>
          <pre class="block" tabindex={0}>
            {received.body || '(no body)'}
          </pre>
        </>
      ) : null}
      {busy ? (
        <div class="actions">
          <span class="muted">Waiting for more…</span>
          <Button onClick={onStop}>Stop</Button>
        </div>
      ) : null}
    </div>
  )
}
