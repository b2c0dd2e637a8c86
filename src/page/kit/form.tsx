// A form that does one thing. What was refused is said at its fields, all of it at once, with the focus at the first; what has no field is
// said right above the button. The CSP lets no form be sent by the browser: every form is a function here.
import { useRef } from 'hono/jsx/dom'
import type { Failure } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import type { Action } from '../query.ts'
import { Store } from '../store.ts'
import { Button } from './button.tsx'
import { FailureNote, RequestLine } from './failure.tsx'
import { Errors, focusFirst, placesOf, unready } from './field-errors.ts'
import { plural } from './format.ts'
import type { Children } from './layout.tsx'
import { type FieldError, type Placed, placeErrors } from './place-errors.ts'

export function Form({
  action,
  submit,
  kind = 'main',
  children,
  why,
  cancel,
  leave = 'Cancel',
}: {
  action: Action<[]>
  submit: string
  kind?: 'main' | 'danger'
  children?: Children
  /** Why it cannot be sent at all; what is missing in a field is said there, once somebody tries. */
  why?: string | undefined
  cancel?: () => void
  /** What the button of `cancel` says. */
  leave?: string
}) {
  const element = useRef<HTMLFormElement>(null)
  const said = useRef<HTMLDivElement>(null)
  const [errors] = useState(() => new Store<Placed>({}))
  const [left, setLeft] = useState<FieldError[]>([])
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
    // A long form in a dialog may have it out of sight.
    said.current?.scrollIntoView({ block: 'nearest' })
  }, [failure])
  const send = (event: Event) => {
    event.preventDefault()
    if (action.busy || !element.current) return
    const missing = unready(element.current)
    if (missing.length > 0) action.clear()
    show(missing)
    if (missing.length === 0) void action.run()
  }
  return (
    <form ref={element} onSubmit={send} novalidate>
      <Errors.Provider value={errors}>{children}</Errors.Provider>
      <div ref={said}>{failure ? <Refusal failure={failure} left={left} /> : null}</div>
      <div class="actions">
        <Button submit kind={kind} busy={action.busy} why={why}>
          {submit}
        </Button>
        {cancel ? <Button onClick={cancel}>{leave}</Button> : null}
      </div>
    </form>
  )
}

/** `left`: what no field shows. */
function Refusal({ failure, left }: { failure: Failure; left: FieldError[] }) {
  const placed = failure.errors.length - left.length
  if (placed === 0) return <FailureNote failure={failure} />
  return (
    <p class="wrong" role="alert">
      {plural(placed, 'field was', 'fields were')} refused: see above. {left.map(({ message }) => message).join('. ')}
      <RequestLine failure={failure} />
    </p>
  )
}
