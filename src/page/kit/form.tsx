// A form with one action. Errors are shown at their fields, all at once, with the focus on the first; errors without a
// field are shown above the button. The CSP forbids the browser to submit forms, so every form is a function here.
import { useRef } from 'hono/jsx/dom'
import type { Failure } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import type { Action } from '../query.ts'
import { Store } from '../store.ts'
import { Button } from './button.tsx'
import { FailureNote, RequestLine } from './failure.tsx'
import { Errors, focusFirst, placesOf, unready } from './field-errors.ts'
import { plural } from './format.ts'
import { type Children, Note } from './layout.tsx'
import { type FieldError, type Placed, placeErrors } from './place-errors.ts'

export function Form({
  action,
  submit,
  kind = 'main',
  children,
  why,
  cancel,
  leave = 'Cancel',
  done,
}: {
  action: Action<[]>
  submit: string
  kind?: 'main' | 'danger'
  children?: Children
  /** Why the form cannot be sent at all; missing fields are reported only after an attempt. */
  why?: string | undefined
  cancel?: () => void
  /** The text of the cancel button. */
  leave?: string
  /** Said after a success, until something is entered: for a form that stays where it is. */
  done?: string
}) {
  const element = useRef<HTMLFormElement>(null)
  const said = useRef<HTMLDivElement>(null)
  const [errors] = useState(() => new Store<Placed>({}))
  const [left, setLeft] = useState<FieldError[]>([])
  const [isDone, setIsDone] = useState(false)
  const show = (found: readonly FieldError[]) => {
    const form = element.current
    if (!form) return
    const { placed, left: others } = placeErrors(found, placesOf(form))
    errors.set(placed)
    setLeft(others)
    focusFirst(form, placed)
  }
  const { failure } = action
  useEffect(() => {
    if (!failure) return
    show(failure.errors)
    // In a long form inside a dialog the error may be out of view.
    said.current?.scrollIntoView({ block: 'nearest' })
  }, [failure])
  const send = (event: Event) => {
    event.preventDefault()
    if (action.busy || !element.current) return
    const missing = unready(element.current)
    if (missing.length > 0) action.clear()
    show(missing)
    setIsDone(false)
    if (missing.length === 0) void action.run().then(setIsDone)
  }
  return (
    <form ref={element} onSubmit={send} onInput={isDone ? () => setIsDone(false) : undefined} novalidate>
      <Errors.Provider value={errors}>{children}</Errors.Provider>
      <div ref={said}>{failure ? <Refusal failure={failure} left={left} /> : null}</div>
      {done === undefined ? null : <div role="status">{isDone ? <Note tone="ok">{done}</Note> : null}</div>}
      <div class="actions">
        <Button submit kind={kind} busy={action.busy} why={why}>
          {submit}
        </Button>
        {cancel ? <Button onClick={cancel}>{leave}</Button> : null}
      </div>
    </form>
  )
}

/** `left`: the errors that no field shows. */
function Refusal({ failure, left }: { failure: Failure; left: FieldError[] }) {
  // A field may be wrong in more than one way.
  const fields = new Set(failure.errors.map(({ field }) => field))
  for (const { field } of left) fields.delete(field)
  const placed = fields.size
  if (placed === 0) return <FailureNote failure={failure} />
  return (
    <p class="wrong" role="alert">
      {plural(placed, 'field was', 'fields were')} refused: see above. {left.map(({ message }) => message).join('. ')}
      <RequestLine failure={failure} />
    </p>
  )
}
