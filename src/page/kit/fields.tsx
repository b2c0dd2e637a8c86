// Form fields: label, hint, and the error below. `name` holds the API's names for the field, separated by spaces;
// `wrong` says why the form cannot be sent with the current value.
import { useContext, useId } from 'hono/jsx/dom'
import { useStore } from '../store.ts'
import { Errors } from './field-errors.ts'
import type { Children } from './layout.tsx'

interface Common {
  label: Children
  hint?: Children
  name?: string | undefined
  wrong?: string | undefined
  required?: boolean
  disabled?: boolean
  /** The text for the refused part of a field: `2` of `clients.2`. */
  part?: (rest: string) => string
}

/** An item of a list is named by its line number, a member by its name. */
const partOf = (rest: string) => (/^[0-9]+$/.test(rest) ? `Line ${Number(rest) + 1}` : rest)

/** The error that a field shows, and the attributes that link it to the field. */
function useErrors({ hint, name = '', wrong, part = partOf }: Omit<Common, 'label'>) {
  const id = useId()
  const store = useContext(Errors)
  const errors = (useStore(store)[id] ?? []).map(({ rest, message }) => (rest ? `${part(rest)}: ${message}` : message))
  /** A server error no longer applies once the value is edited. */
  const clear = () => {
    const { [id]: own, ...others } = store.get()
    if (own) store.set(others)
  }
  const described = [errors.length > 0 ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ')
  const attributes = {
    id,
    'data-field': name,
    'data-wrong': wrong,
    'aria-invalid': errors.length > 0 ? ('true' as const) : undefined,
    'aria-describedby': described || undefined,
  }
  return { id, errors, clear, attributes }
}

const Below = ({ id, errors, hint }: { id: string; errors: string[]; hint?: Children }) => (
  <>
    {errors.length > 0 ? (
      <div class="wrong" id={`${id}-error`}>
        {[...new Set(errors)].map((error) => (
          <p key={error}>{error}</p>
        ))}
      </div>
    ) : null}
    {hint ? (
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    ) : null}
  </>
)

interface FieldProps extends Common {
  value: string
  onValue: (value: string) => void
  type?: 'text' | 'password' | 'number' | 'email' | 'datetime-local'
  autocomplete?: string
  pattern?: string
  min?: number
  max?: number
  minlength?: number
  maxlength?: number
  placeholder?: string
  /** The id of a `<datalist>` with suggestions. */
  list?: string
  onKeyDown?: (event: KeyboardEvent) => void
}

const typed = (event: Event) => (event.currentTarget as HTMLInputElement).value

export function Field({ label, hint, value, onValue, type = 'text', name, wrong, part, ...rest }: FieldProps) {
  const { id, errors, clear, attributes } = useErrors({ hint, name, wrong, ...(part && { part }) })
  const change = (event: Event) => {
    clear()
    onValue(typed(event))
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        type={type}
        value={value}
        onInput={change}
        spellcheck={false}
        autocapitalize="none"
        {...attributes}
        {...rest}
      />
      <Below id={id} errors={errors} hint={hint} />
    </div>
  )
}

export function TextArea({
  label,
  value,
  onValue,
  rows = 4,
  required,
  ...about
}: Common & { value: string; onValue: (value: string) => void; rows?: number }) {
  const { id, errors, clear, attributes } = useErrors(about)
  const change = (event: Event) => {
    clear()
    onValue(typed(event))
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea rows={rows} value={value} spellcheck={false} required={required} onInput={change} {...attributes} />
      <Below id={id} errors={errors} hint={about.hint} />
    </div>
  )
}

export function Select({
  label,
  value,
  onValue,
  options,
  disabled,
  required,
  ...about
}: Common & {
  value: string
  onValue: (value: string) => void
  options: [value: string, text: string][]
}) {
  const { id, errors, clear, attributes } = useErrors(about)
  const change = (event: Event) => {
    clear()
    onValue((event.currentTarget as HTMLSelectElement).value)
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select value={value} disabled={disabled} required={required} onInput={change} {...attributes}>
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
      <Below id={id} errors={errors} hint={about.hint} />
    </div>
  )
}

export function Check({
  label,
  checked,
  onChecked,
  disabled,
  required,
  ...about
}: Common & { checked: boolean; onChecked: (checked: boolean) => void }) {
  const { id, errors, clear, attributes } = useErrors(about)
  const change = (event: Event) => {
    clear()
    onChecked((event.currentTarget as HTMLInputElement).checked)
  }
  return (
    <div class="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        required={required}
        onInput={change}
        {...attributes}
      />
      <label for={id}>{label}</label>
      <Below id={id} errors={errors} hint={about.hint} />
    </div>
  )
}

/**
 * A file that was chosen or dropped. A dropped file is not in the browser's own input, so `required` is checked here.
 */
export function FileField({
  label,
  accept,
  file,
  onFile,
  required,
  ...about
}: Common & { accept?: string; file: File | undefined; onFile: (file: File | undefined) => void }) {
  const wrong = required && !file ? 'Choose a file' : about.wrong
  const hint = file
    ? `${file.name} (${file.size.toLocaleString()} bytes)`
    : (about.hint ?? 'Choose a file, or drop it here')
  const { id, errors, clear, attributes } = useErrors({ ...about, hint, wrong })
  const take = (chosen: File | undefined) => {
    clear()
    onFile(chosen)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    const dropped = event.dataTransfer?.files[0]
    if (dropped) take(dropped)
  }
  return (
    <fieldset class="field drop" onDragover={(event: DragEvent) => event.preventDefault()} onDrop={drop}>
      <label for={id}>{label}</label>
      <input
        type="file"
        accept={accept}
        onChange={(event: Event) => take((event.currentTarget as HTMLInputElement).files?.[0])}
        {...attributes}
      />
      <Below id={id} errors={errors} hint={hint} />
    </fieldset>
  )
}

/** Several controls that share an error. It can take the focus, so that a keyboard user reaches the error. */
export function Group({ label, children, ...about }: Common & { children?: Children }) {
  const { id, errors, clear, attributes } = useErrors(about)
  return (
    <fieldset tabindex={-1} onInput={clear} {...attributes}>
      <legend>{label}</legend>
      {children}
      <Below id={id} errors={errors} hint={about.hint} />
    </fieldset>
  )
}
