// A large file on its way: how much of it has gone. The trap: when all of it has gone the appliance is only beginning with it, and a person
// who sees 100 % thinks that it is done.
import { upload } from '../api.ts'
import { useState } from '../hooks.ts'
import { bytes } from './format.ts'
import { Progress } from './layout.tsx'

export interface Sent {
  done: number
  total: number
}

/** Sends a form with files; `sent` is there while it is under way. */
export function useSending(path: string) {
  const [sent, setSent] = useState<Sent>()
  const send = async <T,>(form: Record<string, string | Blob | undefined>): Promise<T> => {
    setSent({ done: 0, total: 0 })
    try {
      return await upload<T>(path, form, (done, total) => setSent({ done, total }))
    } finally {
      setSent(undefined)
    }
  }
  return { sent, send }
}

/** `then`: what the appliance does once it has the whole file. */
export function Sending({ sent, then }: { sent: Sent | undefined; then: string }) {
  if (!sent) return null
  const { done, total } = sent
  const whole = total > 0 && done >= total
  return (
    <div role="status">
      <p>{whole ? then : `Sending: ${bytes(done)} of ${bytes(total)}`}</p>
      <Progress value={whole || total === 0 ? undefined : (100 * done) / total} label={whole ? then : 'Sending'} />
    </div>
  )
}
