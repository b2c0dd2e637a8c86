// Dialogs, made with the browser's own element, which handles focus, Escape and the page behind.
import { useRef } from 'hono/jsx/dom'
import { useEffect, useState } from '../hooks.ts'
import type { Action } from '../query.ts'
import { Field } from './fields.tsx'
import { Form } from './form.tsx'
import { type Children, keepFocus } from './layout.tsx'

/** Open while it is rendered. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children?: Children }) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    // Only once the dialog is closed: nothing behind it can take the focus before.
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

/** Data is never destroyed by a single click. */
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

/** Asks for confirmation of what cannot be undone. `name` has to be typed first where data is destroyed. */
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
  // Forget the error of the previous attempt.
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
