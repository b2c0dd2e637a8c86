// Dialogs: the browser's own, so that focus, Escape and what lies behind are its business.
import { useRef } from 'hono/jsx/dom'
import { useEffect, useState } from '../hooks.ts'
import type { Action } from '../query.ts'
import { Field } from './fields.tsx'
import { Form } from './form.tsx'
import { type Children, keepFocus } from './layout.tsx'

/** Open as long as it is part of the page. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children?: Children }) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    // Not while the dialog is still there: everything behind it takes no focus.
    return () => queueMicrotask(() => giveBack(before))
  }, [])
  return (
    <dialog ref={element} onClose={onClose} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => element.current?.close()}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  )
}

function giveBack(before: Element | null): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus()
  keepFocus()
}

/** Nothing that destroys data goes by a click alone. */
export const TypeToConfirm = ({
  name,
  typed,
  onTyped,
}: {
  name: string
  typed: string
  onTyped: (typed: string) => void
}) => (
  <Field
    label={`Type ${name} to confirm`}
    value={typed}
    onValue={onTyped}
    wrong={typed === name ? undefined : `Type exactly ${name}`}
    autocomplete="off"
  />
)

/**
 * Asks before something that cannot be taken back. `name`: has to be typed first, for what destroys data.
 */
export function Confirm({
  title,
  submit,
  action,
  onClose,
  name,
  children,
}: {
  title: string
  submit: string
  action: Action<[]>
  onClose: () => void
  name?: string
  children?: Children
}) {
  const [typed, setTyped] = useState('')
  // What was refused the last time is not about this time.
  useEffect(() => action.clear(), [])
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <Form action={action} submit={submit} kind="danger" cancel={onClose}>
        {name === undefined ? null : <TypeToConfirm name={name} typed={typed} onTyped={setTyped} />}
      </Form>
    </Dialog>
  )
}
