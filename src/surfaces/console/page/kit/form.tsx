// Fields, buttons, forms. The trap: the CSP lets no form be sent by the browser; every form is a function here.
import { useId, useRef } from 'hono/jsx/dom'
import { useEffect } from '../hooks.ts'
import type { Action } from '../query.ts'
import { FailureNote } from './failure.tsx'
import type { Children } from './layout.tsx'

interface FieldProps {
  label: string
  hint?: Children
  value: string
  onValue: (value: string) => void
  type?: 'text' | 'password' | 'number' | 'email' | 'datetime-local'
  required?: boolean
  autocomplete?: string
  pattern?: string
  min?: number
  max?: number
  minlength?: number
  maxlength?: number
  placeholder?: string
  disabled?: boolean
}

const typed = (event: Event) => (event.currentTarget as HTMLInputElement).value

export function Field({ label, hint, value, onValue, type = 'text', ...rest }: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        onInput={(event: Event) => onValue(typed(event))}
        spellcheck={false}
        autocapitalize="none"
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      />
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

export function TextArea({
  label,
  hint,
  value,
  onValue,
  rows = 4,
}: {
  label: string
  hint?: Children
  value: string
  onValue: (value: string) => void
  rows?: number
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        value={value}
        spellcheck={false}
        onInput={(event: Event) => onValue(typed(event))}
        aria-describedby={hint ? `${id}-hint` : undefined}
      />
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

export function Select({
  label,
  hint,
  value,
  onValue,
  options,
  disabled,
}: {
  label: string
  hint?: Children
  value: string
  onValue: (value: string) => void
  options: [value: string, text: string][]
  disabled?: boolean
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onInput={(event: Event) => onValue((event.currentTarget as HTMLSelectElement).value)}
        aria-describedby={hint ? `${id}-hint` : undefined}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

export function Check({
  label,
  hint,
  checked,
  onChecked,
  disabled,
}: {
  label: Children
  hint?: Children
  checked: boolean
  onChecked: (checked: boolean) => void
  disabled?: boolean
}) {
  const id = useId()
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onInput={(event: Event) => onChecked((event.currentTarget as HTMLInputElement).checked)}
      />
      <label for={id}>{label}</label>
      {hint ? <p class="hint">{hint}</p> : null}
    </div>
  )
}

/** A file, chosen or dropped. */
export function FileField({
  label,
  hint,
  accept,
  file,
  onFile,
}: {
  label: string
  hint?: Children
  accept?: string
  file: File | undefined
  onFile: (file: File | undefined) => void
}) {
  const id = useId()
  const drop = (event: DragEvent) => {
    event.preventDefault()
    const dropped = event.dataTransfer?.files[0]
    if (dropped) onFile(dropped)
  }
  return (
    <fieldset class="field drop" onDragover={(event: DragEvent) => event.preventDefault()} onDrop={drop}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        onChange={(event: Event) => onFile((event.currentTarget as HTMLInputElement).files?.[0])}
      />
      <p class="hint">
        {file ? `${file.name} (${file.size.toLocaleString()} bytes)` : (hint ?? 'Choose a file, or drop it here')}
      </p>
    </fieldset>
  )
}

/** `busy` is not `disabled`: that would take the focus away while its own work is under way, and a keyboard would begin at the top again. */
export function Button({
  children,
  onClick,
  kind = 'plain',
  busy,
  disabled,
  submit,
  label,
}: {
  children?: Children
  onClick?: () => void
  kind?: 'plain' | 'main' | 'danger' | 'quiet'
  busy?: boolean
  disabled?: boolean
  submit?: boolean
  label?: string
}) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={kind}
      disabled={disabled}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      aria-label={label}
      onClick={busy ? undefined : onClick}
    >
      {children}
    </button>
  )
}

/** A form that does one thing; what was refused is said right above its button. */
export function Form({
  action,
  submit,
  kind = 'main',
  children,
  disabled,
  cancel,
}: {
  action: Action<[]>
  submit: string
  kind?: 'main' | 'danger'
  children?: Children
  disabled?: boolean
  cancel?: () => void
}) {
  const said = useRef<HTMLDivElement>(null)
  // A long form in a dialog may have it out of sight.
  useEffect(() => {
    if (action.failure) said.current?.scrollIntoView({ block: 'nearest' })
  }, [action.failure])
  const send = (event: Event) => {
    event.preventDefault()
    if (!action.busy) void action.run()
  }
  return (
    <form onSubmit={send}>
      {children}
      <div ref={said}>
        <FailureNote failure={action.failure} />
      </div>
      <div class="actions">
        <Button submit kind={kind} busy={action.busy} disabled={disabled ?? false}>
          {submit}
        </Button>
        {cancel ? <Button onClick={cancel}>Cancel</Button> : null}
      </div>
    </form>
  )
}
