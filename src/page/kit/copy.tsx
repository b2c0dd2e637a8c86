// A button that copies a text to the clipboard and confirms it.
import { useState } from '../hooks.ts'
import { Button } from './button.tsx'

/** `what` names the text for screen readers. */
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
