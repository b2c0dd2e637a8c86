// What somebody types on another machine to get at this one.
import { Button } from '../../kit/form.tsx'
import { useState } from '../../state.ts'

/** This appliance, as the person reached it: what the browser found, a client of the same network finds too. */
export const host = () => location.hostname

/** Lines to copy. */
export function Lines({ of, what }: { of: string[]; what: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard?.writeText(of.join('\n'))
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <div class="lines">
      <code>{of.join('\n')}</code>
      <Button kind="quiet" label={`Copy ${what}`} onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  )
}
