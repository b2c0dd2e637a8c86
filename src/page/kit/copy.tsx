// Copies a text, and says that it did.
import { useState } from '../hooks.ts'
import { Button } from './button.tsx'

/** `what`: for those who do not see what stands beside it. */
export function CopyButton({ text, what }: { text: string; what?: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard?.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <Button kind="quiet" {...(what !== undefined && { label: `Copy ${what}` })} onClick={() => void copy()}>
      {copied ? 'Copied' : 'Copy'}
    </Button>
  )
}
