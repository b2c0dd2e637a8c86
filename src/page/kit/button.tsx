// Buttons. A disabled button always shows the reason: `why` is the only way to disable one.
import { useId } from 'hono/jsx/dom'
import type { Children } from './layout.tsx'

/** `busy` does not disable the button: that would move the keyboard focus to the start of the page. */
export function Button({
  children,
  onClick,
  kind = 'plain',
  busy,
  why,
  submit,
  label,
}: {
  children?: Children
  onClick?: () => void
  kind?: 'plain' | 'main' | 'danger' | 'quiet'
  busy?: boolean
  /** Why it is disabled now. */
  why?: string | undefined
  submit?: boolean
  label?: string
}) {
  const id = useId()
  const button = (
    <button
      type={submit ? 'submit' : 'button'}
      class={kind}
      disabled={why !== undefined}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      aria-label={label}
      aria-describedby={why === undefined ? undefined : id}
      onClick={busy ? undefined : onClick}
    >
      {children}
    </button>
  )
  return (
    <>
      {button}
      {why === undefined ? null : (
        <span class="hint" id={id}>
          {why}
        </span>
      )}
    </>
  )
}
