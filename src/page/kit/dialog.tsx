// Dialogs, made with the browser's own element, which handles focus, Escape and the page behind.
import { useRef } from 'hono/jsx/dom'
import { useEffect, useState } from '../hooks.ts'
import type { Action } from '../query.ts'
import { Button } from './button.tsx'
import { Field } from './fields.tsx'
import { Form } from './form.tsx'
import { type Children, keepFocus, Note } from './layout.tsx'

/** Open while it is rendered. Escape and ✕ ask first if something was entered, since both are pressed by mistake. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children?: Children }) {
  const element = useRef<HTMLDialogElement>(null)
  const entered = useRef(false)
  const [asks, setAsks] = useState(false)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    // Only once the dialog is closed: nothing behind it can take the focus before.
    return () => queueMicrotask(() => giveBack(before))
  }, [])
  /** What was sent goes on without the dialog. The browser closes at the second Escape in any case. */
  const mayClose = () => {
    const unsent = element.current?.querySelector('form [type="submit"]:not([aria-busy])')
    if (asks || !entered.current || !unsent) return true
    setAsks(true)
    return false
  }
  const input = ({ target }: Event) => {
    if (target instanceof HTMLElement && !target.closest('.confirmation')) entered.current = true
  }
  // A file chooser that is cancelled says so here, too.
  const cancel = (event: Event) => {
    if (event.target === element.current && !mayClose()) event.preventDefault()
  }
  return (
    <dialog ref={element} onClose={onClose} onCancel={cancel} onInput={input} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          class="quiet"
          aria-label="Close"
          onClick={() => {
            if (mayClose()) element.current?.close()
          }}
        >
          ✕
        </button>
      </header>
      {asks ? <Discard onDiscard={() => element.current?.close()} onKeep={() => setAsks(false)} /> : null}
      {children}
    </dialog>
  )
}

function Discard({ onDiscard, onKeep }: { onDiscard: () => void; onKeep: () => void }) {
  const note = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement
    note.current?.querySelector('button')?.focus()
    return () => queueMicrotask(() => giveBack(before))
  }, [])
  return (
    <div ref={note}>
      <Note tone="warning" title="Discard what you entered?">
        <div class="actions">
          <Button onClick={onKeep}>Keep editing</Button>
          <Button kind="danger" onClick={onDiscard}>
            Discard
          </Button>
        </div>
      </Note>
    </div>
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
  <div class="confirmation">
    <Field
      label={`Type ${name} to confirm`}
      value={typed}
      onValue={onTyped}
      wrong={typed === name ? undefined : `Type exactly ${name}`}
      autocomplete="off"
    />
  </div>
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
