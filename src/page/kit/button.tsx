// Buttons. A button that cannot be used says why beside itself: `why` is the only way to make one gray.
import { useId } from 'hono/jsx/dom'
import type { Children } from './layout.tsx'

/** `busy` is not gray for good: that would take the focus away while its own work is under way, and a keyboard would begin at the top again. */
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
  /** Why it cannot be used now. */
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
